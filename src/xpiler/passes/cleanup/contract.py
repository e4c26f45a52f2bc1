"""Fuse adjacent loops over the same threads; shrink what one iteration alone uses to a scalar."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from xpiler.analysis.affine import to_expr
from xpiler.analysis.dependence import Summary, apart, summarise
from xpiler.analysis.effects import (
    assigned,
    declared,
    escapes,
    is_memory,
    loop_vars,
    names_in,
    of_body,
)
from xpiler.analysis.poly import Poly, atom
from xpiler.analysis.ranges import Facts
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import fresh_name, substitute, walk
from xpiler.ir.types import Array, Type
from xpiler.passes.cleanup.base import Context, Walker, after, each_function, inside
from xpiler.passes.cleanup.nests import movable


@dataclass(frozen=True)
class Contract:
    """Loop fusion, interchange where it lets loops meet, and array contraction."""

    name: str = "contract"

    def apply(self, program: Program, ctx: Context) -> Program:
        def one(f: Function) -> Function:
            return _Contractor().run(f, ctx.facts(f))

        return each_function(program, one)


class _Contractor(Walker):
    def body(self, body: s.Body, facts: Facts) -> s.Body:
        body = super().body(body, facts)
        new = _interchanged(_gathered(body), facts)
        new = _fused(new, facts)
        return contracted(new, facts)


# -- fusion ---------------------------------------------------------------------------------


def _gathered(body: s.Body) -> s.Body:
    """Declarations without a value that stand between two loops move in front of the first."""
    out: list[s.Stmt] = []
    for st in body:
        k = len(out)
        if isinstance(st, s.Decl) and st.init is None and out and isinstance(out[-1], s.For):
            while k and isinstance(out[k - 1], s.For):
                k -= 1
        out.insert(k, st)
    return body if all(a is b for a, b in zip(out, body, strict=True)) else tuple(out)


def _fused(body: s.Body, facts: Facts) -> s.Body:
    out: list[s.Stmt] = []
    same = True
    for st in body:
        new = None
        if out and isinstance(out[-1], s.For) and isinstance(st, s.For):
            new = fused(out[-1], st, facts) or _fused_as_groups(out[-1], st, facts)
        if new is not None:
            out[-1] = new
            same = False
            continue
        out.append(st)
        facts = after(st, facts)
    return body if same else tuple(out)


def fused(a: s.For, b: s.For, facts: Facts) -> s.For | None:
    """One loop that does an iteration of `a`, then of `b`; None where that is not shown legal."""
    if not same_range(a, b, facts) or (a.kind, b.kind) != ("parallel", "parallel"):
        return None
    if escapes(a.body) or escapes(b.body):
        return None
    other = substitute(b.body, {b.var.name: a.var})
    mark = facts.mark()
    within = inside(a, facts)
    if not _may_meet(a, summarise(a.body, within), summarise(other, within), other, facts):
        facts.forget(mark)
        return None
    body = _Contractor().body((*a.body, *other), within)
    return replace(a, body=body, comments=(*a.comments, *b.comments))


def _fused_as_groups(a: s.For, b: s.For, facts: Facts) -> s.For | None:
    """`for w { for lane ... }`, then `for t` over all of them: the second goes by groups as well.

    Only where it takes up what the first leaves in a local array, which may then become smaller.
    """
    lanes = next((st for st in a.body if isinstance(st, s.For) and st.kind == "parallel"), None)
    if lanes is None or (a.kind, b.kind) != ("parallel", "parallel"):
        return None
    sizes = [_count(loop) for loop in (a, lanes, b)]
    if None in sizes or sizes[0] * sizes[1] != sizes[2]:  # type: ignore[operator]
        return None
    shared = of_body(a.body).writes & of_body(b.body).reads
    if not any(isinstance(n, e.Var) and n.name in shared for n in walk(b.body)):
        return None
    group, lane = (_fresh(loop.var, (a, b)) for loop in (a, lanes))
    if group.type != b.var.type or lane.type != b.var.type:
        return None
    first = e.Binary("*", group, e.Const(sizes[1] or 0, group.type), group.type)
    t = s.Decl(b.var, e.Binary("+", first, lane, group.type), loc=b.loc)
    inner = replace(lanes, var=lane, body=(t, *b.body), comments=())
    return fused(a, replace(a, var=group, body=(inner,), comments=b.comments), facts)


def _count(loop: s.For) -> int | None:
    """The number of iterations of a loop from 0 to a constant."""
    ends = (loop.lo, loop.hi, loop.step)
    if not all(isinstance(x, e.Const) for x in ends):
        return None
    lo, hi, step = (int(x.value) for x in ends if isinstance(x, e.Const))
    return hi if (lo, step) == (0, 1) else None


def _fresh(var: e.Var, loops: s.Body) -> e.Var:
    return replace(var, name=fresh_name(var.name, set(names_in(loops))))


def same_range(a: s.For, b: s.For, facts: Facts) -> bool:
    pairs = ((a.lo, b.lo), (a.hi, b.hi), (a.step, b.step))
    return a.var.type == b.var.type and all(facts.equal(x, y) for x, y in pairs)


def _may_meet(a: s.For, first: Summary, second: Summary, other: s.Body, facts: Facts) -> bool:
    if first.opaque or second.opaque:
        return False
    reads = of_body(a.body).reads | of_body(other).reads
    if (first.scalars | second.scalars) and (
        (first.scalars & (second.scalars | of_body(other).reads))
        or (second.scalars & of_body(a.body).reads)
        or not reads
    ):
        return False
    varying = frozenset(declared(a.body)) | frozenset(declared(other)) | {a.var.name}
    varying |= loop_vars(a.body) | loop_vars(other)
    return apart(first.accesses, second.accesses, a.var.name, varying, facts)


# -- interchange ----------------------------------------------------------------------------


def _interchanged(body: s.Body, facts: Facts) -> s.Body:
    """Serial loops around one thread loop change places with it, where that lets loops meet."""
    out = list(body)
    for i, st in enumerate(body):
        if isinstance(st, s.For) and st.kind != "parallel" and _has_partner(body, i, facts):
            new = swapped(st, facts)
            out[i] = new if new is not None else st
        facts = after(st, facts)
    return body if all(a is b for a, b in zip(out, body, strict=True)) else tuple(out)


def _has_partner(body: s.Body, i: int, facts: Facts) -> bool:
    """Whether the loop inside `body[i]` has a neighbour of the same range, or stands alone."""
    loop = body[i]
    assert isinstance(loop, s.For)
    inner = thread_loop(loop)
    if inner is None:
        return False
    if inner.kind != "parallel" or loop.var.name in names_in((inner.lo, inner.hi)):
        return False
    near = [st for st in body if isinstance(st, s.For) and st is not loop and st.kind == "parallel"]
    return any(same_range(n, inner, facts) for n in near)


def thread_loop(outer: s.For) -> s.For | None:
    """The parallel loop that `outer` only repeats, after declarations that each may repeat."""
    if not outer.body:
        return None
    *decls, inner = outer.body
    if not isinstance(inner, s.For) or inner.kind != "parallel":
        return None
    mine = {d.var.name for d in decls if isinstance(d, s.Decl)}
    if mine & names_in((inner.lo, inner.hi, inner.step)):
        return None
    movable_all = all(isinstance(d, s.Decl) and movable(d, outer.body) for d in decls)
    return inner if movable_all else None


def swapped(outer: s.For, facts: Facts) -> s.For | None:
    """`for k { parallel for t S }` as `parallel for t { for k S }`."""
    inner = thread_loop(outer)
    if inner is None or escapes(inner.body, in_loop=True):
        return None
    inner = replace(inner, body=(*outer.body[:-1], *inner.body))
    mark = facts.mark()
    within = inside(inner, inside(outer, facts))
    found = summarise(inner.body, within)
    varying = frozenset(declared(inner.body)) | loop_vars((outer,))
    ok = not found.opaque and not found.scalars
    if not ok or not apart(found.accesses, found.accesses, inner.var.name, varying, facts):
        facts.forget(mark)
        return None
    turned = replace(outer, body=inner.body, comments=())
    body = _Contractor().body((turned,), inside(inner, facts))
    return replace(inner, body=body, comments=(*outer.comments, *inner.comments))


# -- contraction ----------------------------------------------------------------------------


def contracted(body: s.Body, facts: Facts) -> s.Body:
    """Local arrays of which each iteration of one loop uses its own part, declared in that loop."""
    for d in [st for st in body if isinstance(st, s.Decl)]:
        if isinstance(d.var.type, Array) and d.init is None and d.space == "local":
            body = _contract_one(body, d, facts)
    return body


def _contract_one(body: s.Body, d: s.Decl, facts: Facts) -> s.Body:
    users = [i for i, st in enumerate(body) if d.var.name in names_in(st) and st is not d]
    if len(users) != 1 or not isinstance(body[users[0]], s.For):
        return body
    loop = body[users[0]]
    assert isinstance(loop, s.For)
    if d.var.name in names_in((loop.lo, loop.hi, loop.step)):
        return body
    part = _Part(d.var, loop.var.name)
    if not part.scan(loop, facts):
        return body
    try:
        inner = part.body(loop.body, inside(loop, facts))
    except _Shared:
        return body
    decl = replace(d, var=part.new)
    new = replace(loop, body=contracted((decl, *inner), inside(loop, facts)))
    return tuple(new if st is loop else st for st in body if st is not d)


class _Shared(Exception):
    """An element is used that may belong to another iteration."""


@dataclass
class _Part(Walker):
    """Rewrites the accesses `x[.. c*v + r ..]` of an array to the part that belongs to `v`."""

    var: e.Var
    v: str
    dim: int = -1
    width: int = 1
    new: e.Var = field(init=False)

    def scan(self, loop: s.For, facts: Facts) -> bool:
        """Find the dimension that `v` selects; False where accesses disagree."""
        found = summarise(loop.body, inside(loop, facts))
        mine = [a for a in found.accesses if a.root.name == self.var.name]
        if not mine or _uses(loop, self.var.name) != _index_uses(loop, self.var.name):
            return False
        for dim in range(len(mine[0].subs or ())):
            widths = {self._width(a.subs, dim) for a in mine}
            if len(widths) == 1 and None not in widths:
                self.dim, self.width = dim, int(widths.pop() or 1)
                self.new = e.Var(self.var.name, _narrow(self.var.type, dim, self.width))
                return True
        return False

    def _width(self, subs: tuple[Poly, ...] | None, dim: int) -> int | None:
        parts = subs[dim].split(self.v) if subs is not None and dim < len(subs) else None
        c = parts[0].constant if parts else None
        return c if c is not None and c >= 1 else None

    def stmt(self, st: s.Stmt, facts: Facts) -> s.Body:
        return (self.descend(st, facts),)

    def expr(self, x: e.Expr, facts: Facts) -> e.Expr:
        from xpiler.ir.rewrite import map_children

        if isinstance(x, e.Index) and _base(x) == self.var and is_memory(x):
            return self._rewritten(x, facts)
        return map_children(x, lambda c: self.expr(c, facts))

    def place(self, x: e.Expr, facts: Facts) -> e.Expr:
        if isinstance(x, e.Index) and _base(x) == self.var:
            return self._rewritten(x, facts)
        return super().place(x, facts)

    def _rewritten(self, x: e.Index, facts: Facts) -> e.Expr:
        subs: list[e.Expr] = []
        base: e.Expr = x
        while isinstance(base, e.Index):
            subs.append(base.index)
            base = base.base
        if base != self.var:
            raise _Shared
        out: e.Expr = self.new
        for dim, sub in enumerate(reversed(subs)):
            if dim == self.dim:
                sub = self._remainder(sub, facts)
                if self.width == 1:
                    continue
            elem = out.type.elem if isinstance(out.type, Array) else x.type
            out = e.Index(out, self.expr(sub, facts), elem)
        return out

    def _remainder(self, sub: e.Expr, facts: Facts) -> e.Expr:
        rest = facts.poly(sub) - atom(self.v) * self.width
        new = to_expr(facts, rest, sub.type)
        in_range = facts.nonneg(rest) and facts.nonneg(self.width - 1 - rest)
        if new is None or not in_range or self.v in rest.atoms():
            raise _Shared
        return new


def _narrow(t: Type, dim: int, width: int) -> Type:
    assert isinstance(t, Array)
    if dim == 0:
        return t.elem if width == 1 else Array(t.elem, width)
    return Array(_narrow(t.elem, dim - 1, width), t.size)


def _base(x: e.Expr) -> e.Expr:
    while isinstance(x, e.Index):
        x = x.base
    return x


def _uses(st: s.Stmt, name: str) -> int:
    return sum(1 for n in walk(st) if isinstance(n, e.Var) and n.name == name)


def _index_uses(st: s.Stmt, name: str) -> int:
    """Occurrences of the array as the base of an index."""
    bases = [n.base for n in walk(st) if isinstance(n, e.Index)]
    return sum(1 for b in bases if isinstance(b, e.Var) and b.name == name)


__all__ = ["Contract", "assigned", "contracted", "fused", "swapped"]
