"""Source text -> tensor program, the same way for every platform; the platform supplies words."""

from xpiler.frontend.parse import ReadResult, read
from xpiler.frontend.words import Words

__all__ = ["ReadResult", "Words", "read"]
