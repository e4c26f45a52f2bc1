"""A loop over the numbers of a table's elements becomes the nest over its rows and columns.

`for i in [0, R*C) { r = i / C; c = i % C; S(r, c) }` is `for r < R { for c < C S(r, c) }`, in the
same order. The nest has no divisions, its columns are neighbours in memory, and what only a row
decides is decided once a row. The last row may be a shorter one: `c < min(C, n - r * C)`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from xpiler.analysis.affine import to_expr
from xpiler.analysis.effects import assigned, declared, escapes, loop_vars, names_in
from xpiler.analysis.poly import Poly
from xpiler.analysis.ranges import Facts, is_int, type_range
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import fresh_name, rewrite_exprs, substitute, walk
from xpiler.ir.types import I32, Array, Type
from xpiler.passes.cleanup.base import Context, Walker, each_function, sentence, value_sentence
from xpiler.passes.cleanup.nests import from_zero, movable, plain

LEAST = 8
"""Rows of fewer columns stay flat: nobody gains from a loop that short."""


@dataclass(frozen=True)
class Numbered:
    """Rows and columns instead of the numbers that they are computed from."""

    name: str = "numbered"

    def apply(self, program: Program, ctx: Context) -> Program:
        def one(f: Function) -> Function:
            taken = {p.name for p in f.params} | names_in(f.body)
            return _Numbered(taken).run(f, ctx.facts(f))

        return each_function(program, one)


@dataclass(frozen=True)
class _Part:
    """`number / cols` ("/") or `number % cols` ("%")."""

    op: str
    cols: e.Expr


@dataclass
class _Numbered(Walker):
    taken: set[str]

    def stmt(self, st: s.Stmt, facts: Facts) -> s.Body:
        if isinstance(st, s.For) and from_zero(st) and not escapes(st.body):
            whole = _with_remainders(st)
            for cols in _divisors(whole):
                rows = _rows(whole, cols, facts)
                if rows is not None:
                    st = self._nest(whole, rows, cols)
                    break
            else:
                st = self._with_last_row(whole, facts) or st
        return (self.descend(st, facts),)

    def _with_last_row(self, st: s.For, facts: Facts) -> s.For | None:
        """The nest over rows of which the last one need not be whole."""
        if not isinstance(st.hi, e.Var) or st.var.type != I32 or isinstance(st.body[-1], s.If):
            return None
        for cols in _divisors(st, both=False):
            width, t = facts.poly(cols), st.var.type
            if cols == st.hi or not facts.assume(f"{sentence(cols)} is at least 1", width - 1):
                continue
            last = e.Binary("-", st.hi, e.Const(1, t), t)
            one = e.Binary("/", last, _cast(cols, t), t)
            rows = e.Binary("+", one, e.Const(1, t), t)
            nest = self._nest(st, rows, cols)
            *head, columns = nest.body
            assert isinstance(columns, s.For)
            done = e.Binary("*", nest.var, columns.hi, t)
            left = e.Binary("-", st.hi, done, t)
            short = replace(columns, hi=e.Call("min", (columns.hi, left), t))
            return replace(nest, body=(*head, short))
        return None

    def _nest(self, st: s.For, rows: e.Expr, cols: e.Expr) -> s.For:
        number, t = st.var, st.var.type
        r, c = self._variable(st, _Part("/", cols)), self._variable(st, _Part("%", cols))

        def one(x: e.Expr) -> e.Expr:
            part = _part(x, number)
            if part is None or part.cols != cols:
                return x
            v = r if part.op == "/" else c
            return v if x.type == v.type else e.Cast(v, x.type)

        body = tuple(x for x in st.body if not (isinstance(x, s.Decl) and x.var in (r, c)))
        at = e.Binary("+", e.Binary("*", r, _cast(cols, t), t), c, t)
        body = substitute(rewrite_exprs(body, one), {number.name: at})
        head, body = _decided(body, {c.name})
        columns = replace(st, var=c, hi=_cast(cols, t), body=body, comments=())
        return replace(st, var=r, hi=_cast(rows, t), body=(*head, columns), unroll=0)

    def _variable(self, st: s.For, part: _Part) -> e.Var:
        """The user's own variable for the row or the column, else a new one."""
        changed = assigned(st.body)
        for x in st.body:
            own = isinstance(x, s.Decl) and x.init is not None and _part(x.init, st.var) == part
            if own and x.var.type == st.var.type and x.var.name not in changed:  # type: ignore[attr-defined]
                return x.var  # type: ignore[attr-defined,no-any-return]
        name = fresh_name("row" if part.op == "/" else "col", self.taken)
        self.taken.add(name)
        return e.Var(name, st.var.type)


def _cast(x: e.Expr, t: Type) -> e.Expr:
    if isinstance(x, e.Const):
        return replace(x, type=t)
    return x if x.type == t else e.Cast(x, t)


def _decided(body: s.Body, inner: set[str]) -> tuple[s.Body, s.Body]:
    """Declarations that no column changes, and the rest."""
    head: list[s.Stmt] = []
    rest: list[s.Stmt] = []
    for st in body:
        if isinstance(st, s.Decl):
            fixed = st.init is not None and plain(st.init) and movable(st, body)
            if fixed and st.init is not None and not names_in(st.init) & inner:
                head.append(st)
                continue
            inner = inner | {st.var.name}
        rest.append(st)
    return tuple(head), tuple(rest)


def _divisors(st: s.For, both: bool = True) -> list[e.Expr]:
    """What the loop's variable is taken apart by, the smallest constant first.

    `both`: only what gives rows and columns, not one of the two alone.
    """
    parts: dict[e.Expr, set[str]] = {}
    changed = assigned(st.body) | declared(st.body).keys() | loop_vars(st.body)
    for n in walk(st.body):
        if isinstance(n, e.Index) and isinstance(n.base.type, Array) and _bare(n.index) == st.var:
            return []  # what its neighbours walk by numbers, it does
        part = _part(n, st.var) if isinstance(n, e.Binary) else None
        if part is not None and not names_in(part.cols) & changed:
            parts.setdefault(part.cols, set()).add(part.op)
    found = [cols for cols, ops in parts.items() if len(ops) == 2 or not both]
    return sorted(found, key=lambda x: x.value if isinstance(x, e.Const) else 1 << 40)


def _rows(st: s.For, cols: e.Expr, facts: Facts) -> e.Expr | None:
    """How many rows the loop walks, if all are whole."""
    width = facts.poly(cols)
    whole, rest = facts.poly(st.hi).divided_by(width)
    if rest.terms or whole.constant in (0, 1):
        return None
    rows = to_expr(facts, whole, st.var.type) or _product(whole, st.var.type, facts)
    if rows is None or facts.nonneg(width) or facts.nonneg(whole):
        return rows
    known = facts.assume(f"{value_sentence(facts, width)} is not negative", width)
    return rows if known else None


def _product(rows: Poly, t: Type, facts: Facts) -> e.Expr | None:
    """The rows as a product of sizes, which only overflows where there are no columns."""
    x = to_expr(facts, rows, t, checked=False) if len(rows.terms) == 1 else None
    limits = type_range(t)
    if x is None or limits is None:
        return None
    known = facts.assume(f"{sentence(x)} does not overflow {t}", -rows + limits[1])
    return x if known else None


def _part(x: e.Expr, number: e.Var) -> _Part | None:
    """What `x` takes of the number, which is never negative."""
    if not isinstance(x, e.Binary) or _bare(x.a) != number:
        return None
    if isinstance(x.b, e.Var):
        return _Part(x.op, x.b) if x.op in ("/", "%") else None
    n = int(x.b.value) if isinstance(x.b, e.Const) else 0
    bits = {">>": 1 << (n & 31), "&": n + 1}.get(x.op, n)
    op = {">>": "/", "&": "%"}.get(x.op, x.op)
    if op not in ("/", "%") or bits < LEAST or (x.op == "&" and n & bits):
        return None
    return _Part(op, e.Const(bits, I32))


def _with_remainders(st: s.For) -> s.For:
    """`st` with `i % C` for `i - i / C * C`, also where the quotient has a name."""
    changed = assigned(st.body)
    rows = {
        x.var: x.init for x in st.body
        if isinstance(x, s.Decl) and x.var.name not in changed and _divides(x.init, st.var)
    }  # fmt: skip

    def one(x: e.Expr) -> e.Expr:
        if not isinstance(x, e.Binary) or x.op != "-" or x.a != st.var or x.type != st.var.type:
            return x
        whole = x.b
        if not isinstance(whole, e.Binary) or whole.op != "*":
            return x
        for row, cols in ((whole.a, whole.b), (whole.b, whole.a)):
            row = rows.get(row, row) or row  # type: ignore[call-overload]
            if isinstance(row, e.Binary) and _divides(row, st.var) and row.b == cols:
                return e.Binary("%", st.var, cols, x.type)
        return x

    body = rewrite_exprs(st.body, one)
    return st if body == st.body else replace(st, body=body)


def _divides(x: e.Expr | None, number: e.Var) -> bool:
    return isinstance(x, e.Binary) and x.op == "/" and x.a == number and x.type == number.type


def _bare(x: e.Expr) -> e.Expr:
    """`x` without conversions that keep what is not negative."""
    while isinstance(x, e.Cast) and is_int(x.type) and is_int(x.x.type):
        if x.type.bits < x.x.type.bits:  # type: ignore[attr-defined]
            break
        x = x.x
    return x
