"""What it takes to build and run one platform's text on the CPU: headers, sources, definitions, rewriting."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from xpiler.platforms._simt.dialects import CUDA, HIP
from xpiler.platforms._simt.rewrite import Dialect, rewrite

_SHARED = Path(__file__).parent / "emulator"
_PLATFORMS = Path(__file__).parent.parent


@dataclass(frozen=True)
class SimtEmulation:
    """The emulator of one SIMT platform.

    `include_dirs` go before the compiler's own; `sources` are compiled once for each set of `defines` (without
    instrumentation) and linked with the core runtime.
    """

    dialect: Dialect
    folder: str
    default_arch: str
    warp_width: Callable[[str], int]
    arch_defines: Callable[[str], tuple[str, ...]]

    @property
    def include_dirs(self) -> tuple[Path, ...]:
        """Folders of headers, without the core runtime's own."""
        return (_PLATFORMS / self.folder / "emulator", _SHARED)

    @property
    def sources(self) -> tuple[Path, ...]:
        """C++ sources of the surface."""
        return tuple(sorted((_SHARED / "lib").glob("*.cpp")))

    def defines(self, arch: str | None) -> tuple[str, ...]:
        """Definitions (`NAME=VALUE`) for an architecture such as `sm_80` or `gfx90a`."""
        name = arch or self.default_arch
        return (f"XP_WARP_SIZE={self.warp_width(name)}", *self.arch_defines(name))

    def rewrite(self, text: str, filename: str) -> str:
        """C++ of the same lines, with the headers it needs included."""
        return rewrite(text, self.dialect, filename)


def _cuda_defines(arch: str) -> tuple[str, ...]:
    digits = re.match(r"(?:sm|compute)_(\d+)", arch)
    return (f"XP_ARCH={int(digits.group(1)) * 10}",) if digits else ()


def _hip_width(arch: str) -> int:
    """gfx10 and later run 32 lanes by default; everything before (gfx9 is CDNA) 64."""
    digits = re.match(r"gfx(\d+)", arch)
    return 32 if digits and len(digits.group(1)) >= 4 else 64


def _hip_defines(arch: str) -> tuple[str, ...]:
    name = arch.split(":")[0]
    plain = name if re.fullmatch(r"gfx[0-9a-f]+", name) else "gfx90a"
    return ("XP_HIP=1", f'XP_ARCH_NAME="{plain}"', f"__{plain}__=1")


CUDA_EMULATION = SimtEmulation(CUDA, "cuda", "sm_80", lambda _arch: 32, _cuda_defines)
HIP_EMULATION = SimtEmulation(HIP, "hip", "gfx90a", _hip_width, _hip_defines)
