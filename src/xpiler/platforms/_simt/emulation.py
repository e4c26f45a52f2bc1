"""The emulators of CUDA and HIP as data: headers, sources, definitions, rewriting."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from xpiler.platforms._simt.dialects import CUDA, HIP
from xpiler.platforms._simt.rewrite import Dialect, rewrite
from xpiler.platforms.protocol import EmulatorSpec

_SHARED = Path(__file__).parent / "emulator"
_PLATFORMS = Path(__file__).parent.parent


def _rewrite(dialect: Dialect, text: str, filename: str) -> str:
    return rewrite(text, dialect, filename)


def cuda_defines(arch: str | None) -> tuple[str, ...]:
    """`sm_90` -> XP_ARCH=900."""
    digits = re.match(r"(?:sm|compute)_(\d+)", arch or "sm_80")
    return ("XP_WARP_SIZE=32", f"XP_ARCH={int(digits.group(1)) * 10 if digits else 800}")


def hip_width(arch: str | None) -> int:
    """gfx10 and later run 32 lanes by default; those before (gfx9 is CDNA) 64."""
    digits = re.match(r"gfx(\d+)", arch or "gfx90a")
    return 32 if digits and len(digits.group(1)) >= 4 else 64


def hip_defines(arch: str | None) -> tuple[str, ...]:
    """`gfx942:sramecc+` -> __gfx942__=1 and the wave width."""
    name = (arch or "gfx90a").split(":")[0]
    plain = name if re.fullmatch(r"gfx[0-9a-f]+", name) else "gfx90a"
    width = hip_width(plain)
    return (f"XP_WARP_SIZE={width}", "XP_HIP=1", f'XP_ARCH_NAME="{plain}"', f"__{plain}__=1")


def _folders(platform: str) -> tuple[Path, ...]:
    return (_PLATFORMS / platform / "emulator", _SHARED)


CUDA_EMULATOR = EmulatorSpec(
    platform="cuda",
    language="c++",
    standard="c++17",
    include_dirs=_folders("cuda"),
    library=(_SHARED / "lib",),
    rewrite=partial(_rewrite, CUDA),
    defines=cuda_defines,
    shared_limit=232448,
    scalar_types={"f16": "__half", "bf16": "__nv_bfloat16"},
)
HIP_EMULATOR = EmulatorSpec(
    platform="hip",
    language="c++",
    standard="c++17",
    include_dirs=_folders("hip"),
    library=(_SHARED / "lib",),
    rewrite=partial(_rewrite, HIP),
    defines=hip_defines,
    warp_width=hip_width,
    shared_limit=65536,
    scalar_types={"f16": "__half", "bf16": "__hip_bfloat16"},
)
