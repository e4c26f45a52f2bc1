"""Plain C runs as it is: it needs no emulator, only the runtime's checks."""

from __future__ import annotations

from xpiler.platforms.protocol import EmulatorSpec

EMULATOR = EmulatorSpec(platform="c", language="c", standard="c11", scalar_types={"bf16": "bf16"})
