"""Flat loops over rows: cut where `i / D` changes, so that it is one value and `i % D` counts.

`for i in [lo, hi) S(i / D, i % D)` is
`for q in [lo/D, (hi+D-1)/D) for j in [max(lo, q*D), min(hi, (q+1)*D)) S(q, j - q*D)`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xpiler.analysis.effects import assigned, declared, names_in
from xpiler.analysis.poly import Poly, atom
from xpiler.analysis.ranges import Facts, is_int
from xpiler.analysis.walker import after, inside
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import fresh_name, rewrite_exprs, substitute, walk
from xpiler.ir.types import BOOL
from xpiler.passes.cleanup.base import sentence
from xpiler.passes.lowering.tasks.build import add, cast, is_const, least, most, mul, sub

SHORTEST = 16
"""Elements of a row that is worth a loop of its own, where that is known."""


@dataclass(frozen=True)
class Rows:
    """The loop over rows, to be given the inner loop as its body, and what is known inside."""

    front: s.Body
    outer: s.For
    head: s.Body
    inner: s.For
    facts: Facts

    def around(self, body: s.Body) -> s.Body:
        outer = self.outer
        whole = s.For(outer.var, outer.lo, outer.hi, outer.step, (*self.head, *body))
        return (*self.front, whole)


def in_rows(st: s.For, lo: e.Expr, hi: e.Expr, facts: Facts, taken: set[str]) -> Rows | None:
    """The part of `st` from `lo` to `hi`, row by row; None where nothing in it divides its index
    by what does not change."""
    if not is_const(st.step, 1) or not facts.nonneg(facts.poly(st.lo)):
        return None
    index = _Index(st, _meanings(st.body), inside(st, facts))
    found = sorted(index.divisions(), key=lambda item: _measure(item[0]))
    if not found:
        return None
    d, rest = found[0]
    size = facts.poly(d)
    if not facts.positive(size) and not facts.assume(f"{sentence(d)} is at least 1", size - 1):
        return None
    end = facts.poly(st.hi) + facts.poly(rest) + size
    what = f"{sentence(st.hi)} + {sentence(d)} does not overflow {st.var.type}"
    if not facts.fits(end, st.var.type) and not facts.ledger.assume(what):
        return None
    return _split(index, lo, hi, d, rest, facts, taken)


def _meanings(body: s.Body) -> dict[str, e.Expr]:
    """What local integers stand for that never change: arithmetic on other names."""
    changing, decls = assigned(body), declared(body)
    out: dict[str, e.Expr] = {}
    for name, d in decls.items():
        if name not in changing and is_int(d.var.type) and d.init is not None and _plain(d.init):
            out[name] = substitute(d.init, out)
    return out


@dataclass
class _Index:
    """A loop's index in its body, where `meanings` are written out."""

    loop: s.For
    meanings: dict[str, e.Expr]
    facts: Facts

    def whole(self, x: e.Expr) -> e.Expr:
        out: e.Expr = substitute(x, self.meanings)
        return out

    def divisions(self) -> Iterator[tuple[e.Expr, e.Expr]]:
        """Divisors D and sums r such that the body has `(i + r) / D`, none of which changes."""
        st = self.loop
        local = set(declared(st.body)) | set(assigned(st.body)) | {st.var.name}
        for n in walk(st.body):
            if not isinstance(n, e.Binary) or n.op not in ("/", "%") or not is_int(n.type):
                continue
            d = _narrow(self.whole(n.b))
            steady = not names_in(d) & local and _plain(d)
            if not steady or (isinstance(d, e.Const) and d.value < SHORTEST):
                continue
            rest = self.added(n.a)
            if rest is not None and not names_in(rest) & local and _plain(rest):
                yield cast(d, st.var.type), rest

    def added(self, x: e.Expr) -> e.Expr | None:
        """r where x is the index + r without wrapping around."""
        x, var = self.whole(x), self.loop.var
        inner = _narrow(x)
        if inner == var:
            rest: e.Expr = e.Const(0, var.type)
        elif isinstance(inner, e.Binary) and inner.op == "+" and var in (
            _narrow(inner.a), _narrow(inner.b)
        ):  # fmt: skip
            rest = cast(_narrow(inner.b if _narrow(inner.a) == var else inner.a), var.type)
        else:
            return None
        same: Poly = self.facts.poly(x) - atom(var.name)
        known = same == self.facts.poly(rest) and self.facts.nonneg(self.facts.poly(rest))
        return rest if known else None

    def in_row(self, x: e.Expr, d: e.Expr, rest: e.Expr, q: e.Var, size: e.Expr) -> e.Expr:
        """`(i + r) / D` is the row's number, `(i + r) % D` the place in it."""
        if not isinstance(x, e.Binary) or x.op not in ("/", "%") or not is_int(x.type):
            return x
        var = self.loop.var
        whole = cast(_narrow(self.whole(x.b)), var.type)
        times = _quotient(whole, d)
        if times is None or self.added(x.a) != rest:
            return x
        row: e.Expr = q if is_const(times, 1) else e.Binary("/", q, times, var.type)
        if x.op == "/":
            return cast(row, x.type)
        start = mul(q, size) if is_const(times, 1) else mul(mul(row, times), size)
        return cast(sub(add(var, rest), start), x.type)


def _measure(d: e.Expr) -> tuple[int, float]:
    """The shortest rows first: rows of rows are found by their numbers."""
    return sum(1 for _ in walk(d)), d.value if isinstance(d, e.Const) else 0


def _quotient(x: e.Expr, d: e.Expr) -> e.Expr | None:
    """x / d, where that is no fraction for certain."""
    if x == d:
        return e.Const(1, d.type)
    if isinstance(x, e.Const) and isinstance(d, e.Const):
        whole = int(x.value) % int(d.value) == 0
        return e.Const(int(x.value) // int(d.value), d.type) if whole else None
    if isinstance(x, e.Binary) and x.op == "*":
        for a, b in ((x.a, x.b), (x.b, x.a)):
            inner = _quotient(cast(_narrow(a), d.type), d)
            if inner is not None:
                return mul(cast(_narrow(b), d.type), inner)
    return None


def _narrow(x: e.Expr) -> e.Expr:
    while isinstance(x, e.Cast) and is_int(x.x.type) and x.x.type != BOOL:
        x = x.x
    return x


def _plain(x: e.Expr) -> bool:
    return all(isinstance(n, (e.Const, e.Var, e.Cast, e.Binary)) for n in walk(x))


def _split(
    index: _Index, lo: e.Expr, hi: e.Expr, d: e.Expr, rest: e.Expr, facts: Facts, taken: set[str]
) -> Rows:
    st = index.loop
    t = st.var.type
    front: s.Body = ()
    whole = d
    if not isinstance(d, (e.Var, e.Const)):
        d = e.Var(fresh_name("size", taken), t)
        front = (s.Decl(d, whole, const=True),)
        facts = after(front[0], facts)
    stem = st.var.name.split(".")[0]
    q, j = e.Var(fresh_name("row", taken), t), e.Var(fresh_name(stem, taken), t)
    first, last = (e.Var(fresh_name(n, taken), t) for n in ("begin", "end"))
    one = e.Const(1, t)
    lo, hi = cast(lo, t), cast(hi, t)
    rows = e.Binary("/", add(lo, rest), d, t)
    if is_const(lo, 0) and is_const(rest, 0):
        rows = e.Const(0, t)  # type: ignore[assignment]
    up = e.Binary("/", sub(add(add(hi, rest), d), one), d, t)
    begin = sub(mul(q, d), rest)
    head = (
        s.Decl(first, begin if is_const(lo, 0) and is_const(rest, 0) else most(lo, begin),
               const=True),
        s.Decl(last, least(hi, sub(mul(add(q, one), d), rest)), const=True),
    )  # fmt: skip
    outer = s.For(q, rows, up, one, ())
    here = inside(outer, facts)
    for x in head:
        here = after(x, here)
    body = rewrite_exprs(st.body, lambda x: index.in_row(x, whole, rest, q, d))
    inner = s.For(j, first, last, one, substitute(body, {st.var.name: j}))
    return Rows(front, outer, head, inner, here)


__all__ = ["Rows", "in_rows"]
