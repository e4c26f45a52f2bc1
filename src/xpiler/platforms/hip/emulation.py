"""The emulator of HIP."""

from xpiler.platforms._simt.emulation import HIP_EMULATION as EMULATION

__all__ = ["EMULATION"]
