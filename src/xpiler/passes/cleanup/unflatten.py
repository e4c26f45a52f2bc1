"""A loop over all elements of an array becomes rows and columns, as its neighbours walk it.

`for i in [0, A*B) S(a[i])` beside a nest over `a[r*B + c]` is
`for r < A { for c < B S(a[r*B + c]) }`, in the same order; then what
passed through the array between the two can become a scalar.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from xpiler.analysis.dependence import independent
from xpiler.analysis.effects import escapes, names_in
from xpiler.analysis.poly import Poly, atom
from xpiler.analysis.ranges import Facts, is_int
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import fresh_name, substitute, walk
from xpiler.ir.types import Array
from xpiler.passes.cleanup.base import Context, Walker, after, each_function, inside
from xpiler.passes.cleanup.nests import from_zero


@dataclass(frozen=True)
class Unflatten:
    """Flat loops over local arrays that loops beside them walk row by row."""

    name: str = "unflatten"

    def apply(self, program: Program, ctx: Context) -> Program:
        def one(f: Function) -> Function:
            vectors = {v for name, v in ctx.elements if name == f.name}
            if not vectors:
                return f
            taken = {p.name for p in f.params} | names_in(f.body)
            pass_ = _Unflatten(vectors, taken)
            new = pass_.run(f, ctx.facts(f))
            ctx.elements |= {(f.name, v) for v in pass_.made}
            return new

        return each_function(program, one)


@dataclass(frozen=True)
class _Rows:
    """How a nest walks an array: `rows` of `cols` elements, and their numbers as polynomials."""

    rows: e.Expr
    cols: e.Expr
    count: Poly


class _Unflatten(Walker):
    """`vectors` are loops of vector instructions: only those are split."""

    def __init__(self, vectors: set[str], taken: set[str]) -> None:
        self.vectors = vectors
        self.taken = taken
        self.made: set[str] = set()

    def body(self, body: s.Body, facts: Facts) -> s.Body:
        body = super().body(body, facts)
        if not any(self._flat(st) for st in body):
            return body
        shapes: dict[str, list[_Rows]] = {}
        nests: set[int] = set()
        here = facts
        for st in body:
            if isinstance(st, s.For) and from_zero(st) and not self._flat(st) and _free(st, here):
                for name, rows in _walked(st, here):
                    shapes.setdefault(name, []).append(rows)
                    nests.add(id(st))
            here = after(st, here)
        if not shapes:
            return body
        out: list[s.Stmt] = []
        here = facts
        for st in body:
            out.append(self._split(st, shapes, here) if isinstance(st, s.For) else st)
            here = after(st, here)
        if all(a is b for a, b in zip(out, body, strict=True)):
            return body
        return tuple(_parallel(st, nests) for st in out)

    def _flat(self, st: s.Stmt) -> bool:
        return (
            isinstance(st, s.For)
            and st.var.name in self.vectors
            and from_zero(st)
            and not any(isinstance(n, s.For) for n in walk(st.body))
            and not escapes(st.body, in_loop=True)
        )

    def _split(self, st: s.For, shapes: dict[str, list[_Rows]], facts: Facts) -> s.For:
        if not self._flat(st):
            return st
        arrays = {n.base.name for n in _subscripts(st.body) if _is(n.index, st.var)}  # type: ignore[attr-defined]
        total = facts.poly(st.hi)
        for name in sorted(arrays & shapes.keys()):
            for shape in shapes[name]:
                if shape.count == total and not names_in((shape.rows, shape.cols)) & _written(st):
                    return self._nest(st, shape)
        return st

    def _nest(self, st: s.For, shape: _Rows) -> s.For:
        t = st.var.type
        r, c = (e.Var(fresh_name(k, self.taken), t) for k in ("row", "col"))
        self.taken |= {r.name, c.name}
        self.made |= {r.name, c.name}
        rows, cols = (x if x.type == t else e.Cast(x, t) for x in (shape.rows, shape.cols))
        at = e.Binary("+", e.Binary("*", r, cols, t), c, t)
        inner = replace(st, var=c, hi=cols, body=substitute(st.body, {st.var.name: at}))
        return replace(st, var=r, hi=rows, body=(replace(inner, comments=()),))


def _free(st: s.For, facts: Facts) -> bool:
    """Whether rows, and columns in a row, may be taken in any order."""
    within = inside(st, facts)
    for inner in st.body:
        if isinstance(inner, s.For) and not independent(inner, within):
            return False
        within = after(inner, within)
    return independent(st, facts)


def _parallel(st: s.Stmt, nests: set[int]) -> s.Stmt:
    """A nest that is free of order, marked as such, so that the loops beside it can meet it."""
    if not isinstance(st, s.For) or id(st) not in nests:
        return st
    body = tuple(
        replace(inner, kind="parallel") if isinstance(inner, s.For) else inner for inner in st.body
    )
    return replace(st, kind="parallel", body=body)


def _walked(outer: s.For, facts: Facts) -> Iterator[tuple[str, _Rows]]:
    """Local arrays that a nest of two loops walks row by row."""
    within = inside(outer, facts)
    changed = _written(outer)
    for st in outer.body:
        if isinstance(st, s.For) and from_zero(st) and not names_in((st.hi,)) & changed:
            rows, cols = within.poly(outer.hi), within.poly(st.hi)
            if outer.var.name in names_in((st.hi,)) or not (
                within.nonneg(rows) or within.nonneg(cols)
            ):
                continue
            columns = inside(st, within)
            place = atom(outer.var.name) * cols + atom(st.var.name)
            for n in _subscripts(st.body):
                if columns.poly(n.index) == place:
                    assert isinstance(n.base, e.Var)
                    yield n.base.name, _Rows(outer.hi, st.hi, rows * cols)
        within = after(st, within)


def _subscripts(body: s.Body) -> Iterator[e.Index]:
    """Elements of arrays with one dimension."""
    for n in walk(body):
        if isinstance(n, e.Index) and isinstance(n.base, e.Var) and isinstance(n.base.type, Array):
            yield n


def _is(x: e.Expr, var: e.Var) -> bool:
    return isinstance(x, e.Var) and x.name == var.name and is_int(x.type)


def _written(st: s.For) -> set[str]:
    """Scalars that a loop declares or assigns."""
    out = {st.var.name}
    for n in walk(st.body):
        if isinstance(n, s.Decl):
            out.add(n.var.name)
        elif isinstance(n, s.Assign) and isinstance(n.target, e.Var):
            out.add(n.target.name)
        elif isinstance(n, s.For):
            out.add(n.var.name)
        elif isinstance(n, s.Instr):
            out |= {o.name for o in n.outs if isinstance(o, e.Var)}
    return out
