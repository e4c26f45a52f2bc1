"""Matrix products in tiles: rows in NRAM, columns as weights in WRAM, sums in NRAM."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from xpiler.analysis.affine import to_expr
from xpiler.analysis.poly import ONE as UNIT
from xpiler.analysis.poly import Poly
from xpiler.analysis.ranges import Facts
from xpiler.analysis.walker import after, inside
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import fresh_name, substitute
from xpiler.ir.types import BOOL, F32, I8, I32, I64, Type
from xpiler.passes.lowering.tasks.build import (
    ONE,
    ZERO,
    NotVector,
    add,
    address,
    at,
    byte_count,
    call,
    cast,
    copy,
    folded,
    is_const,
    least,
    mul,
    sub,
    word,
)  # fmt: skip
from xpiler.passes.lowering.tasks.contractions import Contraction, Factor, Product, trips
from xpiler.passes.lowering.tasks.nram import Arena

ROWS, COLUMNS, DEPTH = 64, 128, 128
"""Elements of a tile at most."""

WEIGHT_ROWS = 64
"""Weights are stored in whole groups of so many rows."""

WEIGHT_BYTES = 64
"""Rows of the matrix unit's operands are a multiple of so many bytes."""

Bounds = tuple[e.Expr, e.Expr]
Lower = Callable[[s.For, Facts], tuple[s.Body, float]]


@dataclass
class Tiled:
    """Writes one contraction; `lower` writes what is left to do with the sums of a tile."""

    c: Contraction
    arena: Arena
    lower: Lower
    bounds: Bounds | None
    cost: float = 0.0
    own: list[e.Var] = field(default_factory=list)

    def write(self) -> s.Body:
        """Loops over tiles of columns and rows; raises NotVector."""
        c = self.c
        col0, n, cols_head = self._tile(c.col, COLUMNS, "n")
        cols = self._var("cols", I32)
        padded = s.Decl(cols, _up(n, WEIGHT_ROWS), const=True)
        row0, m, rows_head = self._tile(c.row, ROWS, "m")
        col_loop = s.For(col0, *self._range(c.col), e.Const(COLUMNS, col0.type), ())
        row_loop = s.For(row0, *self._range(c.row), e.Const(ROWS, row0.type), ())
        facts = inside(col_loop, c.facts)
        for st in (*cols_head, padded):
            facts = after(st, facts)
        facts = inside(row_loop, facts)
        for st in rows_head:
            facts = after(st, facts)
        tile = _Tile(col0, n, cols, row0, m, facts)
        work: list[s.Stmt] = []
        sums: dict[str, e.Var] = {}
        for p in c.products:
            t = p.acc.var.type
            total = self._array("sum", t, ROWS * COLUMNS)
            sums[p.acc.var.name] = total
            work += self._product(p, tile, total)
        work += self._rest(tile, sums)
        inner = replace(row_loop, body=(*rows_head, *work))
        return (replace(col_loop, body=(*cols_head, padded, inner)),)

    # -- tiles ------------------------------------------------------------------------------------

    def _range(self, loop: s.For) -> Bounds:
        if self.bounds is not None and loop is self.c.outer:
            return self.bounds
        return loop.lo, loop.hi

    def _tile(self, loop: s.For, width: int, stem: str) -> tuple[e.Var, e.Var, s.Body]:
        """The first index of a tile and how many there are."""
        first = self._var(f"{loop.var.name.split('.')[0]}0", loop.var.type)
        count = self._var(stem, I32)
        left = sub(self._range(loop)[1], first)
        value = cast(least(e.Const(width, left.type), left), I32)
        return first, count, (s.Decl(count, value, const=True),)

    def _var(self, stem: str, t: Type) -> e.Var:
        return e.Var(fresh_name(stem, self.arena.taken), t)

    def _array(self, stem: str, t: Type, count: int, space: str = "nram") -> e.Var:
        var = self.arena.array(stem, t, count, space)
        self.own.append(var)
        return var

    # -- one product ------------------------------------------------------------------------------

    def _product(self, p: Product, tile: _Tile, total: e.Var) -> s.Body:
        """Pieces along the depth: both operands staged, multiplied, added."""
        depth = self.c.depth
        k0, d, head = self._tile(depth, DEPTH, "d")
        deep = self._var("depth", I32)
        padded = s.Decl(deep, _up(d, WEIGHT_BYTES // _bytes(p.left.elem)), const=True)
        at0 = {self.c.row.var.name: tile.row0, self.c.col.var.name: tile.col0,
               depth.var.name: k0}  # fmt: skip
        rows = self._rows(p.left, at0, tile, d, deep)
        weights, weight = self._weights(p.right, at0, tile, d, deep)
        size = mul(tile.m, tile.cols)
        part = self._array("part", F32, ROWS * COLUMNS)
        last = (ZERO,) if p.left.elem == I8 else ()
        product = call("__bang_matmul", part, rows[1], weight, tile.m, deep, tile.cols, *last)
        more: list[s.Stmt] = [product]
        term = part
        if total.type != part.type:
            term = self._array("whole", I32, ROWS * COLUMNS)
            more.append(call("__bang_float2int32_tz", term, part, size, ZERO))
        more.append(call("__bang_add", total, total, term, size))
        body = (*head, padded, *rows[0], *weights, *more)
        loop = s.For(k0, depth.lo, depth.hi, e.Const(DEPTH, k0.type), body)
        work = float((trips(depth) or 256) * (trips(self.c.row) or 64) * (trips(self.c.col) or 256))
        self.cost += work / 64
        return (call("__bang_write_zero", total, size), loop)

    def _rows(
        self, f: Factor, at0: Mapping[str, e.Expr], tile: _Tile, d: e.Expr, deep: e.Expr
    ) -> tuple[s.Body, e.Var]:
        """[m][depth], zero behind what there is."""
        stem = f.root.name.split(".")[0]
        rows = self._array(f"{stem}_rows", f.elem, ROWS * DEPTH)
        src = address(folded(substitute(f.place, at0)))
        if f.along == UNIT:
            fill = self._padding(rows, _less(d, deep), mul(tile.m, deep))
            by = self._stride(f.across, tile)
            return (*fill, _block(rows, deep, src, by, d, tile.m, f.elem)), rows
        other = self._array(f"{stem}_columns", f.elem, ROWS * DEPTH)
        fill = self._padding(other, _less(d, deep), mul(deep, tile.m))
        by = self._stride(f.along, tile)
        turn = call("__bang_transpose", rows, other, deep, tile.m)
        return (*fill, _block(other, tile.m, src, by, tile.m, d, f.elem), turn), rows

    def _weights(
        self, f: Factor, at0: Mapping[str, e.Expr], tile: _Tile, d: e.Expr, deep: e.Expr
    ) -> tuple[s.Body, e.Var]:
        """[cols][depth] in the order of WRAM's banks."""
        stem = f.root.name.split(".")[0]
        one = self._array(f"{stem}_rows", f.elem, COLUMNS * DEPTH)
        two = self._array(f"{stem}_columns", f.elem, COLUMNS * DEPTH)
        wram = self._array(f"{stem}_wram", f.elem, COLUMNS * DEPTH, "wram")
        src = address(folded(substitute(f.place, at0)))
        size = mul(tile.cols, deep)
        ragged = e.Binary("||", _less(d, deep), _less(tile.n, tile.cols), BOOL)
        if f.along == UNIT:
            turned = one
            by = self._stride(f.across, tile)
            stage = (*self._padding(one, ragged, size),
                     _block(one, deep, src, by, d, tile.n, f.elem))  # fmt: skip
        else:
            turned = two
            by = self._stride(f.along, tile)
            stage = (*self._padding(one, ragged, size),
                     _block(one, tile.cols, src, by, tile.n, d, f.elem),
                     call("__bang_transpose", two, one, deep, tile.cols))  # fmt: skip
        ordered = one if turned == two else two
        order = call("__bang_reshape_filter", ordered, turned, tile.cols, ONE, ONE, deep)
        return (*stage, order, copy(wram, ordered, size, f.elem, "NRAM2WRAM")), wram

    def _padding(self, where: e.Var, cond: e.Expr, size: e.Expr) -> s.Body:
        return (s.If(cond, (call("__bang_write_zero", where, size),)),)

    def _stride(self, p: Poly, tile: _Tile) -> e.Expr:
        found = to_expr(tile.facts, p, I32, checked=False)
        if found is None:
            raise NotVector("a stride that cannot be written")
        return found

    # -- what is done with the sums ---------------------------------------------------------------

    def _rest(self, tile: _Tile, sums: dict[str, e.Var]) -> s.Body:
        stored = self._stored(tile, sums)
        if stored is not None:
            return stored
        c = self.c
        column = sub(c.col.var, tile.col0)
        row = sub(c.row.var, tile.row0)
        place = add(mul(cast(row, I32), tile.cols), cast(column, I32))
        taken = tuple(_taken(p.acc, at(sums[p.acc.var.name], place)) for p in c.products)
        body = (*c.before, *taken, *c.behind)
        last = add(tile.col0, cast(tile.n, c.col.var.type))
        exchanged = c.outer is c.col
        cols = replace(c.col, lo=tile.col0, hi=last, body=(*c.head, *body) if exchanged else body)
        bottom = add(tile.row0, cast(tile.m, c.row.var.type))
        head = () if exchanged else c.head
        rows = replace(c.row, lo=tile.row0, hi=bottom, body=(*head, cols))
        kept, self.arena.tile = self.arena.tile, COLUMNS
        self.arena.counts[c.col.var.name] = (tile.n, COLUMNS)
        try:
            done, cost = self.lower(rows, tile.facts)
        finally:
            self.arena.tile = kept
            del self.arena.counts[c.col.var.name]
        self.cost += cost
        return done

    def _stored(self, tile: _Tile, sums: dict[str, e.Var]) -> s.Body | None:
        """Sums that are results as they are: one copy of the whole tile."""
        c = self.c
        if c.before or c.head or len(c.products) != 1 or len(c.behind) != 1:
            return None
        acc, st = c.products[0].acc, c.behind[0]
        plain = isinstance(st, s.Assign) and not st.op and st.value == acc.var
        if not plain or not isinstance(st, s.Assign) or not is_const(acc.init or ONE, 0):
            return None
        if not isinstance(st.target, e.Index) or not isinstance(st.target.base, e.Var):
            return None
        p = tile.facts.address(st.target.index)
        loops = {c.row.var.name, c.col.var.name}
        split = p.split(c.row.var.name)
        if split is None or split[0].atoms() & loops or split[0].terms == {}:
            return None
        along = split[1].split(c.col.var.name)
        if along is None or along[0] != UNIT:
            return None
        if any(tile.facts.inside_of(a) & loops for a in p.atoms() - loops):
            return None
        at0: dict[str, e.Expr] = {c.row.var.name: tile.row0, c.col.var.name: tile.col0}
        dst = address(folded(substitute(st.target, at0)))
        t, by = acc.var.type, self._stride(split[0], tile)
        src = sums[acc.var.name]
        done = call(
            "__memcpy", dst, src, byte_count(tile.n, t), word("NRAM2GDRAM"), byte_count(by, t),
            byte_count(tile.cols, t), sub(tile.m, ONE),
        )  # fmt: skip
        return (replace(done, comments=st.comments),)


def worth_padding(c: Contraction) -> e.Expr | None:
    """Where columns and depth are at most doubled by padding; None where that is not asked for,
    because sizes are known."""
    if trips(c.col) is not None and trips(c.depth) is not None:
        return None
    group = WEIGHT_BYTES // _bytes(c.products[0].left.elem)
    n, k = (cast(sub(loop.hi, loop.lo), I64) for loop in (c.col, c.depth))
    padded = mul(_up(n, WEIGHT_ROWS), _up(k, group))
    return e.Binary("<=", padded, mul(mul(n, k), e.Const(2, I64)), BOOL)


@dataclass(frozen=True)
class _Tile:
    """First column and row, how many there are, columns with padding, what is known inside."""

    col0: e.Var
    n: e.Var
    cols: e.Var
    row0: e.Var
    m: e.Var
    facts: Facts


def _up(x: e.Expr, to: int) -> e.Expr:
    """x rounded up to a multiple."""
    if isinstance(x, e.Const):
        return e.Const(-(-int(x.value) // to) * to, x.type)
    by = e.Const(to, x.type)
    groups = e.Binary("/", add(x, e.Const(to - 1, x.type)), by, x.type)
    return e.Binary("*", groups, by, x.type)


def _less(a: e.Expr, b: e.Expr) -> e.Expr:
    return e.Binary("<", a, b, BOOL)


def _block(
    dst: e.Expr, width: e.Expr, src: e.Expr, by: e.Expr, n: e.Expr, rows: e.Expr, t: Type
) -> s.Stmt:
    """`rows` rows of `n` elements, `width` and `by` elements apart."""
    return call(
        "__memcpy", dst, src, byte_count(n, t), word("GDRAM2NRAM"), byte_count(width, t),
        byte_count(by, t), sub(rows, ONE),
    )  # fmt: skip


def _taken(acc: s.Decl, total: e.Expr) -> s.Decl:
    """The accumulator with the sum in it."""
    assert acc.init is not None
    value = total if is_const(acc.init, 0) else e.Binary("+", acc.init, total, acc.var.type)
    return replace(acc, init=value)


def _bytes(t: Type) -> int:
    return getattr(t, "bits", 32) // 8


__all__ = ["Tiled", "worth_padding"]
