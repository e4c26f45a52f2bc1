"""Loops over strips of lanes become loops over elements; a tail that does the same joins them.

`for i in [0, N) step 16 { for l in [0, 16) S(i + l) }` is `for i in [0, N) S(i)`, in the same
order; and `for i in [0, M) S(i); for i in [M, n) S(i)` is `for i in [0, n) S(i)`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from xpiler.analysis.affine import to_expr
from xpiler.analysis.effects import assigned, declared, escapes, loop_vars, names_in
from xpiler.analysis.poly import atom
from xpiler.analysis.ranges import Facts, type_range
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.intrinsics import math_functions
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import substitute, walk
from xpiler.ir.text import show_body
from xpiler.ir.types import Pointer
from xpiler.passes.cleanup.base import Context, Walker, after, each_function, inside, sentence
from xpiler.passes.cleanup.nests import Elsewhere, Merger, from_zero, stand_in, wraps


@dataclass(frozen=True)
class Strips:
    """One loop for strips and lanes, and for the tail behind them."""

    name: str = "strips"

    def apply(self, program: Program, ctx: Context) -> Program:
        def one(f: Function) -> Function:
            taken = {p.name for p in f.params} | names_in(f.body)
            return _Strips(set(taken)).run(f, ctx.facts(f))

        return each_function(program, one)


@dataclass
class _Strips(Walker):
    taken: set[str]

    def body(self, body: s.Body, facts: Facts) -> s.Body:
        return _tails(super().body(body, facts), facts)

    def stmt(self, st: s.Stmt, facts: Facts) -> s.Body:
        new = self.descend(st, facts)
        if isinstance(new, s.For):
            new = self._whole(new, facts) or _from_start(new, facts) or new
            return (_guarded(new),)
        return (_unguarded(new, facts),)

    def _whole(self, outer: s.For, facts: Facts) -> s.For | None:
        """The loop over elements of one over strips, each a loop over lanes."""
        inner = outer.body[0] if len(outer.body) == 1 else None
        if not isinstance(inner, s.For) or not isinstance(inner.hi, e.Const):
            return None
        step = outer.step.value if isinstance(outer.step, e.Const) else 1
        if not from_zero(inner) or inner.hi.value != step or step == 1 or escapes(inner.body):
            return None
        mark = facts.mark()
        hi = _rounded(outer, int(step), facts)
        within = inside(inner, inside(outer, facts))
        both = stand_in(outer.var, within, within.interval(within.poly(outer.hi))[1] + int(step))
        pair = atom(outer.var.name) + atom(inner.var.name)
        merger = _Merger(outer.var.name, inner.var.name, pair, both, None)
        try:
            body = merger.body(inner.body, within)
        except Elsewhere:
            hi = None
        if hi is None:
            facts.forget(mark)
            return None
        body = substitute(body, {both.name: outer.var})
        return replace(
            outer, hi=hi, step=e.Const(1, outer.var.type), body=body,
            kind="parallel" if outer.kind == inner.kind == "parallel" else "serial",
            comments=(*outer.comments, *inner.comments),
        )  # fmt: skip


class _Merger(Merger):
    """Also `l < n - i` is `i + l < n`, and sizes known not to be negative need no unsigned test."""

    def expr(self, x: e.Expr, facts: Facts) -> e.Expr:
        try:
            new = super().expr(x, facts)
            return new if new is x else self._signed(new, facts)
        except Elsewhere:
            below = self._compared(x, facts)
            if below is None:
                raise
            return below

    def _signed(self, x: e.Expr, facts: Facts) -> e.Expr:
        """`(unsigned)j < (unsigned)n` as `j < n`, where neither is negative."""
        if not isinstance(x, e.Binary) or x.op not in e.COMPARISONS:
            return x
        a, b = (y.x if isinstance(y, e.Cast) and wraps(y.type) else y for y in (x.a, x.b))
        if a.type != self.var.type or b.type != a.type or x.a.type == a.type:
            return x
        values = (self.whole if y == self.var else facts.poly(y) for y in (a, b))
        if not all(map(facts.nonneg, values)):
            return x
        return replace(x, a=a, b=b)

    def _compared(self, x: e.Expr, facts: Facts) -> e.Expr | None:
        if not isinstance(x, e.Binary) or x.op not in e.COMPARISONS:
            return None
        if type_range(x.a.type) is None or x.a.type != x.b.type:
            return None
        difference = facts.poly(x.b) - facts.poly(x.a)
        for sign, op in ((1, x.op), (-1, _MIRRORED[x.op])):
            rest = difference * sign + self.whole
            if not rest.atoms() & {self.block, self.thread}:
                limit = to_expr(facts, rest, self.var.type)
                if limit is not None:
                    return e.Binary(op, self.var, limit, x.type)  # type: ignore[arg-type]
        return None


_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


def _guarded(loop: s.For) -> s.For:
    """A body whose last statement alone has effects, and only on a condition, under that one."""
    *before, last = loop.body or (None,)
    if not before or not isinstance(last, s.If) or last.orelse:
        return loop
    own = {d.var.name for d in before if isinstance(d, s.Decl)}
    if not all(_private(st, own) for st in before) or escapes(loop.body):
        return loop
    changed = assigned(tuple(before)) | own
    if names_in(last.cond) & changed or any(isinstance(n, e.Index) for n in walk(last.cond)):
        return loop
    inside_ = replace(last, then=(*before, *last.then))
    return replace(loop, body=(inside_,))


def _private(st: s.Stmt, own: set[str]) -> bool:
    """Whether a statement only computes variables of this body."""
    kinds = (s.Decl, s.Assign, s.For, s.If)
    for n in walk(st):
        if isinstance(n, s.Stmt) and not isinstance(n, kinds):
            return False
        if isinstance(n, e.Call) and n.func not in math_functions():
            return False
        if isinstance(n, s.Assign) and _base(n.target) not in own:
            return False
    return True


def _base(x: e.Expr) -> str:
    while isinstance(x, e.Index) and not isinstance(x.base.type, Pointer):
        x = x.base
    return x.name if isinstance(x, e.Var) else ""


def _rounded(outer: s.For, step: int, facts: Facts) -> e.Expr | None:
    """The end of the last strip."""
    lo, hi = facts.poly(outer.lo), facts.poly(outer.hi)
    trips = facts.quotient(hi - lo, facts.poly(outer.step))
    if trips * step == hi - lo:
        return outer.hi
    if not (isinstance(outer.lo, e.Const) and outer.lo.value == 0):
        return None
    t = outer.var.type
    if isinstance(outer.hi, e.Const):
        return e.Const(-(-int(outer.hi.value) // step) * step, t)
    limits = type_range(t)
    text = f"{sentence(outer.hi)} + {step - 1} does not overflow {t}"
    if limits is None or not facts.assume(text, -hi + (limits[1] - step + 1)):
        return None
    c = e.Const(step, t)
    up = e.Binary("+", outer.hi, e.Const(step - 1, t), t)
    return e.Binary("*", e.Binary("/", up, c, t), c, t)


# -- tails ----------------------------------------------------------------------------------


def _from_start(loop: s.For, facts: Facts) -> s.For | None:
    """`for l in [0, n - v) S(v + l)` as `for i in [v, n) S(i)`."""
    if not (from_zero(loop) and isinstance(loop.hi, e.Binary) and loop.hi.op == "-"):
        return None
    if escapes(loop.body) or names_in(loop.hi) & assigned(loop.body):
        return None
    start = facts.poly(loop.hi.b)
    if start.constant is not None:
        return None
    lo = to_expr(facts, start, loop.var.type)
    end = to_expr(facts, facts.poly(loop.hi.a), loop.var.type)
    if lo is None or end is None or facts.poly(loop.hi) != facts.poly(end) - start:
        return None
    within = inside(loop, facts)
    both = stand_in(loop.var, within, within.interval(within.poly(end))[1] + 1)
    merger = Merger("", loop.var.name, atom(loop.var.name) + start, both, None)
    try:
        body = merger.body(loop.body, within)
    except Elsewhere:
        return None
    return replace(loop, lo=lo, hi=end, body=substitute(body, {both.name: loop.var}))


def _unguarded(st: s.Stmt, facts: Facts) -> s.Stmt:
    """`if (a < b) for i in [a, b) S` is the loop alone."""
    if not isinstance(st, s.If) or st.orelse or len(st.then) != 1:
        return st
    loop = st.then[0]
    cond = st.cond
    if not isinstance(loop, s.For) or not isinstance(cond, e.Binary):
        return st
    same_end = facts.equal(cond.b, loop.hi) if _ints(cond.b, loop.hi) else False
    if cond.op == "<" and same_end and facts.equal(cond.a, loop.lo):
        return replace(loop, comments=(*st.comments, *loop.comments))
    return st


def _ints(*xs: e.Expr) -> bool:
    return all(type_range(x.type) is not None for x in xs)


def _tails(body: s.Body, facts: Facts) -> s.Body:
    """Neighbouring loops where one begins as the other ends and both do the same, joined."""
    out: list[s.Stmt] = []
    joined = False
    for st in body:
        k = _loop_before(out)
        if isinstance(st, s.For) and k is not None:
            first = out[k]
            assert isinstance(first, s.For)
            between = tuple(out[k + 1 :])
            if _continues(first, st, between, facts):
                both = (*first.comments, *st.comments)
                out[k] = replace(first, hi=st.hi, comments=both)
                joined = True
                continue
        out.append(st)
        facts = after(st, facts)
    return tuple(out) if joined else body


def _loop_before(out: list[s.Stmt]) -> int | None:
    """The last loop of `out` if only declarations follow it."""
    for k in range(len(out) - 1, -1, -1):
        if isinstance(out[k], s.For):
            return k
        if not isinstance(out[k], s.Decl):
            return None
    return None


def _continues(a: s.For, b: s.For, between: s.Body, facts: Facts) -> bool:
    steps = all(isinstance(x.step, e.Const) and x.step.value == 1 for x in (a, b))
    if not steps or a.var.type != b.var.type or not facts.equal(a.hi, b.lo):
        return False
    if names_in((b.hi,)) & (
        assigned(a.body) | {d.var.name for d in between if isinstance(d, s.Decl)}
    ):
        return False
    if any(names_in(b.body) & {d.var.name} for d in between if isinstance(d, s.Decl)):
        return False
    if escapes(a.body) or escapes(b.body):
        return False
    rising = facts.nonneg(facts.poly(a.hi) - facts.poly(a.lo)) and facts.nonneg(
        facts.poly(b.hi) - facts.poly(b.lo)
    )
    return (rising or _truncated(a, b)) and _form(a) == _form(b)


def _truncated(a: s.For, b: s.For) -> bool:
    """Whether the first ends at `n / c * c` for the second's end `n`: no range runs backwards."""
    lo = a.lo
    x = a.hi
    if not (isinstance(lo, e.Const) and lo.value == 0):
        return False
    if not (isinstance(x, e.Binary) and x.op == "*" and isinstance(x.a, e.Binary)):
        return False
    return x.a.op == "/" and x.a.a == b.hi and x.a.b == x.b


def _form(loop: s.For) -> str:
    """The body with its own names numbered in order."""
    names = [loop.var.name]
    own = set(declared(loop.body)) | loop_vars(loop.body)
    for n in walk(loop.body):
        if isinstance(n, e.Var) and n.name in own and n.name not in names:
            names.append(n.name)
    types = {n.name: n.type for n in walk(loop.body) if isinstance(n, e.Var)}
    plain = {x: e.Var(f"#{k}", types.get(x, loop.var.type)) for k, x in enumerate(names)}
    return show_body(substitute(loop.body, plain))
