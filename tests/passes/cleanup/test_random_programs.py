"""Random race-free programs compute the same before and after clean-up, to the bit."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import build as b
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from interp import Undefined, run

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.check import check
from xpiler.ir.program import Program
from xpiler.ir.rewrite import substitute
from xpiler.ir.types import F32, Array
from xpiler.passes.cleanup import clean_up

SIZE = 60
HALO = 2


def _moved(st: s.Stmt, j: e.Var, t: e.Expr) -> s.Stmt:
    """`st` for the element t + j."""
    return substitute(st, {j.name: b.add(b.i32(t), j)})  # type: ignore[no-any-return]


@dataclass
class Gen:
    """Draws the phases of a block: race-free by construction."""

    draw: st.DrawFn
    block: int
    count: int = 0
    index: dict[str, int] = field(default_factory=dict)

    def pick(self, *options: object) -> object:
        return self.draw(st.sampled_from(options))

    def fresh(self, stem: str) -> str:
        k = self.index.get(stem, 0)
        self.index[stem] = k + 1
        return f"{stem}.{k}" if k else stem

    def position(self, t: e.Expr, extra: e.Expr | None) -> e.Expr:
        """A position in an input: mostly the global index, sometimes something else."""
        bx, own = b.i32(b.BX), b.i32(t)
        whole = b.i32(b.add(b.mul(b.BX, self.block), t))
        forms: list[e.Expr] = [whole, own, b.add(b.mul(own, 3), bx), b.add(whole, 1)]
        if extra is not None:
            forms += [b.add(b.mul(extra, self.block), own), b.add(whole, extra), b.mul(extra, 2)]
        return self.pick(*forms)  # type: ignore[return-value]

    def cond(self, i: e.Expr) -> e.Expr:
        forms = [
            b.lt(i, b.N),
            b.op(">=", i, 2),
            b.both(b.lt(i, b.N), b.lt(i, b.M)),
            b.op("<=", b.add(i, 1), b.M),
            b.op("==", b.op("%", i, 2), 0),
        ]
        return self.pick(*forms)  # type: ignore[return-value]

    def load(self, t: e.Expr, extra: e.Expr | None) -> e.Expr:
        i = self.position(t, extra)
        value = b.at(b.A, b.op("%", i, SIZE))
        if self.pick(True, False):
            value = b.at(b.A, i)
        if self.pick(True, False):
            return b.choose(self.cond(i), value)
        return value

    def element(self, t: e.Expr, extra: e.Expr | None) -> e.Expr:
        """A subscript of the tile, any lane's."""
        own = b.i32(t)
        forms: list[e.Expr] = [own, b.op("-", b.c(self.block - 1), own), b.c(0)]
        if extra is not None:
            forms += [extra, extra, b.add(own, b.op("%", extra, HALO))]
        return self.pick(*forms)  # type: ignore[return-value]

    def fill(self, tile: e.Var, t: e.Expr) -> s.Stmt:
        """All of the tile, dealt out to the threads."""
        j, size = b.var(self.fresh("j")), self.block + HALO
        where: e.Expr = j
        if self.pick(True, False):
            where = b.add(b.mul(b.op("/", j, 2), 2), b.op("%", j, 2))
        value = b.at(b.A, b.op("%", b.add(j, b.M), SIZE))
        if self.pick(True, False):
            value = b.choose(b.lt(b.add(j, 1), b.N), value)
        store: s.Stmt = b.put(b.at(tile, where), value)
        if self.pick(True, False):
            return s.For(j, b.i32(t), b.c(size), b.c(self.block), (store,))
        store = s.If(b.lt(b.add(b.i32(t), j), size), (_moved(store, j, t),))
        return s.For(j, b.c(0), b.c(size), b.c(self.block), (store,))

    def phase(self, tile: e.Var, lane: e.Var, extra: e.Expr | None) -> s.Stmt:
        t = b.var(self.fresh("thread_x"), b.U32)
        kind = self.pick("fill", "use", "use", "own", "strided", "both")
        mine = b.at(lane, t)
        body: tuple[s.Stmt, ...]
        if kind == "fill":
            where = self.pick(t, b.op("-", b.c(self.block - 1, b.U32), t))
            body = (b.put(b.at(tile, where), self.load(t, extra)),)  # type: ignore[arg-type]
        elif kind == "strided":
            body = (self.fill(tile, t),)
        elif kind == "both":
            body = (b.put(mine, self.load(t, extra), "+"), self.fill(tile, t))
        elif kind == "own":
            i = b.let(self.fresh("i"), b.i32(b.add(b.mul(b.BX, self.block), t)))
            store = b.put(b.at(b.C, i.var), b.add(mine, self.load(t, extra)))
            body = (i, s.If(self.cond(i.var), (store,)))
        else:
            k = b.var(self.fresh("k"))
            product = b.mul(b.at(tile, self.element(t, k)), self.load(t, k))
            use = b.put(mine, product, "+")
            body = (b.serial(k, self.block, use),)
        return b.axis(t, self.block, *body)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    block = draw(st.integers(2, 4))
    g = Gen(draw, block)
    tile, lane = b.var("tile", Array(F32, block + HALO)), b.var("lane", Array(F32, block))
    t = b.var(g.fresh("thread_x"), b.U32)
    stmts: list[s.Stmt] = [b.axis(t, block, b.put(b.at(lane, t), b.ZERO))]
    for _ in range(draw(st.integers(1, 3))):
        if draw(st.booleans()):
            kt = b.var(g.fresh("kt"))
            phases = [g.phase(tile, lane, kt) for _ in range(draw(st.integers(1, 3)))]
            trips = g.pick(b.op("/", b.K, block), b.c(2), b.op("/", b.add(b.K, block - 1), block))
            stmts.append(b.serial(kt, trips, *phases))  # type: ignore[arg-type]
        else:
            stmts.append(g.phase(tile, lane, None))
    last = b.var(g.fresh("thread_x"), b.U32)
    place = b.i32(b.add(b.mul(b.BX, block), last))
    stmts.append(
        b.axis(last, block, s.If(b.lt(place, b.N), (b.put(b.at(b.C, place), b.at(lane, last)),)))
    )
    where = (s.Decl(tile), s.Decl(lane))
    if draw(st.booleans()):
        return b.function(
            "f", (b.A, b.C, b.N, b.M, b.K), axis(b.blocks(b.N, block), *where, *stmts)
        )
    size = b.var("grid", b.U32)
    return b.function("f", (b.A, b.C, b.N, b.M, b.K, size), axis(size, *where, *stmts))


def axis(n: e.Expr, *body: s.Stmt) -> s.For:
    return b.axis(b.BX, n, *body)


def outcome(program: Program, sizes: dict[str, int], seed: int) -> list[float | None] | None:
    """The output buffer; None where the program does what C does not define."""
    rng = random.Random(seed)
    a: list[float | None] = [float(rng.randint(-3, 3)) for _ in range(SIZE)]
    out: list[float | None] = [None] * SIZE
    known: dict[str, object] = {"a": a, "c": out, **sizes}
    try:
        run(program, "f", [known[p.name] for p in program.functions[0].params])
    except Undefined:
        return None
    return out


@settings(
    max_examples=120, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
@given(programs(), st.integers(-1, 9), st.integers(0, 9), st.integers(-1, 9), st.integers(1, 3))
def test_meaning_is_kept(program: Program, n: int, m: int, k: int, grid: int) -> None:
    assert check(program) == []
    result = clean_up(program)
    assert result.failures == ()
    assert check(result.program, sequential=True) == [], result.program
    sizes = {"n": n, "m": m, "k_size": k, "grid": grid}
    before = outcome(program, sizes, n + 7 * m)
    if before is not None:
        assert outcome(result.program, sizes, n + 7 * m) == before
