"""Which part of a buffer a body touches: a box of constant extents that starts anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import prod

from xpiler.analysis.effects import names_in
from xpiler.analysis.poly import ZERO, Poly, atom
from xpiler.analysis.ranges import Facts
from xpiler.analysis.walker import Walker, inside
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import map_children
from xpiler.ir.types import Array, Pointer, Type
from xpiler.passes.steps.base import Refused
from xpiler.passes.steps.nest import trips

Touched = Callable[[e.Index, Facts], e.Expr]


@dataclass(frozen=True)
class Inner:
    """A loop inside the body: where it starts, how often it runs."""

    name: str
    lo: Poly
    count: int


@dataclass(frozen=True)
class Term:
    """One access: `base` plus, for each stride, so many elements from `inners`."""

    base: Poly
    dims: dict[Poly, tuple[Inner, ...]]
    write: bool
    certain: bool
    type: Type

    def extent(self, stride: Poly) -> int:
        return sum(i.count - 1 for i in self.dims.get(stride, ())) + 1


class Scan(Walker):
    """Every access of a body to one buffer, and whether it happens for certain."""

    def __init__(self, buffer: e.Var) -> None:
        self.buffer = buffer
        self.inners: dict[str, Inner | None] = {}
        self.sure = True
        self.found: list[Term] = []
        self.own: set[str] = set()

    @contextmanager
    def maybe(self, perhaps: bool = True) -> Iterator[None]:
        before, self.sure = self.sure, self.sure and not perhaps
        yield
        self.sure = before

    def stmt(self, st: s.Stmt, facts: Facts) -> s.Body:
        if isinstance(st, s.For):
            self._loop(st, facts)
        elif isinstance(st, (s.While, s.Switch)):
            with self.maybe():
                super().stmt(st, facts)
        elif isinstance(st, s.If):
            self.expr(st.cond, facts)
            with self.maybe():
                self.body(st.then, facts.with_cond(st.cond, True))
                self.body(st.orelse, facts.with_cond(st.cond, False))
        else:
            if isinstance(st, s.Decl):
                self.own.add(st.var.name)
            if isinstance(st, s.Assign) and st.op and _of(st.target, self.buffer):
                self.expr(st.target, facts)
            super().stmt(st, facts)
        return (st,)

    def _loop(self, st: s.For, facts: Facts) -> None:
        for x in (st.lo, st.hi):
            self.expr(x, facts)
        count = trips(st, facts)
        one = isinstance(st.step, e.Const) and st.step.value == 1
        known = Inner(st.var.name, facts.poly(st.lo), count) if count and one else None
        self.inners[st.var.name] = known
        with self.maybe(not count):
            self.body(st.body, inside(st, facts))

    def expr(self, x: e.Expr, facts: Facts) -> e.Expr:
        if _of(x, self.buffer):
            assert isinstance(x, e.Index)
            self._note(x, facts, write=False)
            return self.expr(x.index, facts)
        if isinstance(x, e.Select):
            self.expr(x.cond, facts)
            with self.maybe():
                self.expr(x.a, facts)
                self.expr(x.b, facts)
            return x
        if isinstance(x, e.Binary) and x.op in e.LOGICAL:
            self.expr(x.a, facts)
            with self.maybe():
                self.expr(x.b, facts)
            return x
        lent = isinstance(x, e.AddressOf) and self.buffer.name in names_in(x)
        if lent or x == self.buffer:
            raise Refused(f"the address of {self.buffer.name} is taken")
        map_children(x, lambda c: self.expr(c, facts))
        return x

    def place(self, x: e.Expr, facts: Facts) -> e.Expr:
        if _of(x, self.buffer):
            assert isinstance(x, e.Index)
            self._note(x, facts, write=True)
            return self.expr(x.index, facts)
        return super().place(x, facts)

    def _note(self, x: e.Index, facts: Facts, write: bool) -> None:
        base, dims = split_index(facts.poly(x.index), facts, self.inners, self.own)
        self.found.append(Term(base, dims, write, self.sure, x.index.type))


def _of(x: e.Expr, buffer: e.Var) -> bool:
    return isinstance(x, e.Index) and x.base == buffer


def split_index(
    p: Poly, facts: Facts, inners: dict[str, Inner | None], own: set[str]
) -> tuple[Poly, dict[Poly, tuple[Inner, ...]]]:
    """The part of an index that stays the same, and the strides of the loops inside."""
    dims: dict[Poly, tuple[Inner, ...]] = {}
    for name in sorted(p.atoms() & set(inners)):
        inner, parts = inners[name], p.split(name)
        if inner is None or parts is None:
            raise Refused(f"the loop {name} inside runs an unknown number of times")
        stride, rest = parts
        dims[stride] = (*dims.get(stride, ()), inner)
        p = rest + stride * inner.lo
    for q in (p, *dims):
        for name in q.atoms():
            if facts.inside_of(name) & (set(inners) | own) or not facts.stable(atom(name)):
                raise Refused("an index is not a sum of multiples of the loops inside")
    return p, dims


@dataclass(frozen=True)
class Box:
    """The hull of all accesses: element (x0, x1, ...) lies at base + sum of stride * x."""

    base: Poly
    strides: tuple[Poly, ...]
    extents: tuple[int, ...]
    type: Type
    reads: bool
    writes: bool
    read_whole: bool
    write_whole: bool

    @property
    def count(self) -> int:
        return prod(self.extents)


@dataclass
class _Hull:
    terms: list[Term]
    strides: tuple[Poly, ...] = ()
    offsets: list[tuple[int, ...]] = field(default_factory=list)


def box_of(terms: list[Term], facts: Facts) -> Box:
    """The hull of `terms`; raises Refused where it is no box."""
    if not terms:
        raise Refused("the buffer is not used there")
    strides = sorted({d for t in terms for d in t.dims}, key=_order)
    first = terms[0].base
    offsets = [_offset(t.base - first, strides) for t in terms]
    lows = [min(o[d] for o in offsets) for d in range(len(strides))]
    highs = [
        max(o[d] + t.extent(stride) for o, t in zip(offsets, terms, strict=True))
        for d, stride in enumerate(strides)
    ]
    base = first
    for stride, low in zip(strides, lows, strict=True):
        base = base + stride * low
    extents = tuple(h - low for h, low in zip(highs, lows, strict=True))

    def whole(write: bool) -> bool:
        return any(
            t.certain and t.write == write and o == tuple(lows)
            and all(t.extent(x) == n for x, n in zip(strides, extents, strict=True))
            for o, t in zip(offsets, terms, strict=True)
        )  # fmt: skip

    if len({t.type for t in terms}) > 1:
        raise Refused("its indices have several types")
    return Box(
        base, tuple(strides), extents, terms[0].type, any(not t.write for t in terms),
        any(t.write for t in terms), whole(False), whole(True),
    )  # fmt: skip


def _order(p: Poly) -> tuple[bool, int, str]:
    """Larger strides first: symbolic ones before constants."""
    c = p.constant
    return c is not None, -abs(c or 0), str(p)


def _offset(diff: Poly, strides: list[Poly]) -> tuple[int, ...]:
    """`diff` as a sum of whole numbers of strides; raises Refused."""
    out = []
    for stride in strides:
        q, _ = diff.divided_by(stride)
        n = _constant_part(q)
        diff = diff - stride * n
        out.append(n)
    if diff.terms:
        raise Refused("two accesses lie an unknown distance apart")
    return tuple(out)


def _constant_part(q: Poly) -> int:
    return q.terms.get((), 0)


def distinct_places(box: Box, facts: Facts) -> bool:
    """Whether no two elements of the box are one place of the buffer (mixed radix)."""
    below = ZERO
    for stride, n in zip(reversed(box.strides), reversed(box.extents), strict=True):
        if not facts.nonneg(stride - below - 1):
            return False
        below = below + stride * (n - 1)
    return True


def local_array(elem: Type, extents: tuple[int, ...]) -> Type:
    """The type of an array with these extents."""
    for n in reversed(extents):
        elem = Array(elem, n)
    return elem


def variables_of(body: s.Body) -> dict[str, e.Var]:
    """Pointers and flat arrays that occur in `body`, by name."""
    from xpiler.ir.rewrite import walk

    found = {n.name: n for n in walk(body) if isinstance(n, e.Var)}
    return {n: v for n, v in found.items() if _flat(v.type)}


def _flat(t: Type) -> bool:
    return isinstance(t, (Pointer, Array)) and not isinstance(t.elem, (Array, Pointer))
