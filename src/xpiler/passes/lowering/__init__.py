"""Lowering: a sequential program becomes one in a platform's own parallel form."""

from xpiler.passes.lowering.base import EntryPoint, Example, Lowered, Origin, lower

__all__ = ["EntryPoint", "Example", "Lowered", "Origin", "lower"]
