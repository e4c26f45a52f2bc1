"""IR -> readable text; the platform supplies the words (`Spelling`)."""

from xpiler.backend.spelling import Spelling, load
from xpiler.backend.writer import Written, signature, write, write_unit

__all__ = ["Spelling", "Written", "load", "signature", "write", "write_unit"]
