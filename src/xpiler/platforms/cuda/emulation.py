"""How CUDA text runs on this machine."""

from __future__ import annotations

from pathlib import Path

from xpiler.platforms._simt.dialects import CUDA
from xpiler.platforms._simt.rewrite import rewrite
from xpiler.platforms.protocol import EmulatorSpec

_HERE = Path(__file__).parent
_SIMT = _HERE.parent / "_simt" / "emulator"


def _rewrite(text: str, filename: str) -> str:
    return rewrite(text, CUDA, filename)


def _defines(arch: str | None) -> tuple[str, ...]:
    return ("XP_WARP_SIZE=32",)


EMULATOR = EmulatorSpec(
    platform="cuda",
    language="c++",
    standard="c++17",
    include_dirs=(_HERE / "emulator", _SIMT),
    library=(_SIMT / "lib",),
    rewrite=_rewrite,
    scalar_types={"f16": "half", "bf16": "__nv_bfloat16"},
    defines=_defines,
    shared_limit=227 * 1024,
)
