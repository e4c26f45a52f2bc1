"""Whether a loop's iterations set each element of a local variable before they read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from xpiler.analysis.effects import assigned, declared, escapes, indices, loop_vars, root
from xpiler.analysis.parallelism import counter, within
from xpiler.analysis.pointers import byte_size
from xpiler.analysis.poly import Poly, constant
from xpiler.analysis.ranges import Facts
from xpiler.analysis.walker import after
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import children, rewrite_exprs, walk
from xpiler.ir.types import Array


@dataclass(frozen=True)
class Span:
    """From `lo` up to but without `hi`; with `gaps` (distance, count) so often, further and further
    on, that much apart. Nothing is said where one of `given` is not positive."""

    lo: Poly
    hi: Poly
    gaps: tuple[tuple[Poly, Poly], ...] = ()
    given: tuple[Poly, ...] = ()

    @property
    def polys(self) -> tuple[Poly, ...]:
        return (self.lo, self.hi, *(p for gap in self.gaps for p in gap), *self.given)

    def needing(self, p: Poly, facts: Facts) -> Span:
        """What is said where `p` is positive too."""
        if p in self.given or facts.nonneg(p - 1):
            return self
        return replace(self, given=(*self.given, p))

    def closed(self, facts: Facts) -> Span:
        """Without the gaps that are filled by now."""
        for k, (distance, count) in enumerate(self.gaps):
            if facts.nonneg(self.hi - self.lo - distance):
                rest = (*self.gaps[:k], *self.gaps[k + 1 :])
                hi = self.lo + distance * count
                return Span(self.lo, hi, rest, self.given).closed(facts)
        return self


Region = tuple[Span, ...]  # one span for each subscript; none for a scalar
MOST = 24  # regions that are remembered


def set_before_read(v: e.Var, loop: s.For, facts: Facts, unset: bool = False) -> bool:
    """Whether no read of `v` in `loop` (at `facts`) finds what another iteration wrote.

    It finds what its own did or, where nothing is in `v` at first (`unset`), nothing.
    """
    if not _named_only(v, loop.body):
        return False
    inner = within(loop, facts)
    places = _places(v, loop, inner) if unset else None
    try:
        _Reader(v, places).body(loop.body, inner, ())
    except _Unset:
        return False
    return True


@dataclass(frozen=True)
class _Places:
    """Where the iterations of a loop write: subscripts, with what is known there.

    `moving` are the names whose values differ from one iteration to the next.
    """

    sites: tuple[tuple[tuple[Poly, ...], Facts], ...]
    moving: frozenset[str]

    def covered(self, done: tuple[Region, ...]) -> bool:
        """Whether all that any iteration writes lies in `done`, the same in each iteration."""
        same = [r for r in done if all(self._fixed(p, f) for _, f in self.sites for p in _polys(r))]
        return bool(same) and all(any(_has(r, at, f) for r in same) for at, f in self.sites)

    def _fixed(self, p: Poly, facts: Facts) -> bool:
        names = {v for a in p.atoms() for v in facts.inside_of(a)}
        return facts.stable(p) and not names & self.moving


def _places(v: e.Var, loop: s.For, inner: Facts) -> _Places | None:
    """None where it cannot be told what a place is."""
    writer = _Writer(v)
    writer.body(loop.body, inner, ())
    if not all(f.stable(p) for at, f in writer.sites for p in at):
        return None
    own = {*declared(loop.body), *loop_vars(loop.body), *assigned(loop.body), loop.var.name}
    return _Places(tuple(writer.sites), frozenset(own | {counter(n) for n in own}))


def _polys(region: Region) -> list[Poly]:
    return [p for span in region for p in span.polys]


def _has(region: Region, at: Sequence[Poly], facts: Facts) -> bool:
    return all(_holds(span, p, facts) for p, span in zip(at, region, strict=True))


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
    if span.gaps or not all(facts.nonneg(g - 1) for g in span.given):
        return False
    return facts.nonneg(p - span.lo) and facts.nonneg(span.hi - 1 - p)


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
    places: _Places | None = None

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
        choice = next((n for i in indices(x) for n in walk(i) if isinstance(n, e.Select)), None)
        if choice is not None:  # `a[c ? i : j]` reads a[i] where c holds, else a[j]
            for truth, way in ((True, choice.a), (False, choice.b)):
                known = facts.with_cond(choice.cond, truth, momentary=True)
                self._read(_with(x, choice, way), known, done)
            return
        at = [facts.poly(i) for i in indices(x)]
        if any(_has(region, at, facts) for region in done):
            return
        if self.places is None or not self.places.covered(done):
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


class _Writer(_Reader):
    """Walks one iteration for where it writes."""

    def __init__(self, v: e.Var) -> None:
        super().__init__(v)
        self.sites: list[tuple[tuple[Poly, ...], Facts]] = []

    def _read(self, x: e.Expr, facts: Facts, done: tuple[Region, ...]) -> None:
        """Reads do not matter here."""

    def _assign(self, st: s.Assign, facts: Facts, done: tuple[Region, ...]) -> tuple[Region, ...]:
        if root(st.target) == self.v.name:
            self.sites.append((tuple(facts.poly(i) for i in indices(st.target)), facts))
        return super()._assign(st, facts, done)


def _with(x: e.Expr, old: e.Expr, new: e.Expr) -> e.Expr:
    out: e.Expr = rewrite_exprs(x, lambda n: new if n == old else n)
    return out


def _inside_of(region: Region, facts: Facts) -> set[str]:
    return {v for p in _polys(region) for a in p.atoms() for v in facts.inside_of(a)}


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
        return tuple(span.needing(hi - lo, facts) for span in region) or (
            region if facts.nonneg(hi - lo - 1) else None
        )
    if len(moving) > 1:
        return None
    span = _swept(region[moving[0]], loop, lo, hi, step, (facts, inner))
    if span is None:
        return None
    return tuple(span if k == moving[0] else x for k, x in enumerate(region))


def _varies(p: Poly, loop: s.For, facts: Facts) -> bool:
    names = {loop.var.name, counter(loop.var.name)}
    return any(a in names or facts.inside_of(a) & names for a in p.atoms())


def _swept(
    span: Span, loop: s.For, lo: Poly, hi: Poly, step: int, known: tuple[Facts, Facts]
) -> Span | None:  # fmt: skip
    """From the first iteration's start on, as far as it goes without gaps.

    `known` is what holds outside the loop, whether or not it runs, and what does within.
    """
    outside, facts = known
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
    if rest.terms:
        return None
    given = span.needing(size, outside).given
    start = r if name != loop.var.name else c * lo + r
    if facts.nonneg(width - size):
        return Span(start, start + each * (hi - lo), span.gaps, given).closed(outside)
    if step != 1:
        return None
    return Span(start, start + width, (*span.gaps, (size, hi - lo)), given)


def _added(new: Region, done: tuple[Region, ...], facts: Facts) -> tuple[Region, ...]:
    """`done` and `new`, also joined with what it continues."""
    out = [*done]
    if new not in out:
        out.append(new)
    if len(new) == 1:
        lo, hi, gaps, given = new[0].lo, new[0].hi, new[0].gaps, new[0].given
        whole = [r[0] for r in done if (r[0].gaps, r[0].given) == (gaps, given)]
        joined = [(Span(lo, r.hi, gaps, given).closed(facts),) for r in whole if r.lo == hi]
        joined += [(Span(r.lo, hi, gaps, given).closed(facts),) for r in whole if r.hi == lo]
        out += [r for r in joined if r not in out]
    return tuple(out)
