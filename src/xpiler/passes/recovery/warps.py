"""Loops over the warps of a block and, inside, over the lanes of a warp.

Threads make warps in the order of their linear number; the last warp of a block may be partial.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import fresh_name, rewrite_exprs, variables
from xpiler.ir.types import BOOL, U32
from xpiler.passes.recovery.collectives import converted
from xpiler.passes.recovery.coords import Coords, binary, block_threads
from xpiler.passes.recovery.lower import Env, Lowering, Units, count, unit_code
from xpiler.passes.recovery.shape import DIMS, Extents, constant
from xpiler.passes.recovery.uniformity import LANE, Facts

ZERO = e.Const(0, U32)


@dataclass
class Warps:
    """The warps of a block: loops around one warp (outermost first), and what is known in it."""

    loops: list[tuple[e.Var, e.Expr]]
    base: e.Expr
    """Linear number (or, with rows of whole waves, x index) of lane 0's thread."""
    lanes: e.Expr
    rows: bool
    head: tuple[s.Stmt, ...] = ()
    axes: tuple[e.Expr | None, ...] = (None, None, None)


def ceil_div(x: e.Expr, by: int) -> e.Expr:
    known = constant(x)
    if known is not None:
        return e.Const(-(-known // by), U32)
    return binary("/", binary("+", x, e.Const(by - 1, U32)), e.Const(by, U32))


def warps_of(env: Env) -> Warps:
    """How the block's threads form warps."""
    ext = env.extents
    if ext.rows_of_waves:
        return _rows(env)
    total = block_threads(ext)
    known = constant(total)
    if known is not None and known <= ext.wave:
        return Warps([], ZERO, total, False)
    w = e.Var(fresh_name("warp", env.taken), U32)
    base = binary("*", w, e.Const(ext.wave, U32))
    loops = [(w, ceil_div(total, ext.wave))]
    if known is not None and known % ext.wave == 0:
        return Warps(loops, base, e.Const(ext.wave, U32), False)
    lanes = e.Var(fresh_name("lanes", env.taken), U32)
    left = e.Binary("-", total, base, U32)
    wave = e.Const(ext.wave, U32)
    bound = e.Select(e.Binary("<", left, wave, BOOL), left, wave, U32)
    return Warps(loops, base, lanes, False, (s.Decl(lanes, bound),))


def _rows(env: Env) -> Warps:
    ext = env.extents
    loops: list[tuple[e.Var, e.Expr]] = []
    axes: list[e.Expr | None] = [None, None, None]
    for d in (2, 1):
        if ext.block_const(d) != 1:
            axes[d] = e.Var(fresh_name(f"t{DIMS[d]}", env.taken), U32)
            loops.append((axes[d], ext.block[d]))  # type: ignore[arg-type]
    width = ext.block_const(0) or ext.wave
    base: e.Expr = ZERO
    if width > ext.wave:
        w = e.Var(fresh_name("warp", env.taken), U32)
        loops.append((w, e.Const(width // ext.wave, U32)))
        base = binary("*", w, e.Const(ext.wave, U32))
    return Warps(loops, base, e.Const(ext.wave, U32), True, axes=tuple(axes))


def at_lane(coords: Coords, warps: Warps, first: e.Expr, lane: e.Expr) -> Coords:
    """Coordinates of the thread with number (with rows: x index) `first`, in its warp `lane`."""
    ext = coords.extents
    if warps.rows:
        here = coords.with_(thread=(first, *warps.axes[1:]), lane=lane)
    elif ext.flat:
        here = coords.with_(thread=(first, None, None), lane=lane)
    else:
        here = coords.with_(thread=_unravelled(ext, first), linear=first, lane=lane)
    number = here.thread_number() if first is not ZERO else ZERO
    return here.with_(warp=_warp_number(ext, warps, coords, number))


def _unravelled(ext: Extents, number: e.Expr) -> tuple[e.Expr, ...]:
    """x, y, z of the thread with a linear number."""
    x = binary("%", number, ext.block[0])
    row = binary("/", number, ext.block[0])
    if ext.block_const(2) == 1:
        return x, row, ZERO
    return x, binary("%", row, ext.block[1]), binary("/", row, ext.block[1])


def _warp_number(ext: Extents, warps: Warps, coords: Coords, number: e.Expr) -> e.Expr:
    """The number of the warp in its block."""
    if not warps.loops:
        return ZERO
    if not warps.rows:
        return warps.loops[0][0]
    total: e.Expr = ZERO
    for var, extent in warps.loops:
        total = binary("+", binary("*", total, extent), var)
    return total


def _lane_number(env: Env) -> Callable[[e.Expr], e.Expr]:
    """Says `threadIdx.x % 32` and its like as the lane number."""
    facts = Facts("warp", env.extents)

    def one(x: e.Expr) -> e.Expr:
        if isinstance(x, e.Binary) and facts.shape(x) == LANE:
            return converted(e.Axis("lane", ""), x.type)
        return x

    return one


def lower_warps(body: s.Body, coords: Coords, env: Env, free: bool) -> s.Body:
    """`body`, in which lanes meet, run by every warp of the block."""
    warps = warps_of(env)
    body = rewrite_exprs(body, _lane_number(env))
    once = at_lane(coords, warps, warps.base, ZERO).with_(group=True)

    def region(part: s.Body, here: Coords, parallel: bool) -> s.Body:
        lane = e.Var(fresh_name("lane", env.taken), U32)
        first: e.Expr = binary("+", warps.base, lane)
        named = first if first is lane else e.Var(fresh_name("t", env.taken), U32)
        inner = at_lane(here, warps, named, lane).with_(group=False)
        code = unit_code(part, inner, env)
        if isinstance(named, e.Var) and named is not lane and named.name in variables(code):
            code = (s.Decl(named, first), *code)
        return (count(lane, warps.lanes, code, parallel),)

    code = Lowering(env, Units("warp", once, region)).run(body)
    code = (*warps.head, *code)
    for var, extent in reversed(warps.loops):
        code = (count(var, extent, code, free),)
    return code if warps.loops else (s.Scope(code),)
