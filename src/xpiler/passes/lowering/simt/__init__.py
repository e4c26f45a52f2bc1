"""Lowering to blocks of threads: loops become grids, buffers are copied to the device and back."""

from xpiler.passes.lowering.simt.driver import lower

__all__ = ["lower"]
