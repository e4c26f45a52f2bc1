"""Clean-up: turns the sequential floor into what a person would have written."""

from xpiler.passes.cleanup.base import Assumptions
from xpiler.passes.cleanup.driver import CleanResult, before_recovery, clean_up

__all__ = ["Assumptions", "CleanResult", "before_recovery", "clean_up"]
