"""How HIP text runs on this machine."""

from __future__ import annotations

from pathlib import Path

from xpiler.platforms._simt.dialects import HIP
from xpiler.platforms._simt.rewrite import rewrite
from xpiler.platforms.protocol import EmulatorSpec

_HERE = Path(__file__).parent
_SIMT = _HERE.parent / "_simt" / "emulator"


def _rewrite(text: str, filename: str) -> str:
    return rewrite(text, HIP, filename)


def _warp_width(arch: str | None) -> int:
    """AMD's data-center chips (gfx9, the default) run 64-wide waves, gfx10 and later 32-wide."""
    return 32 if arch and arch.startswith(("gfx10", "gfx11", "gfx12")) else 64


def _defines(arch: str | None) -> tuple[str, ...]:
    name = arch or "gfx90a"
    return (f"XP_WARP_SIZE={_warp_width(arch)}", f'XP_ARCH_NAME="{name}"')


EMULATOR = EmulatorSpec(
    platform="hip",
    language="c++",
    standard="c++17",
    include_dirs=(_HERE / "emulator", _SIMT),
    library=(_SIMT / "lib",),
    rewrite=_rewrite,
    scalar_types={"f16": "half", "bf16": "__hip_bfloat16"},
    defines=_defines,
    warp_width=_warp_width,
    shared_limit=64 * 1024,
)
