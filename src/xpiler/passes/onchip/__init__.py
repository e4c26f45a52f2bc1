"""The memories of one core as plain arrays: what stands between a tile program and its loops."""

from xpiler.passes.onchip.prepare import is_on_chip, prepare, touched_functions

__all__ = ["is_on_chip", "prepare", "touched_functions"]
