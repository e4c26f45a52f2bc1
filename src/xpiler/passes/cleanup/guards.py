"""Guards become loop bounds: `for i in [0, U) if (i < n) ...` with U >= n is `for i in [0, n)`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from xpiler.analysis.affine import to_expr
from xpiler.analysis.effects import (
    ANY,
    assigned,
    declared,
    escapes,
    names_in,
    of_body,
    of_stmt,
    own_values,
)  # fmt: skip
from xpiler.analysis.poly import Poly, atom, constant
from xpiler.analysis.ranges import Facts, condition_facts, is_int, type_range
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import (
    fresh_name,
    rewrite_exprs,
    rewrite_stmts,
    substitute,
    walk,
    walk_exprs,
)  # fmt: skip
from xpiler.ir.types import BOOL, Pointer, Scalar
from xpiler.passes.cleanup.base import (
    Context,
    Walker,
    after,
    always_leaves,
    each_function,
    inside,
    sentence,
)  # fmt: skip
from xpiler.passes.cleanup.nests import from_zero, plain
from xpiler.passes.cleanup.simplify import negated
from xpiler.passes.cleanup.turns import every_few

SHORT_REST = 60
"""Nodes of what both parts of a loop repeat, at most."""

ROW = 64
"""The most lanes that a row of threads, a warp, has."""


@dataclass(frozen=True)
class Guards:
    """Moves conditions on loop variables into the bounds, invariant ones out of the loop.

    `parts`: a condition that halves the range gives two loops (two launches on a GPU).
    """

    name: str = "guards"
    parts: bool = False

    def apply(self, program: Program, ctx: Context) -> Program:
        def one(f: Function) -> Function:
            body = rewrite_stmts(f.body, structured)
            f = f if body is f.body else f.with_body(body)
            taken = {p.name for p in f.params} | names_in(f.body)
            return _Guards(set(taken), self.parts).run(f, ctx.facts(f))

        return each_function(program, one)


# -- early exits ----------------------------------------------------------------------------


def structured(st: s.Stmt) -> s.Stmt:
    """A loop whose `if (c) continue; rest` is `if (!c) { rest }`."""
    if not isinstance(st, s.For):
        return st
    body = _without_continue(st.body)
    return st if body is st.body else replace(st, body=body)


def _without_continue(body: s.Body) -> s.Body:
    for i, st in enumerate(body):
        if isinstance(st, s.Continue):
            return body[:i]
        if isinstance(st, s.If) and _ends_in_continue(st.then) and not st.orelse:
            rest = _without_continue(body[i + 1 :])
            then = _without_continue(st.then)
            new: s.Stmt = replace(st, then=then, orelse=rest)
            if not then:
                new = replace(st, cond=negated(st.cond), then=rest, orelse=())
            return (*body[:i], new) if then or rest else body[:i]
        if isinstance(st, s.If) and i == len(body) - 1:
            new = replace(st, then=_without_continue(st.then), orelse=_without_continue(st.orelse))
            return body if new == st else (*body[:i], new)
    return body


def _ends_in_continue(body: s.Body) -> bool:
    return bool(body) and isinstance(body[-1], s.Continue)


# -- bounds ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Bound:
    """`var >= value` (lower) or `var < value`, with the same as an expression."""

    lower: bool
    value: Poly
    expr: e.Expr


@dataclass
class _Guards(Walker):
    taken: set[str]
    parts: bool

    def stmt(self, st: s.Stmt, facts: Facts) -> s.Body:
        new = self.descend(st, facts)
        if not isinstance(new, s.For) or not is_int(new.var.type):
            return (new,)
        parted = _parted(new, facts, self.taken) if self.parts else None
        return parted or self._unswitched(new, facts) or lifted(new, facts)

    def _unswitched(self, loop: s.For, facts: Facts) -> s.Body | None:
        """`for i { if (c) A else B }` as `if (c) for i A; else for i B` if c stays the same."""
        choice = loop.body[0] if len(loop.body) == 1 else None
        if not isinstance(choice, s.If) or not choice.orelse or not choice.then:
            return None
        if loop.kind == "parallel" and not self.parts:
            return None
        if not _is_invariant(choice.cond, loop, facts) or escapes(loop.body, in_loop=True):
            return None
        var = replace(loop.var, name=fresh_name(loop.var.name, self.taken))
        self.taken.add(var.name)
        other = substitute(choice.orelse, {loop.var.name: var})
        ways = (
            (replace(loop, body=choice.then),),
            (replace(loop, var=var, body=other, comments=()),),
        )
        return (s.If(choice.cond, *ways, loc=choice.loc, comments=choice.comments),)


def lifted(loop: s.For, facts: Facts) -> s.Body:
    """`loop` with the conjuncts of its body's guard moved to where they belong."""
    guard = _guard(loop)
    if guard is None:
        return (loop,)
    pre, cond, then = guard
    inner = inside(loop, facts)
    for st in pre:
        inner = after(st, inner)
    invariant: list[e.Expr] = []
    kept: list[e.Expr] = []
    for c in conjuncts(cond):
        narrower = _narrowed_by_all(loop, conjuncts(inner.meaning(c)), inner, facts)
        if narrower is not None:
            loop = narrower
        elif _is_invariant(c, loop, facts):
            invariant.append(c)
        elif (found := _of_one_row(loop, c, inner)) is not None:
            loop, row = found
            invariant.append(row)
        else:
            kept.append(c)
    for c in kept:
        there, turn = _only_turn(loop, c, inner, facts)
        if turn is not None:
            rest = [k for k in kept if k is not c]
            one = _put_together(turn, pre, rest, then, [])
            return (s.If(conjunction([*invariant, there]), one, loc=loop.loc),)
        turns = every_few(loop, pre, c)
        if turns is not None:
            some, at = turns
            rest = [k for k in kept if k is not c]
            (one_of,) = _put_together(some, pre, rest, then, [])
            assert isinstance(one_of, s.For)
            few: s.Stmt = replace(one_of, body=substitute(one_of.body, {loop.var.name: at}))
            return (s.If(conjunction(invariant), (few,), loc=loop.loc),) if invariant else (few,)
    if not invariant and len(kept) == len(conjuncts(cond)):
        return (loop,)
    return _put_together(loop, pre, kept, then, invariant)


def _parted(loop: s.For, facts: Facts, taken: set[str]) -> s.Body | None:
    """`if (i < p) A else B` for every i as a loop of A up to p and one of B from there.

    The two loops both do what else there is, if A and B choose a pointer for it.
    """
    found = _choice(loop)
    if found is None or escapes(loop.body, in_loop=True):
        return None
    pre, last, post = found
    inner = inside(loop, facts)
    first = narrowed(loop, last.cond, inner, facts)
    if first is None or first.lo != loop.lo or fixed_step(loop) != 1:
        return None
    if names_in(first.hi) & assigned(loop.body) or not isinstance(loop.lo, e.Const):
        return None
    room = facts.poly(first.hi) - int(loop.lo.value)
    least = f"{sentence(first.hi)} is at least {loop.lo.value}"
    if not facts.nonneg(room) and not facts.assume(least, room):
        return None
    comments = (*loop.comments, *last.comments)
    behind = replace(loop, lo=first.hi, body=(*pre, *last.orelse, *post), comments=())
    one = replace(first, body=(*pre, *last.then, *post), comments=comments)
    return (one, _with_own_names(behind, (*pre, *post), taken))


def _choice(loop: s.For) -> tuple[s.Body, s.If, s.Body] | None:
    """The loop's only `if` with an `else`, with what stands before and after it."""
    at = [k for k, st in enumerate(loop.body) if isinstance(st, s.If) and st.orelse]
    if len(at) != 1:
        return None
    pre, st, post = loop.body[: at[0]], loop.body[at[0]], loop.body[at[0] + 1 :]
    assert isinstance(st, s.If)
    if not pre and not post:
        return pre, st, post
    own = {d.var.name for d in pre if isinstance(d, s.Decl) and isinstance(d.var.type, Pointer)}
    chosen = own & assigned(st.then) & assigned(st.orelse)
    short = sum(1 for x in (*pre, *post) for _ in walk(x)) <= SHORT_REST
    values = all(isinstance(d, s.Decl) and (d.init is None or plain(d.init)) for d in pre)
    return (pre, st, post) if chosen and short and values else None


def _with_own_names(loop: s.For, shared: s.Body, taken: set[str]) -> s.For:
    """`loop` with a variable of its own, and own ones for what `shared` declares."""
    old = {loop.var.name: loop.var, **{n: d.var for n, d in declared(shared).items()}}
    old |= {n.var.name: n.var for n in walk(shared) if isinstance(n, s.For)}
    new: dict[str, e.Var] = {}
    for name, v in old.items():
        new[name] = replace(v, name=fresh_name(name, taken))
        taken.add(new[name].name)

    def one(x: e.Expr) -> e.Expr:
        return new.get(x.name, x) if isinstance(x, e.Var) else x

    body: s.Body = rewrite_exprs(loop.body, one)
    return replace(loop, var=new[loop.var.name], body=body)


def _only_turn(loop: s.For, c: e.Expr, inner: Facts, facts: Facts) -> tuple[e.Expr, s.For | None]:
    """`loop` as the one turn that `c` asks for, and whether that is among the loop's."""
    v = _asked_for(loop, c, inner, facts)
    if v is None:
        return c, None
    there: list[e.Expr] = [e.Binary("<=", loop.lo, v, BOOL), e.Binary("<", v, loop.hi, BOOL)]
    if facts.nonneg(facts.poly(v) - facts.poly(loop.lo)):
        del there[0]
    if not all(plain(y) for y in there):
        return c, None
    one = replace(loop, lo=v, hi=e.Binary("+", v, e.Const(1, v.type), v.type))
    return conjunction(there), one


def _asked_for(loop: s.For, c: e.Expr, inner: Facts, facts: Facts) -> e.Expr | None:
    """The value of the loop's variable for which alone `c` holds."""
    if not isinstance(c, e.Binary) or c.op != "==" or fixed_step(loop) != 1:
        return None
    for x, v in ((c.a, c.b), (c.b, c.a)):
        if x == loop.var and v.type == loop.var.type and _is_invariant(v, loop, facts):
            return v
    value = _only_value(loop, c, inner)
    return None if value is None else to_expr(inner, value, loop.var.type)


def _only_value(loop: s.For, c: e.Expr, inner: Facts) -> Poly | None:
    """What the loop's variable is where `c`, an equation, holds."""
    if not isinstance(c, e.Binary) or c.op != "==" or not is_int(c.a.type):
        return None
    if fixed_step(loop) != 1:
        return None
    parts = (inner.poly(c.a) - inner.poly(c.b)).split(loop.var.name)
    k = parts[0].constant if parts else None
    if parts is None or k not in (1, -1) or not _known_outside(parts[1], loop, inner):
        return None
    return parts[1] * -k


def _of_one_row(loop: s.For, c: e.Expr, inner: Facts) -> tuple[s.For, e.Expr] | None:
    """`row * 32 + i == n` for i in [0, 32) as `i == n % 32`, and `row == n / 32` outside."""
    width = loop.hi.value if isinstance(loop.hi, e.Const) and from_zero(loop) else 0
    value = _only_value(loop, c, inner) if 1 < width <= ROW else None
    if value is None or not value.atoms():
        return None
    at = value.terms.get((), 0) % int(width)
    row, rest = (value - at).divided_by(constant(int(width)))
    n = row.terms.get((), 0)
    there = to_expr(inner, n - row, loop.var.type)
    if rest.terms or n < 0 or there is None or not _is_invariant(there, loop, inner):
        return None
    lo, hi, number = (e.Const(v, loop.var.type) for v in (at, at + 1, n))
    return replace(loop, lo=lo, hi=hi), e.Binary("==", there, number, BOOL)


def _put_together(
    loop: s.For, pre: s.Body, kept: list[e.Expr], then: s.If, invariant: list[e.Expr]
) -> s.Body:
    rest: s.Body = then.then
    if kept:
        rest = (replace(then, cond=conjunction(kept)),)
    elif then.comments and rest:
        rest = (replace(rest[0], comments=(*then.comments, *rest[0].comments)), *rest[1:])
    new = replace(loop, body=(*pre, *rest))
    if not invariant:
        return (new,)
    return (s.If(conjunction(invariant), (new,), loc=loop.loc),)


def _guard(loop: s.For) -> tuple[s.Body, e.Expr, s.If] | None:
    """(what comes before, condition, statement) where a guard decides whether anything happens."""
    if not loop.body:
        return None
    *pre, last = loop.body
    if not isinstance(last, s.If) or last.orelse or not last.then:
        return None
    if not private(tuple(pre)):
        return None
    return tuple(pre), last.cond, last


def private(body: s.Body) -> bool:
    """Whether `body` only computes values of variables that it declares itself."""
    effects = of_body(body)
    names = own_values(body)
    endless = any(isinstance(n, s.While) for n in walk(body))
    return effects.writes <= names and not (effects.other or effects.jumps or endless)


def conjuncts(cond: e.Expr) -> list[e.Expr]:
    if isinstance(cond, e.Binary) and cond.op == "&&":
        return conjuncts(cond.a) + conjuncts(cond.b)
    return [cond]


def conjunction(conds: Sequence[e.Expr]) -> e.Expr:
    out = conds[0]
    for c in conds[1:]:
        out = e.Binary("&&", out, c, BOOL)
    return out


def _is_invariant(c: e.Expr, loop: s.For, facts: Facts) -> bool:
    """Whether `c` can be asked before the loop: plain arithmetic on what does not change in it."""
    names = names_in(c)
    local = set(declared(loop.body)) | {loop.var.name} | assigned(loop.body)
    return plain(c) and not names & local


def narrowed(loop: s.For, c: e.Expr, inner: Facts, facts: Facts) -> s.For | None:
    """`loop` over only the iterations where `c` holds; None where that is not one interval."""
    bound = _bound(loop, c, inner, facts)
    if bound is None:
        return None
    lo, hi = facts.poly(loop.lo), facts.poly(loop.hi)
    if bound.lower:
        if fixed_step(loop) != 1 or not facts.nonneg(bound.value - lo):
            return None
        return replace(loop, lo=bound.expr)
    if not facts.with_fact(bound.value - lo - 1).nonneg(hi - bound.value):
        return _of_launch(loop, c, facts)
    return replace(loop, hi=bound.expr)


def _of_launch(loop: s.For, c: e.Expr, facts: Facts) -> s.For | None:
    """`narrowed`, where unsigned sizes rounded up to whole blocks of a launch do not wrap."""
    limits = type_range(loop.var.type)
    sums = [x for x in walk_exprs(loop.hi) if _unsigned_sum(x, facts)]
    if loop.kind != "parallel" or limits is None or not sums:
        return None
    mark = facts.mark()
    for x in sums:
        text = f"{sentence(x)} does not overflow {loop.var.type}"
        if not facts.assume(text, limits[1] - facts.raw(x)):
            return None
    bound = _bound(loop, c, inside(loop, facts), facts)
    if bound is not None and not bound.lower:
        room = facts.poly(loop.hi) - bound.value
        if facts.with_fact(bound.value - facts.poly(loop.lo) - 1).nonneg(room):
            return replace(loop, hi=bound.expr)
    facts.forget(mark)
    return None


def _unsigned_sum(x: e.Expr, facts: Facts) -> bool:
    """Whether `x` is a size and a constant, in a type in which that may wrap around."""
    if not isinstance(x, e.Binary) or x.op not in ("+", "-") or not isinstance(x.type, Scalar):
        return False
    unsigned = x.type.is_integer and not x.type.is_signed
    return unsigned and not facts.fits(facts.raw(x), x.type)


def _narrowed_by_all(loop: s.For, conds: list[e.Expr], inner: Facts, facts: Facts) -> s.For | None:
    """`loop` narrowed by every one of `conds`; None where one of them is no bound."""
    for c in conds:
        new = narrowed(loop, c, inner, facts) or _one_value(loop, c, inner, facts)
        if new is None:
            return None
        loop = new
    return loop


def _one_value(loop: s.For, c: e.Expr, inner: Facts, facts: Facts) -> s.For | None:
    """`loop` over the only value of its variable that `c` allows."""
    value = _only_value(loop, c, inner)
    if value is None:
        return None
    lo, hi = (to_expr(inner, p, loop.var.type) for p in (value, value + 1))
    there = facts.nonneg(value - facts.poly(loop.lo))
    there = there and facts.nonneg(facts.poly(loop.hi) - value - 1)
    if lo is None or hi is None or not there:
        return None
    return replace(loop, lo=lo, hi=hi)


def fixed_step(loop: s.For) -> int | None:
    return int(loop.step.value) if isinstance(loop.step, e.Const) else None


def _bound(loop: s.For, c: e.Expr, inner: Facts, facts: Facts) -> _Bound | None:
    if not isinstance(c, e.Binary) or c.op not in ("<", "<=", ">", ">="):
        return None
    found = condition_facts(inner, c, True)
    parts = found[0].split(loop.var.name) if len(found) == 1 else None  # found[0] >= 0 is c
    k = parts[0].constant if parts else None
    if parts is None or k not in (1, -1) or not _known_outside(parts[1], loop, inner):
        return None
    value = -parts[1] if k == 1 else parts[1] + 1
    x = _as_written(loop, c, value, inner) or to_expr(inner, value, loop.var.type)
    return _Bound(k == 1, value, x) if x is not None and plain(x) else None


def _as_written(loop: s.For, c: e.Binary, value: Poly, inner: Facts) -> e.Expr | None:
    """The user's own text for the bound, where one side of the comparison is just that."""
    local = set(declared(loop.body)) | {loop.var.name}
    for x in (c.a, c.b):
        if x.type == loop.var.type and inner.poly(x) == value and not names_in(x) & local:
            return x
    return None


def _known_outside(p: Poly, loop: s.For, inner: Facts) -> bool:
    """Whether `p` has its value before the loop already, and keeps it while the loop runs."""
    names = {v for a in p.atoms() for v in inner.inside_of(a)}
    if not inner.stable(p) and not _kept(p, names, loop, inner):
        return False
    local = set(declared(loop.body)) | {n.var.name for n in walk(loop) if isinstance(n, s.For)}
    return not names & local


def _kept(p: Poly, names: set[str], loop: s.For, inner: Facts) -> bool:
    """Whether `p` is arithmetic of variables that the loop leaves alone."""
    exprs = [inner.atoms[a].expr for a in p.atoms()]
    if not all(x is not None and plain(x) for x in exprs):
        return False
    gone = of_body(loop.body).writes
    return not names & gone and (ANY not in gone or names <= inner.own)


__all__ = ["Guards", "always_leaves", "atom", "escapes", "of_stmt", "private"]
