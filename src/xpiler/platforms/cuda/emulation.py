"""The emulator of CUDA."""

from xpiler.platforms._simt.emulation import CUDA_EMULATOR as EMULATOR

__all__ = ["EMULATOR"]
