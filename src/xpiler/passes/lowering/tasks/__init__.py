"""Lowering to tasks on cores with memories of their own, in vector instructions."""

from xpiler.passes.lowering.tasks.driver import lower

__all__ = ["lower"]
