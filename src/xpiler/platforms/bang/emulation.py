"""The emulator of BANG C as data: headers, sources, definitions, rewriting."""

from __future__ import annotations

import re
from pathlib import Path

from xpiler.platforms.bang.rewrite import rewrite
from xpiler.platforms.protocol import EmulatorSpec

_HERE = Path(__file__).parent / "emulator"
_DEFAULT = "mtp_592"
_NAME = re.compile(r"(?P<cluster>m?)tp_(?P<number>\d+)$")
_SIZES = {  # KB of NRAM, WRAM, SRAM of a target; each vendor tool prints the same table
    "220": (512, 512, 2048), "270": (512, 1024, 2048), "290": (512, 512, 2048),
    "322": (768, 1024, 2048), "372": (768, 1024, 4096), "592": (512, 512, 2048),
}  # fmt: skip


def defines(arch: str | None) -> tuple[str, ...]:
    """`mtp_592` -> macros of the target. `mtp_592:flat` takes matmul weights as flat [K][N] rows.

    The documented layout ([N][K], banked) is the default; `flat` is what some published kernels
    assume. Unknown targets count as mtp_592.
    """
    name, *options = (arch or _DEFAULT).split(":")
    match = _NAME.match(name) or _NAME.match(_DEFAULT)
    assert match is not None
    number = match["number"] if match["number"] in _SIZES else "592"
    nram, wram, sram = _SIZES[number]
    return (
        f"__BANG_ARCH__={number}", f"__MLU_NRAM_SIZE__={nram}", f"__MLU_WRAM_SIZE__={wram}",
        f"__MLU_SRAM_SIZE__={sram if match['cluster'] else 0}",
        f"XP_BANG_FLAT_WEIGHTS={int('flat' in options)}",
    )  # fmt: skip


EMULATOR = EmulatorSpec(
    platform="bang",
    language="c++",
    standard="c++17",
    include_dirs=(_HERE,),
    library=(_HERE / "lib",),
    rewrite=rewrite,
    defines=defines,
    warp_width=lambda arch: 64,
    scalar_types={"f16": "half", "bf16": "bfloat16_t"},
    launcher="xp_bang",
)
