"""The lanes of one piece of a loop: which values vary, where memory lies, what is loaded."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from xpiler.analysis.affine import to_expr
from xpiler.analysis.effects import names_in
from xpiler.analysis.pointers import target
from xpiler.analysis.poly import ZERO as NOTHING
from xpiler.analysis.poly import Poly, atom, constant
from xpiler.analysis.ranges import Facts
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import children, fresh_name, substitute, walk
from xpiler.ir.types import I32, Array, Pointer, Scalar, Type
from xpiler.passes.lowering.tasks.build import (
    ONE,
    ZERO,
    NotVector,
    add,
    address,
    at,
    cast,
    copy,
    elem_of,
    folded,
    mul,
    shift,
    size_of,
    strided,
    sub,
)  # fmt: skip
from xpiler.passes.lowering.tasks.nram import Arena

WHOLE_ROWS = "elements of a row that a condition on data leaves out are in memory, too"

USUAL = 256
"""Iterations that a loop of unknown length is taken to have, when costs are compared."""


@dataclass(frozen=True)
class Vec:
    """A value per lane: in `buffer` (one element a lane), or at `place` as a function of the loop
    variable. `temp`: nobody else needs it; `offset`: elements before lane 0."""

    elem: Type
    buffer: e.Var | None = None
    place: e.Expr | None = None
    temp: bool = False
    offset: e.Expr = ZERO


Value = Vec | e.Expr


@dataclass(frozen=True)
class Where:
    """A place whose address moves by `stride` elements from lane to lane."""

    place: e.Expr
    root: str
    near: bool  # in NRAM
    stride: Poly
    elem: Type


@dataclass
class Lanes:
    """One piece: lanes `lo` to `hi` (of `count`) are active, `var` is `base` in lane 0.

    `mask` has all bits set for the active lanes among those, where that is no range, else none.
    `data_only`: what excludes lanes here are conditions on data, none on the place in the row.
    `flags` are those of `vectors` that are conditions, likewise.
    """

    var: e.Var
    base: e.Expr
    count: e.Expr
    width: int  # lanes that buffers are made for
    usual: int  # lanes that a piece has, as far as costs are concerned
    arena: Arena
    names: frozenset[str] = frozenset()  # arrays that lie in NRAM
    far: frozenset[str] = frozenset()  # pointers to the device's memory
    lo: e.Expr = ZERO
    hi: e.Expr = ZERO
    mask: e.Var | None = None
    narrow: bool = False  # whether all results have 16 bits at most
    vectors: dict[str, e.Var] = field(default_factory=dict)
    data_only: bool = False
    flags: set[str] = field(default_factory=set)
    arrays: dict[str, e.Var] = field(default_factory=dict)
    inline: dict[str, e.Expr] = field(default_factory=dict)
    accumulators: set[str] = field(default_factory=set)
    out: list[s.Stmt] = field(default_factory=list)
    loaded: dict[e.Expr, tuple[e.Expr, e.Expr, e.Var]] = field(default_factory=dict)
    roots: dict[e.Expr, str] = field(default_factory=dict)
    own: list[e.Var] = field(default_factory=list)
    spare: dict[Type, list[e.Var]] = field(default_factory=dict)
    cost: float = 0.0
    times: float = 1.0

    # -- buffers ------------------------------------------------------------------------------

    def buffer(self, stem: str, elem: Type, slots: int = 1) -> e.Var:
        var = self.arena.array(stem, elem, self.width * slots)
        self.own.append(var)
        return var

    def temp(self, elem: Type) -> Vec:
        free = self.spare.get(elem)
        if free:
            return Vec(elem, free.pop(), temp=True)
        return Vec(elem, self.buffer("t", elem), temp=True)

    def drop(self, *values: Value | None) -> None:
        """Temporaries that are not needed any more."""
        for v in values:
            if isinstance(v, Vec) and v.temp and v.buffer is not None:
                assert isinstance(v.buffer.type, Array)
                free = self.spare.setdefault(v.buffer.type.elem, [])
                if v.buffer not in free:
                    free.append(v.buffer)

    def finish(self) -> None:
        for var in dict.fromkeys(self.own):
            self.arena.release(var)

    # -- lanes --------------------------------------------------------------------------------

    @property
    def size(self) -> e.Expr:
        """How many lanes are active."""
        return sub(self.hi, self.lo)

    @cached_property
    def whole(self) -> e.Expr:
        return self.count

    def point(self, lane: e.Expr) -> e.Expr:
        """The loop variable's value in a lane."""
        return add(self.base, cast(lane, self.var.type))

    def placed(self, x: e.Expr, lane: e.Expr) -> e.Expr:
        return folded(substitute(x, {self.var.name: self.point(lane)}))

    def operand(self, v: Vec) -> e.Expr:
        """The pointer to the first active lane's value."""
        if v.buffer is not None:
            return shift(v.buffer, add(v.offset, self.lo))
        assert v.place is not None
        return address(self.placed(v.place, self.lo))

    def element(self, v: Vec, lane: e.Expr) -> e.Expr:
        """One lane's value."""
        if v.buffer is not None:
            return cast(at(v.buffer, add(v.offset, lane)), v.elem)
        assert v.place is not None
        return self.placed(v.place, lane)

    def emit(self, *statements: s.Stmt, weight: float = 1.0) -> None:
        self.out.extend(statements)
        self.cost += self.times * len(statements) * weight * (24 + self.usual / 16)

    def per_lane(self, lane: e.Var, *body: s.Stmt, weight: float = 1.0) -> None:
        """A scalar loop over the active lanes."""
        self.out.append(s.For(lane, self.lo, self.hi, e.Const(1, I32), tuple(body)))
        self.cost += self.times * self.usual * 10 * weight * len(body)

    def counter(self) -> e.Var:
        return e.Var(fresh_name("k", self.arena.taken), I32)

    # -- what varies ----------------------------------------------------------------------------

    def expanded(self, x: e.Expr) -> e.Expr:
        """`x` with variables of the loop that only stand for arithmetic replaced by that."""
        names = {n for n in names_in(x) if n in self.inline}
        while names:
            x = substitute(x, {n: self.inline[n] for n in names})
            names = {n for n in names_in(x) if n in self.inline}
        return x

    def varies(self, x: e.Expr) -> bool:
        """Whether the value of `x` (expanded) may differ between lanes."""
        names = names_in(x)
        return (
            self.var.name in names
            or any(n in names for n in self.vectors)
            or any(n in names for n in self.arrays)
        )

    # -- addresses ------------------------------------------------------------------------------

    def where(self, place: e.Expr, facts: Facts) -> Where | None:
        """How `place` (an element of an outer array, expanded) moves with the lanes."""
        found = self._linear(place, facts)
        if found is None:
            return None
        base, index = found
        known = target(base, facts)
        if known is None or not isinstance(place.type, Scalar):
            return None
        if known.root.name not in self.names | self.far:
            return None
        split = index.split(self.var.name)
        if split is None or self._hidden(split[0], facts) or self._hidden(split[1], facts):
            return None
        return Where(place, known.root.name, known.root.name in self.names, split[0], place.type)

    def _hidden(self, p: Poly, facts: Facts) -> bool:
        """Whether an unknown of `p` depends on the lane."""
        own = {self.var.name, *self.vectors, *self.arrays}
        return any(facts.inside_of(a) & own or a in own for a in p.atoms())

    def _linear(self, x: e.Expr, facts: Facts) -> tuple[e.Var, Poly] | None:
        """The variable under a place and the number of elements from there."""
        if not isinstance(x, e.Index):
            return None
        n = _length(x.base.type.elem) if isinstance(x.base.type, (Pointer, Array)) else None
        if n is None:
            return None
        inner = self._base(x.base, facts)
        return None if inner is None else (inner[0], inner[1] + self._index(x.index, facts) * n)

    def _base(self, x: e.Expr, facts: Facts) -> tuple[e.Var, Poly] | None:
        if isinstance(x, e.Var):
            return x, NOTHING
        if isinstance(x, e.AddressOf):
            return self._linear(x.x, facts)
        if isinstance(x, e.Index):
            return self._linear(x, facts) if isinstance(x.type, Array) else None
        if isinstance(x, e.Cast) and isinstance(x.x.type, (Pointer, Array)):
            same = elem_of(x.type) == elem_of(x.x.type) or isinstance(x.x, e.Var)
            return self._base(x.x, facts) if same else None
        if isinstance(x, e.Binary) and x.op in "+-" and isinstance(x.type, Pointer):
            inner, n = self._base(x.a, facts), _length(x.type.elem)
            if inner is None or n is None:
                return None
            p = self._index(x.b, facts) * n
            return inner[0], inner[1] + p if x.op == "+" else inner[1] - p
        return None

    def _index(self, x: e.Expr, facts: Facts) -> Poly:
        """The value of a subscript; unsigned sums are assumed not to wrap where that is allowed."""
        p = facts.address(x)
        if self.var.name not in p.atoms() and self.varies(x):
            raw = facts.raw(x)
            if self.var.name in raw.atoms() and facts.ledger.assume(
                "unsigned index arithmetic does not wrap"
            ):
                return raw
        return p

    def stride(self, p: Poly, facts: Facts) -> e.Expr:
        found = to_expr(facts, p, I32, checked=False)
        if found is None:
            raise NotVector("a stride that cannot be written")
        return found

    # -- loads ------------------------------------------------------------------------------------

    def load(self, place: e.Expr, facts: Facts) -> Vec | None:
        """The elements at `place` (expanded) for all active lanes; None where they cannot be
        copied as a whole."""
        hit = self.loaded.get(place)
        if hit is not None and hit[:2] in ((self.lo, self.hi), (ZERO, self.count)):
            return Vec(place.type, hit[2])
        w = self.where(place, facts)
        if w is None or not w.stride.terms:
            return None
        if w.near and w.stride == constant(1):
            return Vec(w.elem, place=place)
        if self.mask is not None and not w.near and not self.whole_rows(facts):
            return None
        buffer = self.buffer(_stem(w.root), w.elem)
        self._fetch(buffer, w, facts)
        self.loaded[place] = (self.lo, self.hi, buffer)
        self.roots[place] = w.root
        return Vec(w.elem, buffer)

    def whole_rows(self, facts: Facts) -> bool:
        """Whether elements may be read, too, that lanes leave out because of data."""
        return self.data_only and facts.ledger.assume(WHOLE_ROWS)

    def on_index(self, cond: e.Expr) -> bool:
        """Whether a condition (expanded) asks for more than what was loaded."""
        if isinstance(cond, e.Binary) and cond.op in e.LOGICAL:
            return self.on_index(cond.a) or self.on_index(cond.b)
        return not self._asks_data(cond) or self._asks_place(cond)

    def _asks_data(self, cond: e.Expr) -> bool:
        """Whether a comparison has to do with what was loaded, and not with sizes only."""
        loaded = (n for n in walk(cond) if isinstance(n, e.Index))
        return any(True for _ in loaded) or any(
            isinstance(n, e.Var) and n.name in self.vectors and not self._asks_place(n)
            for n in walk(cond)
        )

    def _asks_place(self, cond: e.Expr) -> bool:
        """Whether a condition has to do with which lane it is."""
        if isinstance(cond, e.Index):
            return False
        if isinstance(cond, e.Var):
            number = isinstance(cond.type, Scalar) and cond.type.is_float
            return cond == self.var or (cond.name in self.vectors and not number)
        return any(self._asks_place(c) for c in children(cond) if isinstance(c, e.Expr))

    def _fetch(self, buffer: e.Var, w: Where, facts: Facts) -> None:
        dst = shift(buffer, self.lo)
        src = address(self.placed(w.place, self.lo))
        way = "NRAM2NRAM" if w.near else "GDRAM2NRAM"
        if w.stride == constant(1):
            self.emit(copy(dst, src, self.size, w.elem, way), weight=1.5)
            return
        by = self.stride(w.stride, facts)
        self.emit(strided(dst, src, self.size, w.elem, way, e.Const(1, I32), by))
        self.cost += self.times * self.usual * (4 if w.near else 12)

    def store(self, w: Where, v: Vec, facts: Facts) -> None:
        """The active lanes' values to memory, by one copy."""
        way = "NRAM2NRAM" if w.near else "NRAM2GDRAM"
        if facts.nonneg(-w.stride - 1):
            self._store_backwards(w, v, way, facts)
            return
        dst = address(self.placed(w.place, self.lo))
        src = self.operand(v)
        if w.stride == constant(1):
            self.emit(copy(dst, src, self.size, w.elem, way), weight=1.5)
        else:
            if not facts.nonneg(w.stride - 1):
                raise NotVector("a stride whose sign is not known")
            by = self.stride(w.stride, facts)
            self.emit(strided(dst, src, self.size, w.elem, way, by, e.Const(1, I32)))
            self.cost += self.times * self.usual * (4 if w.near else 12)

    def _store_backwards(self, w: Where, v: Vec, way: str, facts: Facts) -> None:
        """The last lane first: where a copy writes, it goes forward."""
        last = sub(self.size, ONE)
        dst = address(self.placed(w.place, sub(self.hi, ONE)))
        src = shift(self.operand(v), last)
        by = self.stride(-w.stride, facts)
        self.emit(strided(dst, src, self.size, w.elem, way, by, e.Const(-1, I32)))
        self.cost += self.times * self.usual * (4 if w.near else 12)

    def forget(self, root: str | None, near: bool) -> None:
        """What was loaded from an array that has been written is not what lies there any more."""
        for place in list(self.loaded):
            source = self.roots.get(place)
            same = source == root if near else source not in self.names
            if root is None or source is None or same:
                del self.loaded[place]

    def forget_names(self, names: frozenset[str] | set[str]) -> None:
        for place in list(self.loaded):
            if names_in(place) & names:
                del self.loaded[place]


def _stem(root: str) -> str:
    return f"{root.split('.')[0]}_tile"


def _length(t: Type) -> int | None:
    """Scalars in a value of type `t`."""
    if isinstance(t, Scalar):
        return 1
    if isinstance(t, Array) and t.size is not None:
        inner = _length(t.elem)
        return None if inner is None else inner * t.size
    return None


def has_load(x: e.Expr) -> bool:
    """Whether memory is read in `x`."""
    return any(
        isinstance(n, e.Index) and isinstance(n.base.type, (Pointer, Array)) for n in walk(x)
    )


__all__ = ["USUAL", "Lanes", "Value", "Vec", "Where", "atom", "has_load", "mul", "size_of"]
