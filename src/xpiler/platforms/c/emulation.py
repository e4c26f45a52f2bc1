"""Plain C runs as it is: it needs no emulator, only the runtime's checks."""

from __future__ import annotations

from xpiler.platforms.c.headers import preface
from xpiler.platforms.protocol import EmulatorSpec

# OpenMP's pragmas are there for whoever switches it on; here the loops run one after the other.
EMULATOR = EmulatorSpec(
    platform="c",
    language="c",
    standard="gnu11",
    extra_flags=("-Wno-unknown-pragmas",),
    scalar_types={"bf16": "bf16"},
    preface=preface,
)
