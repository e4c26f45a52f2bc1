"""The emulator of HIP."""

from xpiler.platforms._simt.emulation import HIP_EMULATOR as EMULATOR

__all__ = ["EMULATOR"]
