"""Loops over the units of each level: blocks of a grid, threads of a block."""

from __future__ import annotations

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import fresh_name
from xpiler.ir.types import U32
from xpiler.passes.recovery import nodes as n
from xpiler.passes.recovery.coords import Coords
from xpiler.passes.recovery.levels import has_sync
from xpiler.passes.recovery.lower import Env, Lowering, Units, count, unit_code
from xpiler.passes.recovery.warps import lower_warps


def thread_loops(body: s.Body, coords: Coords, env: Env, free: bool) -> s.Body:
    """`body` run by every thread of the block."""
    ext = env.extents
    names = ("t", "ty", "tz") if ext.flat else ("tx", "ty", "tz")
    dims = [d for d in range(3) if ext.block_const(d) != 1]
    loops = {d: e.Var(fresh_name(names[d], env.taken), U32) for d in dims}
    here = coords.with_(thread=tuple(loops.get(d) for d in range(3)))
    lane = e.Binary("%", here.thread_number(), e.Const(ext.wave, U32), U32)
    code = unit_code(body, here.with_(lane=lane), env)
    for d in dims:
        code = (count(loops[d], ext.block[d], code, free),)
    return code if dims else (s.Scope(code),)


def block_units(env: Env, coords: Coords) -> Units:
    """The threads of a block, met at its barriers."""

    def region(body: s.Body, here: Coords, free: bool) -> s.Body:
        if has_sync(body, "warp"):
            return lower_warps(body, here, env, free)
        return thread_loops(body, here, env, free)

    return Units("block", coords, region)


def lower_block(body: s.Body, env: Env, coords: Coords) -> s.Body:
    """What one block does, its threads as loops."""
    return Lowering(env, block_units(env, coords)).run(body)


def block_loops(
    body: s.Body, env: Env, free: bool, frame: tuple[s.Body, s.Body] = ((), ()),
    coords: Coords | None = None,
) -> s.Body:  # fmt: skip
    """`body` (what one block's threads do), within `frame`, run by every block of the grid."""
    ext = env.extents
    dims = [d for d in range(3) if ext.grid_const(d) != 1]
    names = ("block",) if dims == [0] else ("bx", "by", "bz")
    loops = {d: e.Var(fresh_name(names[d], env.taken), U32) for d in dims}
    here = (coords or Coords(ext)).with_(block=tuple(loops.get(d) for d in range(3)))
    code = (*frame[0], *lower_block(body, env, here), *frame[1])
    for d in dims:
        code = (count(loops[d], ext.grid[d], code, free),)
    return code


def lower_grid(body: s.Body, shared: s.Body, env: Env) -> s.Body:
    """A kernel whose blocks meet (cooperative launch): a loop over the blocks between meetings.

    Shared memory that is used across a meeting gets one copy a block.
    """

    def region(part: s.Body, here: Coords, free: bool) -> s.Body:
        own = [
            st for st in n.statements(part) if isinstance(st, s.Decl) and st.var.name in env.shared
        ]
        names = {st.var.name for st in own}
        rest = n.edit(
            part, lambda st: () if isinstance(st, s.Decl) and st.var.name in names else st
        )
        return block_loops(rest, env, free, (tuple(own), ()), here)

    return Lowering(env, Units("grid", Coords(env.extents), region)).run((*shared, *body))
