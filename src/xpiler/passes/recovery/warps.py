"""Loops over the warps of a block and, inside, over the lanes of a warp."""

from __future__ import annotations

from xpiler.ir import stmt as s
from xpiler.passes.recovery.coords import Coords
from xpiler.passes.recovery.lower import Env


def lower_warps(body: s.Body, coords: Coords, env: Env, free: bool) -> s.Body:
    """`body`, which has meetings of lanes, run by every warp of the block."""
    raise NotImplementedError
