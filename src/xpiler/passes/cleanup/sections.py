"""Memory of a launch's size becomes an array for each of its parts.

Dynamic shared memory is one allocation that pointers divide up: of `p = malloc((n + 64) * 4); row =
p; red = p + n` the parts are `row`, of n elements, and `red`, of 64. Where it is shown that no part
is left by its subscripts, each is memory of its own; one of constant size is an array.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import pairwise

from xpiler.analysis.affine import to_expr
from xpiler.analysis.effects import assigned, names_in
from xpiler.analysis.poly import Poly
from xpiler.analysis.ranges import Facts
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import rewrite_exprs, walk
from xpiler.ir.types import I64, U64, Array, Pointer, Scalar
from xpiler.passes.cleanup.base import Context, Walker, each_function, facts_at, value_sentence

LARGEST = 4096
"""Elements of the largest array that is made of a part."""


@dataclass(frozen=True)
class Sections:
    """Parts of one allocation as memories of their own."""

    name: str = "sections"

    def apply(self, program: Program, ctx: Context) -> Program:
        def one(f: Function) -> Function:
            return _Divider().run(f, ctx.facts(f))

        return each_function(program, one)


class _Divider(Walker):
    def body(self, body: s.Body, facts: Facts) -> s.Body:
        for st in body:
            if isinstance(st, s.Instr) and st.name == "host.alloc":
                new = _divided(st, body, facts)
                if new is not None:
                    return self.body(new, facts)
        return super().body(body, facts)


@dataclass
class _Part:
    """Elements from `start` on; `names` are the pointers there, the first one its name."""

    start: Poly
    names: list[str] = field(default_factory=list)
    length: Poly | None = None


def _divided(alloc: s.Instr, body: s.Body, facts: Facts) -> s.Body | None:
    """`body` with the memory that `alloc` gets divided up; None where nothing is to be gained."""
    var = alloc.outs[0]
    if not isinstance(var, e.Var):
        return None
    body = tuple(_summed(st) for st in body)
    views = _views(var, body)
    if views is None or set(views) & assigned(body) - {var.name}:
        return None
    at = facts_at(alloc, body, facts)
    count, parts = _count(alloc, at), _parts(views, at, body)
    if count is None or parts is None:
        return None
    ends = [*(p.start for p in parts[1:]), count]
    for part, end in zip(parts, ends, strict=True):
        part.length = end - part.start
    single = len(parts) == 1
    if single and _array_length(parts[0]) is None:
        return None
    if not single and not _kept_apart(parts, body, facts, at):
        return None
    return _rewritten(alloc, var, parts, body, at, set(views))


def _count(alloc: s.Instr, facts: Facts) -> Poly | None:
    """The elements that are asked for."""
    t = alloc.outs[0].type
    if not isinstance(t, Pointer) or not isinstance(t.elem, Scalar) or not t.elem.bits:
        return None
    size, asked = t.elem.bits // 8, facts.raw(alloc.ins[0])
    if any(c % size for c in asked.terms.values()):
        return None
    return Poly({mono: c // size for mono, c in asked.terms.items()})


def _views(var: e.Var, body: s.Body) -> dict[str, e.Expr] | None:
    """Where the pointers into the memory start; None where it is used in any other way."""
    views: dict[str, e.Expr] = {var.name: e.Const(0, I64)}
    uses: Counter[str] = Counter()
    for st in body:
        if isinstance(st, s.Instr) and st.name in ("host.alloc", "host.free") and var in (
            *st.outs, *st.ins,
        ):  # fmt: skip
            uses[var.name] += 1
        if not isinstance(st, s.Decl):
            continue
        if st.var == var and st.init is None:
            uses[var.name] += 1
        elif (found := _view(st, views)) is not None and st.var.type == var.type:
            base, views[st.var.name] = found
            uses[base] += 1
            uses[st.var.name] += 1
    named = Counter(n.name for n in walk(body) if isinstance(n, e.Var) and n.name in views)
    for n in walk(body):
        if isinstance(n, e.Index) and isinstance(n.base, e.Var) and n.base.name in views:
            uses[n.base.name] += 1
    return views if named == uses else None


def _view(d: s.Decl, views: dict[str, e.Expr]) -> tuple[str, e.Expr] | None:
    """(pointer that `d` is based on, where it starts)."""
    x = d.init
    if isinstance(x, e.Var) and x.name in views:
        return x.name, views[x.name]
    if isinstance(x, e.Binary) and x.op == "+" and isinstance(x.a, e.Var) and x.a.name in views:
        start = views[x.a.name]
        return x.a.name, e.Binary("+", start, e.Cast(x.b, I64), I64)
    return None


def _summed(st: s.Stmt) -> s.Stmt:
    """`p = &q[k]` as `p = q + k`."""
    x = st.init if isinstance(st, s.Decl) else None
    place = x.x if isinstance(x, e.AddressOf) else None
    if not isinstance(place, e.Index) or not isinstance(place.base, e.Var):
        return st
    if not isinstance(place.base.type, Pointer):
        return st
    total = e.Binary("+", place.base, place.index, place.base.type)
    return replace(st, init=total)  # type: ignore[call-arg]


def _parts(views: dict[str, e.Expr], facts: Facts, body: s.Body) -> list[_Part] | None:
    """The parts in order; None where that is not known."""
    indexed = {
        n.base.name
        for n in walk(body)
        if isinstance(n, e.Index) and isinstance(n.base, e.Var) and n.base.name in views
    }
    changed = assigned(body)
    parts: list[_Part] = []
    for name, start in views.items():
        if name not in indexed:
            continue
        p = facts.poly(start)
        if names_in(start) & changed or not facts.stable(p):
            return None
        same = next((q for q in parts if q.start == p), None)
        if same is None:
            parts.append(same := _Part(p))
        same.names.append(name)
    if all(p.start.constant is not None for p in parts):
        return sorted(parts, key=lambda q: q.start.constant or 0) or None
    return parts if _rising(parts, facts) else None


def _rising(parts: list[_Part], facts: Facts) -> bool:
    """Whether each part starts where the one before it does, or behind."""
    return all(_at_least_0(b.start - a.start, facts) for a, b in pairwise(parts))


def _at_least_0(p: Poly, facts: Facts) -> bool:
    return facts.nonneg(p) or facts.assume(f"{value_sentence(facts, p)} is at least 0", p)


def _kept_apart(parts: list[_Part], body: s.Body, facts: Facts, at: Facts) -> bool:
    """Whether every subscript stays in its part (behind the last there is nothing)."""
    ends = {n: p.length for p in parts[:-1] for n in p.names}
    ends |= dict.fromkeys(parts[-1].names)
    looker = _Looker(ends)
    looker.body(body, facts)
    return looker.inside


@dataclass
class _Looker(Walker):
    ends: dict[str, Poly | None]
    inside: bool = True

    def expr(self, x: e.Expr, facts: Facts) -> e.Expr:
        for n in walk(x):
            if isinstance(n, e.Index):
                self._look(n, facts)
        return x

    def place(self, x: e.Expr, facts: Facts) -> e.Expr:
        return self.expr(x, facts)

    def _look(self, x: e.Index, facts: Facts) -> None:
        if not isinstance(x.base, e.Var) or x.base.name not in self.ends:
            return
        end, k = self.ends[x.base.name], facts.poly(x.index)
        fits = facts.nonneg(k) and (end is None or facts.nonneg(end - k - 1))
        self.inside = self.inside and fits


def _array_length(part: _Part) -> int | None:
    n = part.length.constant if part.length is not None else None
    return int(n) if n is not None and 0 < n <= LARGEST else None


def _rewritten(
    alloc: s.Instr, var: e.Var, parts: list[_Part], body: s.Body, facts: Facts, gone: set[str]
) -> s.Body | None:
    assert isinstance(var.type, Pointer)
    elem = var.type.elem
    assert isinstance(elem, Scalar)
    size = e.Const(elem.bits // 8, U64)
    (asked,) = alloc.ins
    if isinstance(asked, e.Binary) and isinstance(asked.b, e.Const) and asked.b.value == size.value:
        size = asked.b  # as it was spelled
    heads: list[s.Stmt] = []
    heaps: list[e.Var] = []
    bases: dict[str, e.Var] = {}
    for part in parts:
        n = _array_length(part)
        own = e.Var(part.names[-1], Array(elem, n) if n is not None else var.type)
        bases |= dict.fromkeys(part.names, own)
        heads.append(s.Decl(own))
        if n is None:
            assert part.length is not None
            length = to_expr(facts, part.length, U64) if _at_least_0(part.length, facts) else None
            if length is None:
                return None
            heaps.append(own)
            asked = e.Binary("*", length, size, U64)
            heads.append(replace(alloc, outs=(own,), ins=(asked,), comments=()))

    def one(x: e.Expr) -> e.Expr:
        if isinstance(x, e.Index) and isinstance(x.base, e.Var) and x.base.name in bases:
            return replace(x, base=bases[x.base.name])
        return x

    out: list[s.Stmt] = []
    for st in body:
        if st is alloc:
            out += heads
        elif isinstance(st, s.Instr) and st.name == "host.free" and st.ins == (var,):
            out += [replace(st, ins=(h,)) for h in heaps]
        elif not (isinstance(st, s.Decl) and st.var.name in gone):
            out.append(rewrite_exprs(st, one))
    return tuple(out)
