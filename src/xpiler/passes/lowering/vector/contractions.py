"""Sums of products under two more loops become one product of matrices, before those loops.

`for i { for j { s = x; for k { s += a[i, k] * b[k, j]; } ... } }`: the product is written where its
element goes when nothing else happens to it, else to a matrix of its own that the loops then read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from xpiler.analysis.affine import to_expr
from xpiler.analysis.effects import assigned, declared, escapes, names_in
from xpiler.analysis.parallelism import nature
from xpiler.analysis.pointers import byte_size, target
from xpiler.analysis.poly import Poly
from xpiler.analysis.ranges import Facts, is_int
from xpiler.analysis.walker import Walker, after, inside
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import fresh_name, walk
from xpiler.ir.types import I32, I64, U64, Pointer, Scalar
from xpiler.passes.lowering.vector.strips import accumulation

REORDERED = "sums of floating-point numbers may be added up in another order"
FUSED = "products that are added up may be rounded once with the sum (fused multiply-add)"
FEWEST = 8
"""Loops of fewer iterations make no matrix."""


class Other(Exception):
    """Not a product of matrices, or not shown to be one; says why."""


@dataclass(frozen=True)
class Operand:
    """An element of a matrix: the pointer `base + rest`, and the steps of the three loops."""

    base: e.Var
    rest: Poly
    rows: Poly
    columns: Poly
    steps: Poly


@dataclass(frozen=True)
class Nest:
    """The three loops; `first` and `last` are what the middle one does around the innermost."""

    outer: s.For
    middle: s.For
    inner: s.For
    before: s.Body
    first: s.Body
    last: s.Body


@dataclass
class Contractions(Walker):
    """Rewrites a function; `used` collects the helpers that it calls."""

    table: Mapping[str, Any]
    pure: frozenset[str]
    taken: set[str]
    used: set[str] = field(default_factory=set)
    assumed: set[str] = field(default_factory=set)

    def stmt(self, st: s.Stmt, facts: Facts) -> s.Body:
        if not isinstance(st, s.For):
            return (self.descend(st, facts),)
        mark, before = facts.mark(), len(facts.ledger.sentences)
        try:
            return self._product(nest_of(st), facts)
        except Other:
            facts.forget(mark)
            del facts.ledger.sentences[before:]
        return (self.descend(st, facts),)

    def _product(self, nest: Nest, facts: Facts) -> s.Body:
        facts_j = _along(nest.before, inside(nest.outer, facts))
        in_j = _along(nest.first, inside(nest.middle, facts_j))
        total, pair = _summed(nest, _along(nest.inner.body[:-1], inside(nest.inner, in_j)))
        name = self.table["product"].get(str(total.type))
        if name is None:
            raise Other(f"no product of {total.type}")
        self._independent(nest, facts, facts_j)
        nest = _ordered(nest, in_j)
        a, b = self._operands(nest, pair, in_j)
        self.used.add(name)
        self.assumed |= {REORDERED, FUSED}
        direct = _direct(nest, total, in_j, facts)
        if direct is not None:
            to, row = direct
            call = self._call(name, nest, (a, b), to, row, facts)
            return (replace(call, comments=nest.outer.comments, loc=nest.outer.loc),)
        return self._beside(name, nest, (a, b), total, facts)

    def _independent(self, nest: Nest, facts: Facts, inner: Facts) -> None:
        for loop, known in ((nest.outer, facts), (nest.middle, inner)):
            found = nature(loop, known, self.pure)
            if not found.parallel or found.reductions or found.atomics:
                raise Other("iterations that meet")
            self.assumed |= set(found.sentences)

    def _operands(
        self, nest: Nest, pair: tuple[e.Expr, e.Expr], facts: Facts
    ) -> tuple[Operand, Operand]:
        known = inside(nest.inner, facts)
        for left, right in (pair, pair[::-1]):
            a, b = _operand(left, nest, known), _operand(right, nest, known)
            if not a.columns.terms and not b.rows.terms and a.rows.terms and b.columns.terms:
                return a, b
        raise Other("no two matrices")

    def _call(
        self, name: str, nest: Nest, pair: tuple[Operand, Operand], to: e.Expr, row: e.Expr,
        facts: Facts,
    ) -> s.Eval:  # fmt: skip
        a, b = pair
        args = (
            nest.outer.hi, nest.middle.hi, nest.inner.hi,
            _pointer(a, facts), _written(a.rows, facts), _written(a.steps, facts),
            _pointer(b, facts), _written(b.steps, facts), _written(b.columns, facts), to, row,
        )  # fmt: skip
        return s.Eval(e.Call(name, args, Scalar("void")))

    def _beside(
        self, name: str, nest: Nest, pair: tuple[Operand, Operand], total: e.Var, facts: Facts
    ) -> s.Body:
        """The product in a matrix of its own, which the loops then read."""
        elem = total.type
        stem = total.name.split(".")[0]
        own = e.Var(fresh_name(f"{stem}_product", self.taken), Pointer(elem, False, True))
        size: e.Expr = e.Const(byte_size(elem) or 0, U64)
        for n in (nest.outer.hi, nest.middle.hi):
            size = e.Binary("*", size, e.Cast(n, U64), U64)
        columns = nest.middle.hi
        call = self._call(name, nest, pair, own, columns, facts)
        row = e.Binary("*", e.Cast(nest.outer.var, I64), e.Cast(columns, I64), I64)
        at = e.Index(own, e.Binary("+", row, e.Cast(nest.middle.var, I64), I64), elem)
        added = s.Assign(total, at, "+", comments=nest.inner.comments, loc=nest.inner.loc)
        middle = replace(nest.middle, body=(*nest.first, added, *nest.last))
        loops = replace(nest.outer, body=(*nest.before, middle), comments=())
        return (
            s.Decl(own, comments=nest.outer.comments, loc=nest.outer.loc),
            s.Instr("host.alloc", (own,), (size,), (("kind", "host"),)),
            call,
            loops,
            s.Instr("host.free", (), (own,), (("kind", "host"),)),
        )


# -- the shape ------------------------------------------------------------------------------------


def nest_of(outer: s.For) -> Nest:
    """Three loops that each step by one from zero; raises Other for anything else."""
    *before, middle = outer.body or (s.Scope(()),)
    if not isinstance(middle, s.For) or not all(_is_value(x) for x in before):
        raise Other("no second loop")
    loops = [k for k, x in enumerate(middle.body) if isinstance(x, s.For)]
    if len(loops) != 1:
        raise Other("no third loop")
    inner = middle.body[loops[0]]
    assert isinstance(inner, s.For)
    first, last = middle.body[: loops[0]], middle.body[loops[0] + 1 :]
    own = set(declared(outer.body)) | {outer.var.name}
    for loop in (outer, middle, inner):
        if not _is_plain(loop) or names_in(loop.hi) & own:
            raise Other("loops that do not count from zero, or to another end each time")
    if escapes(outer.body) or not all(_is_value(x) for x in first):
        raise Other("more than values before the sum")
    return Nest(outer, middle, inner, tuple(before), first, last)


def _is_plain(loop: s.For) -> bool:
    if not all(isinstance(x, e.Const) for x in (loop.lo, loop.step)) or not is_int(loop.var.type):
        return False
    few = isinstance(loop.hi, e.Const) and loop.hi.value < FEWEST
    reads = any(isinstance(n, (e.Index, e.Call)) for n in walk(loop.hi))
    return loop.lo.value == 0 and loop.step.value == 1 and not few and not reads  # type: ignore[attr-defined]


def _is_value(st: s.Stmt) -> bool:
    return isinstance(st, s.Decl) and st.init is not None and st.space == "local"


def _along(body: s.Body, facts: Facts) -> Facts:
    for st in body:
        facts = after(st, facts)
    return facts


def _summed(nest: Nest, facts: Facts) -> tuple[e.Var, tuple[e.Expr, e.Expr]]:
    """The variable that adds up, and the two elements that are multiplied."""
    *decls, st = nest.inner.body
    if not isinstance(st, s.Assign) or not all(_is_value(d) for d in decls):
        raise Other("no plain sum")
    v = st.target
    own = {d.var.name for d in nest.first if isinstance(d, s.Decl)}
    if not isinstance(v, e.Var) or v.name not in own or assigned(nest.inner.body) != {v.name}:
        raise Other("no sum of the iteration's own")
    product = _product_in(st, v)
    if product is None:
        raise Other("no product")
    values = {d.var: d.init for d in decls if isinstance(d, s.Decl) and d.init is not None}
    pair = tuple(values.get(x, x) if isinstance(x, e.Var) else x for x in product)
    if any(not isinstance(x, e.Index) or x.type != v.type for x in pair):
        raise Other("no two elements")
    return v, pair  # type: ignore[return-value]


def _product_in(st: s.Assign, v: e.Var) -> tuple[e.Expr, e.Expr] | None:
    if not st.op and isinstance(st.value, e.Call) and st.value.func == "fma":
        a, b, c = st.value.args
        return (a, b) if c == v and v not in {*walk(a), *walk(b)} else None
    found = accumulation(st)
    if found is None or found[0] != "sum" or v in set(walk(found[1])):
        return None
    x = found[1]
    return (x.a, x.b) if isinstance(x, e.Binary) and x.op == "*" else None


def _operand(x: e.Expr, nest: Nest, facts: Facts) -> Operand:
    assert isinstance(x, e.Index)
    base = target(e.AddressOf(x, Pointer(x.type, True)), facts)
    size = byte_size(x.type)
    if base is None or size is None or byte_size(base.elem) != size:
        raise Other("a pointer whose target is not known")
    if any(c % size for c in base.offset.terms.values()):
        raise Other("elements that do not lie side by side")
    p = Poly({m: c // size for m, c in base.offset.terms.items()})
    steps: list[Poly] = []
    for loop in (nest.outer, nest.middle, nest.inner):
        parts = p.split(loop.var.name)
        if parts is None or parts[0].atoms() & _loop_names(nest):
            raise Other("an element that is not reached in even steps")
        steps.append(parts[0])
        p = parts[1]
    if not steps[2].terms:
        raise Other("the same element each time")
    return Operand(base.root, p, steps[0], steps[1], steps[2])


def _loop_names(nest: Nest) -> set[str]:
    return {x.var.name for x in (nest.outer, nest.middle, nest.inner)}


def _ordered(nest: Nest, facts: Facts) -> Nest:
    """The outer two loops so that consecutive results are written by consecutive iterations."""
    places = [n.target for n in walk(nest.last) if isinstance(n, s.Assign)]
    found = [x for x in places if isinstance(x, e.Index)]
    if len(found) != 1:
        return nest
    p = facts.address(found[0].index)
    outer, middle = (p.split(x.var.name) for x in (nest.outer, nest.middle))
    if outer is None or middle is None:
        return nest
    if outer[0].constant == 1 and middle[0].constant != 1 and not nest.before:
        first = replace(nest.middle, kind=nest.outer.kind, comments=nest.outer.comments)
        second = replace(nest.outer, kind=nest.middle.kind, comments=nest.middle.comments)
        return replace(nest, outer=first, middle=second)
    return nest


# -- what is written ------------------------------------------------------------------------------


def _direct(nest: Nest, total: e.Var, facts: Facts, outside: Facts) -> tuple[e.Expr, e.Expr] | None:
    """(place, row) where the sums are stored as they are, rows of consecutive elements."""
    starts = [d for d in nest.first if isinstance(d, s.Decl) and d.var == total]
    zero = starts and isinstance(starts[0].init, e.Const) and starts[0].init.value == 0
    if not zero or len(nest.last) != 1 or not isinstance(nest.last[0], s.Assign):
        return None
    st = nest.last[0]
    if st.op or st.value != total or not isinstance(st.target, e.Index):
        return None
    try:
        place = _operand_of_result(st.target, nest, facts)
    except Other:
        return None
    if place.columns.constant != 1:
        return None
    return _pointer(place, outside, const=False), _written(place.rows, outside)


def _operand_of_result(x: e.Index, nest: Nest, facts: Facts) -> Operand:
    base = target(e.AddressOf(x, Pointer(x.type)), facts)
    size = byte_size(x.type)
    if base is None or size is None or byte_size(base.elem) != size:
        raise Other("a pointer whose target is not known")
    p = Poly({m: c // size for m, c in base.offset.terms.items()})
    rows, columns = p.split(nest.outer.var.name), None
    if rows is not None:
        columns = rows[1].split(nest.middle.var.name)
    if rows is None or columns is None or rows[0].atoms() & _loop_names(nest):
        raise Other("results that are not written in even steps")
    return Operand(base.root, columns[1], rows[0], columns[0], Poly({}))


def _pointer(x: Operand, facts: Facts, const: bool = True) -> e.Expr:
    if not x.rest.terms:
        return x.base
    elem = x.base.type.elem  # type: ignore[attr-defined]
    at = e.Index(x.base, _written(x.rest, facts), elem)
    return e.AddressOf(at, Pointer(elem, const))


def _written(p: Poly, facts: Facts) -> e.Expr:
    """`p` as an expression: an int where it is one variable or a number, else a 64-bit integer."""
    if p.constant is not None:
        return e.Const(p.constant, I32 if abs(p.constant) < 2**31 else I64)
    simple = len(p.terms) <= 1 and sum(len(m) for m in p.terms) <= 1
    kinds = {t for a in p.atoms() if (t := _type_of(a, facts)) is not None}
    found = None
    if simple and len(kinds) == 1:
        found = to_expr(facts, p, kinds.pop(), checked=False)
    found = found or to_expr(facts, p, I64, checked=False)
    if found is None:
        raise Other("a step that cannot be written down")
    return found


def _type_of(name: str, facts: Facts) -> Scalar | None:
    info = facts.atoms.get(name)
    t = info.expr.type if info is not None and info.expr is not None else None
    return t if isinstance(t, Scalar) else None
