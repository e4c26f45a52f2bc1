"""Whether a loop's iterations set each element of a local variable before they read it."""

from __future__ import annotations

from dataclasses import dataclass

from xpiler.analysis.effects import declared, escapes, indices, loop_vars, root
from xpiler.analysis.parallelism import counter, within
from xpiler.analysis.pointers import byte_size
from xpiler.analysis.poly import Poly, constant
from xpiler.analysis.ranges import Facts
from xpiler.analysis.walker import after
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import children, walk
from xpiler.ir.types import Array


@dataclass(frozen=True)
class Span:
    """From `lo` up to but without `hi`; with `gaps` (distance, count) so often, further and further
    on, that much apart."""

    lo: Poly
    hi: Poly
    gaps: tuple[tuple[Poly, Poly], ...] = ()

    @property
    def polys(self) -> tuple[Poly, ...]:
        return (self.lo, self.hi, *(p for gap in self.gaps for p in gap))

    def closed(self, facts: Facts) -> Span:
        """Without the gaps that are filled by now."""
        for k, (distance, count) in enumerate(self.gaps):
            if facts.nonneg(self.hi - self.lo - distance):
                rest = (*self.gaps[:k], *self.gaps[k + 1 :])
                return Span(self.lo, self.lo + distance * count, rest).closed(facts)
        return self


Region = tuple[Span, ...]  # one span for each subscript; none for a scalar
MOST = 24  # regions that are remembered


def set_before_read(v: e.Var, loop: s.For, facts: Facts) -> bool:
    """Whether every read of `v` in `loop` (at `facts`) finds what its own iteration wrote."""
    if not _named_only(v, loop.body):
        return False
    try:
        _Reader(v).body(loop.body, within(loop, facts), ())
    except _Unset:
        return False
    return True


class _Unset(Exception):
    """A read that may find nothing of its own iteration."""


def _named_only(v: e.Var, body: s.Body) -> bool:
    """Whether `v` is only ever used by element, and never by its address."""
    total = sum(1 for n in walk(body) if isinstance(n, e.Var) and n.name == v.name)
    if not isinstance(v.type, Array):
        lent = any(isinstance(n, e.AddressOf) and root(n.x) == v.name for n in walk(body))
        return not lent and not any(isinstance(n, s.Instr) and _mentions(n, v) for n in walk(body))
    whole = [n for n in walk(body) if isinstance(n, e.Index) and _is_element(n, v)]
    lent = any(
        isinstance(n, (e.AddressOf, s.Instr)) and _mentions(n, v) and not _only_inside(n, v)
        for n in walk(body)
    )
    return len(whole) == total and not lent


def _only_inside(n: object, v: e.Var) -> bool:
    """Whether an address is of something else, with `v` only in its subscripts."""
    return isinstance(n, e.AddressOf) and root(n.x) != v.name


def _mentions(n: object, v: e.Var) -> bool:
    return any(isinstance(x, e.Var) and x.name == v.name for x in walk(n))  # type: ignore[arg-type]


def _holds(span: Span, p: Poly, facts: Facts) -> bool:
    return not span.gaps and facts.nonneg(p - span.lo) and facts.nonneg(span.hi - 1 - p)


def _is_element(x: e.Expr, v: e.Var) -> bool:
    """Whether `x` is a scalar of the array `v`, all subscripts given.

    Also one that is taken for a scalar of another type, but of the same size.
    """
    if isinstance(x.type, Array):
        return False
    if isinstance(x, e.Index) and isinstance(x.base, e.Cast) and x.base.x == v:
        flat = isinstance(v.type, Array) and byte_size(v.type.elem) == byte_size(x.type)
        return flat and byte_size(x.type) is not None
    while isinstance(x, e.Index):
        x = x.base
        if not isinstance(x.type, Array):
            return False
    return isinstance(x, e.Var) and x.name == v.name


@dataclass
class _Reader:
    """Walks one iteration in order; `done` are the regions that are set by then."""

    v: e.Var

    def body(self, body: s.Body, facts: Facts, done: tuple[Region, ...]) -> tuple[Region, ...]:
        for st in body:
            done = self.stmt(st, facts, done)[-MOST:]
            facts = after(st, facts)
        return done

    def stmt(self, st: s.Stmt, facts: Facts, done: tuple[Region, ...]) -> tuple[Region, ...]:
        if isinstance(st, s.Assign):
            return self._assign(st, facts, done)
        if isinstance(st, s.For):
            return self._for(st, facts, done)
        if isinstance(st, s.If):
            self.expr(st.cond, facts, done)
            a = self.body(st.then, facts.with_cond(st.cond, True), done)
            b = self.body(st.orelse, facts.with_cond(st.cond, False), done)
            return tuple(r for r in a if r in b)
        if isinstance(st, s.Scope):
            return self.body(st.body, facts, done)
        self._other(st, facts, done)
        return done

    def _other(self, st: s.Stmt | s.Case, facts: Facts, done: tuple[Region, ...]) -> None:
        """A statement that may run any number of times, or not at all."""
        if isinstance(st, s.While):
            self.expr(st.cond, facts, done)
            inner = self.body(st.body, facts, done)
            self.body(st.step, facts, done if escapes(st.body) else inner)
            return
        for child in children(st):
            if isinstance(child, e.Expr):
                self.expr(child, facts, done)
            elif isinstance(child, s.Case):
                self.body(child.body, facts, done)
            elif isinstance(child, s.Stmt):
                self.stmt(child, facts, done)

    def expr(self, x: e.Expr, facts: Facts, done: tuple[Region, ...]) -> None:
        if isinstance(x, e.Select):
            self.expr(x.cond, facts, done)
            self.expr(x.a, facts.with_cond(x.cond, True, momentary=True), done)
            self.expr(x.b, facts.with_cond(x.cond, False, momentary=True), done)
            return
        if root(x) == self.v.name and isinstance(x, (e.Var, e.Index)):
            self._read(x, facts, done)
        for child in children(x):
            if isinstance(child, e.Expr) and root(child) != self.v.name:
                self.expr(child, facts, done)
            elif isinstance(child, e.Expr) and isinstance(x, e.Index) and child is x.base:
                for i in indices(child):
                    self.expr(i, facts, done)
            elif isinstance(child, e.Expr):
                self.expr(child, facts, done)

    def _read(self, x: e.Expr, facts: Facts, done: tuple[Region, ...]) -> None:
        at = [facts.poly(i) for i in indices(x)]
        for region in done:
            if all(_holds(span, p, facts) for p, span in zip(at, region, strict=True)):
                return
        raise _Unset

    def _assign(self, st: s.Assign, facts: Facts, done: tuple[Region, ...]) -> tuple[Region, ...]:
        self.expr(st.value, facts, done)
        if root(st.target) != self.v.name:  # the way to the place is read, whatever it holds
            for x in children(st.target):
                if isinstance(x, e.Expr):
                    self.expr(x, facts, done)
            return done
        for i in indices(st.target):
            self.expr(i, facts, done)
        if st.op:
            self._read(st.target, facts, done)
        at = [facts.poly(i) for i in indices(st.target)]
        if isinstance(st.target, e.Field) or not all(map(facts.stable, at)):
            return done
        return _added(tuple(Span(p, p + 1) for p in at), done, facts)

    def _for(self, st: s.For, facts: Facts, done: tuple[Region, ...]) -> tuple[Region, ...]:
        for x in (st.lo, st.hi, st.step):
            self.expr(x, facts, done)
        inner = within(st, facts)
        found = self.body(st.body, inner, done)
        if escapes(st.body):
            return done
        own = frozenset(declared(st.body)) | loop_vars(st.body)
        for region in found:
            whole = region if region in done else _over(region, st, facts, inner)
            if whole is not None and not _inside_of(whole, inner) & own:
                done = _added(whole, done, facts)
        return done


def _inside_of(region: Region, facts: Facts) -> set[str]:
    polys = [p for span in region for p in span.polys]
    return {v for p in polys for a in p.atoms() for v in facts.inside_of(a)}


def _over(region: Region, loop: s.For, facts: Facts, inner: Facts) -> Region | None:
    """The union of `region` over the iterations of `loop`; None where that is not one region."""
    lo, hi = facts.poly(loop.lo), facts.poly(loop.hi)
    step = facts.poly(loop.step).constant
    if step is None or step < 1 or not (facts.stable(lo) and facts.stable(hi)):
        return None
    moving = [
        k for k, span in enumerate(region) if any(_varies(p, loop, inner) for p in span.polys)
    ]
    if not moving:
        return region if facts.nonneg(hi - lo - 1) else None
    if len(moving) > 1:
        return None
    span = _swept(region[moving[0]], loop, lo, hi, step, inner)
    if span is None:
        return None
    return tuple(span if k == moving[0] else x for k, x in enumerate(region))


def _varies(p: Poly, loop: s.For, facts: Facts) -> bool:
    names = {loop.var.name, counter(loop.var.name)}
    return any(a in names or facts.inside_of(a) & names for a in p.atoms())


def _swept(
    span: Span, loop: s.For, lo: Poly, hi: Poly, step: int, facts: Facts
) -> Span | None:  # fmt: skip
    """From the first iteration's start on, as far as it goes without gaps."""
    a, b = span.lo, span.hi
    name = counter(loop.var.name) if loop.var.name in facts.defs else loop.var.name
    first, last = a.split(name), b.split(name)
    if first is None or last is None or first[0] != last[0]:
        return None
    (c, r), width = first, b - a
    if any(_varies(p, loop, facts) for p in (c, r, width, *span.polys[2:])):
        return None
    size = c if name != loop.var.name else c * step  # as far as one iteration is from the next
    each, rest = size.divided_by(constant(step))
    if rest.terms or not facts.nonneg(size - 1):
        return None
    start = r if name != loop.var.name else c * lo + r
    if facts.nonneg(width - size):
        return Span(start, start + each * (hi - lo), span.gaps).closed(facts)
    if step != 1:
        return None
    return Span(start, start + width, (*span.gaps, (size, hi - lo)))


def _added(new: Region, done: tuple[Region, ...], facts: Facts) -> tuple[Region, ...]:
    """`done` and `new`, also joined with what it continues."""
    out = [*done]
    if new not in out:
        out.append(new)
    if len(new) == 1:
        lo, hi, gaps = new[0].lo, new[0].hi, new[0].gaps
        whole = [r[0] for r in done if r[0].gaps == gaps]
        joined = [(Span(lo, r.hi, gaps).closed(facts),) for r in whole if r.lo == hi]
        joined += [(Span(r.lo, hi, gaps).closed(facts),) for r in whole if r.hi == lo]
        out += [r for r in joined if r not in out]
    return tuple(out)
