"""Clean-up: turns the sequential floor into what a person would have written."""

from xpiler.passes.cleanup.base import Assumptions
from xpiler.passes.cleanup.driver import CleanResult, clean_up

__all__ = ["Assumptions", "CleanResult", "clean_up"]
