"""The emulator of CUDA."""

from xpiler.platforms._simt.emulation import CUDA_EMULATION as EMULATION

__all__ = ["EMULATION"]
