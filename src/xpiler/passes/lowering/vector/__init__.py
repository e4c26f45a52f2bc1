"""Lowering to vector registers: innermost loops in strips of lanes, with masks for what is left."""

from xpiler.passes.lowering.vector.driver import lower

__all__ = ["lower"]
