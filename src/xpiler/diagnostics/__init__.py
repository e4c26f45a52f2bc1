"""Numbered diagnostics: what went wrong, where, why, and what helps."""

from xpiler.diagnostics.model import Diagnostic, SourceLoc, XpilerError
from xpiler.diagnostics.registry import CodeEntry, all_codes, lookup

__all__ = ["CodeEntry", "Diagnostic", "SourceLoc", "XpilerError", "all_codes", "lookup"]
