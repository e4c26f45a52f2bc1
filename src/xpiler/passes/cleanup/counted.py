"""`while` loops that count become `for` loops, also where their counter lives on.

`i = 0; for (; i + 16 <= n; i += 16) A; for (; i < n; i++) B` is
`for i in [0, n/16*16) step 16 A; for i in [n/16*16, n) B`: the second starts where the first ends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from xpiler.analysis.effects import assigned, escapes, names_in
from xpiler.analysis.ranges import Facts, is_int
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import fresh_name, rewrite_exprs, rewrite_stmts, substitute, walk
from xpiler.ir.types import Scalar
from xpiler.passes.cleanup.base import Context, Walker, each_function, sentence

_FLAGGED = 3  # mentions of a loop's flag: declared, set at the end of a turn, asked


@dataclass(frozen=True)
class Counted:
    """Counting loops by their bounds."""

    name: str = "counted"

    def apply(self, program: Program, ctx: Context) -> Program:
        formulas = {f.name: f for f in program.functions if _formula(f) is not None}

        def one(f: Function) -> Function:
            f = _asked_directly(_spelled_out(f, formulas))
            taken = {p.name for p in f.params} | names_in(f.body)
            return _Counter(set(taken)).run(f, ctx.facts(f))

        return each_function(program, one)


def _formula(f: Function) -> e.Expr | None:
    """The value of a function that is nothing but arithmetic on the integers that it is given."""
    value = f.body[0].value if len(f.body) == 1 and isinstance(f.body[0], s.Return) else None
    if value is None or not all(is_int(p.type) for p in f.params):
        return None
    known = {p.name for p in f.params}
    plain = (e.Var, e.Const, e.Binary, e.Unary, e.Select, e.Cast)
    simple = all(isinstance(n, plain) and is_int(n.type) for n in walk(value))
    return value if simple and names_in(value) <= known else None


def _spelled_out(f: Function, formulas: Mapping[str, Function]) -> Function:
    """`f` with the formulas of functions in the conditions of loops: `i < smaller(n, m)`."""

    def call(x: e.Expr) -> e.Expr:
        if not isinstance(x, e.Call) or x.func not in formulas:
            return x
        g = formulas[x.func]
        value = _formula(g)
        args = {p.name: a for p, a in zip(g.params, x.args, strict=True)}
        return substitute(value, args)  # type: ignore[no-any-return]

    def one(st: s.Stmt) -> s.Stmt:
        if not isinstance(st, s.While) or not any(isinstance(n, e.Call) for n in walk(st.cond)):
            return st
        return replace(st, cond=rewrite_exprs(st.cond, call))

    body = rewrite_stmts(f.body, one) if formulas else f.body
    return f if body is f.body else f.with_body(body)


def _asked_directly(f: Function) -> Function:
    """`do { ...; again = i < n; } while (again)` as `do { ... } while (i < n)`."""
    times = Counter(n.name for n in walk(f.body) if isinstance(n, e.Var))
    flags = {
        flag.name
        for n in walk(f.body)
        if isinstance(n, s.While) and (flag := _flag(n)) and times[flag.name] == _FLAGGED
    }

    def one(st: s.Stmt) -> s.Stmt | s.Body:
        if isinstance(st, s.Decl) and st.var.name in flags:
            return ()
        if isinstance(st, s.While) and (flag := _flag(st)) and flag.name in flags:
            return replace(st, cond=st.step[-1].value, step=st.step[:-1])  # type: ignore[attr-defined]
        return st

    return f.with_body(rewrite_stmts(f.body, one)) if flags else f


def _flag(st: s.While) -> e.Var | None:
    """The variable that the end of each turn sets and the loop then asks."""
    last = st.step[-1] if st.do and st.step else None
    if not isinstance(last, s.Assign) or last.op or last.target != st.cond:
        return None
    return st.cond if isinstance(st.cond, e.Var) else None


@dataclass(frozen=True)
class _Bound:
    """`v < hi`, or with `room` the step: `v + step <= hi`."""

    hi: e.Expr
    room: bool


@dataclass
class _Counter(Walker):
    taken: set[str]

    def body(self, body: s.Body, facts: Facts) -> s.Body:
        body = super().body(body, facts)
        for k, st in enumerate(body):
            if isinstance(st, s.Decl) and st.init is not None and is_int(st.var.type):
                new = self._counted(st, body[k + 1 :], facts)
                if new is not None:
                    return self.body((*body[:k], *new), facts)
        return body

    def stmt(self, st: s.Stmt, facts: Facts) -> s.Body:
        return (self.descend(st, facts),)

    def _counted(self, d: s.Decl, rest: s.Body, facts: Facts) -> s.Body | None:
        """`rest` with the loops that count with `d.var` by their bounds; None where some don't."""
        v = d.var
        loops = [st for st in rest if isinstance(st, s.While) and v.name in assigned((st,))]
        others = tuple(st for st in rest if st not in loops and not _set_anew(st, v, rest))
        if not loops or v.name in assigned(others) or not _steady(d.init, rest):
            return None
        now: e.Expr = d.init  # type: ignore[assignment]
        out: list[s.Stmt] = []
        held: e.Var | None = None
        for k, st in enumerate(rest):
            if st in loops:
                assert isinstance(st, s.While)
                found = self._loop(st, v, now, facts)
                if found is None:
                    return None
                loop, behind = found
                out.append(loop)
                held = None
                if behind is None and _wanted(v, rest[k + 1 :], rest):
                    return None
                now = behind if behind is not None else v
            elif _set_anew(st, v, rest):
                now, held = st.value, None  # type: ignore[attr-defined]
            elif v.name in names_in(st):
                if held is None and not isinstance(now, (e.Const, e.Var)):
                    held = e.Var(fresh_name(v.name, self.taken), v.type)
                    out.append(s.Decl(held, now, loc=d.loc))
                value = held if held is not None else now
                out.append(substitute(st, {v.name: value}))
            else:
                out.append(st)
        if out and d.comments:
            out[0] = replace(out[0], comments=(*d.comments, *out[0].comments))
        return tuple(out)

    def _loop(
        self, st: s.While, v: e.Var, now: e.Expr, facts: Facts
    ) -> tuple[s.For, e.Expr | None] | None:
        """The loop and the counter's value behind it, where that is known."""
        step = _step(st, v)
        bound = _bound(st.cond, v, step) if step is not None else None
        if bound is None and step is not None and not _continues(st.body):
            bound = _reaching(st.cond, v, facts)
        if bound is None and step == 1 and not st.do:
            bound = _nearest(st.cond, v, facts)
        if step is None or bound is None or not _steady(bound.hi, (st,)):
            return None
        least = facts.poly(now) + (step if bound.room else 1)
        if st.do and not facts.nonneg(facts.poly(bound.hi) - least):
            return None  # the first turn, which nobody asks for, may be one too many
        if v.name in names_in(bound.hi) or escapes(st.body, in_loop=True):
            return None
        hi = _end(bound, now, step, v.type) if isinstance(v.type, Scalar) else None
        if hi is None:
            return None
        behind = None if _asks(st.cond, "&&") else _behind(hi, bound, now, step, facts)
        if behind is None and st.cond.op == "!=":  # type: ignore[attr-defined]
            return None  # it might count past its end, and round
        w = replace(v, name=fresh_name(v.name, self.taken))
        others = tuple(x for x in (*st.body[-1:], *st.step) if v.name not in assigned((x,)))
        body = substitute((*st.body[:-1], *others), {v.name: w})
        loop = s.For(
            w, now, hi, e.Const(step, v.type), body, unroll=st.unroll, loc=st.loc,
            comments=st.comments,
        )  # fmt: skip
        return loop, behind


def _set_anew(st: s.Stmt, v: e.Var, body: s.Body) -> bool:
    """Whether `st` gives the counter a value that is the same anywhere in `body`."""
    if not isinstance(st, s.Assign) or st.target != v or st.op:
        return False
    return v.name not in names_in(st.value) and _steady(st.value, body)


def _wanted(v: e.Var, rest: s.Body, body: s.Body) -> bool:
    """Whether `rest`, a part of `body`, uses the value that the counter has."""
    for st in rest:
        if _set_anew(st, v, body):
            return False
        if v.name in names_in(st):
            return True
    return False


def _steady(x: e.Expr | None, body: s.Body) -> bool:
    """Whether `x` is arithmetic on what `body` does not change."""
    if x is None or names_in(x) & assigned(body):
        return False
    return all(
        isinstance(n, (e.Const, e.Var, e.Cast, e.Unary, e.Binary)) or _is_least(n) for n in walk(x)
    )


def _is_least(n: object) -> bool:
    return isinstance(n, e.Call) and n.func == "min"


def _step(st: s.While, v: e.Var) -> int | None:
    """What the loop adds to `v` each time, where nothing else changes it."""
    if st.step and v.name not in assigned(st.body):
        own = [x for x in st.step if v.name in names_in(x) | assigned((x,))]
        whole = len(st.step) == 1 or not _continues(st.body)
        return _added(own[0], v) if len(own) == 1 and whole else None
    body, last = st.body[:-1], st.body[-1:]
    if st.step or not last or v.name in assigned(body):
        return None
    return _added(last[0], v) if not _continues(body) else None


def _continues(body: s.Body) -> bool:
    return any(isinstance(n, s.Continue) for n in walk(body))


def _added(st: s.Stmt, v: e.Var) -> int | None:
    if not isinstance(st, s.Assign) or st.target != v:
        return None
    amount: e.Expr = st.value
    if not st.op and isinstance(amount, e.Binary) and amount.op == "+" and amount.a == v:
        amount = amount.b
    elif st.op != "+":
        return None
    positive = isinstance(amount, e.Const) and isinstance(amount.value, int) and amount.value > 0
    return int(amount.value) if positive else None  # type: ignore[attr-defined]


def _plus(x: e.Expr) -> tuple[e.Expr, int]:
    """`y + c` as (y, c)."""
    if isinstance(x, e.Binary) and x.op in "+-" and isinstance(x.b, e.Const):
        return x.a, int(x.b.value) * (1 if x.op == "+" else -1)
    return x, 0


def _bound(cond: e.Expr, v: e.Var, step: int) -> _Bound | None:
    """What the loop's condition says of the counter."""
    if not isinstance(cond, e.Binary) or cond.op not in ("<", "<=", "!="):
        return None
    if cond.op == "!=":
        return _Bound(cond.b, False) if cond.a == v and step == 1 else None
    left, c = _plus(cond.a)
    if left != v or (step > 1 and c not in (0, step, step - 1)) or (step == 1 and c not in (0, 1)):
        return None
    right, less = _plus(cond.b)
    if less and not (isinstance(v.type, Scalar) and v.type.is_signed):
        return None  # `n - 16` wraps around where n is less
    need = c - less + (1 if cond.op == "<" else 0)  # v + need <= right
    if need == step:
        return _Bound(right, True)
    if c == 0 and cond.op == "<":
        return _Bound(cond.b, False)
    return None


def _reaching(cond: e.Expr, v: e.Var, facts: Facts) -> _Bound | None:
    """`v + c <= n`, a window that fits, as `v < n - (c - 1)`; that is no overflow where n >= 0."""
    if not isinstance(cond, e.Binary) or cond.op not in ("<", "<="):
        return None
    left, c = _plus(cond.a)
    less = c if cond.op == "<" else c - 1
    if left != v or less < 1 or not isinstance(v.type, Scalar) or not v.type.is_signed:
        return None
    n = cond.b
    if n.type != v.type or not isinstance(n, (e.Var, e.Const)):
        return None
    size = facts.poly(n)
    if not facts.nonneg(size) and not facts.assume(f"{sentence(n)} is at least 0", size):
        return None
    return _Bound(e.Binary("-", n, e.Const(less, v.type), v.type), False)


def _nearest(cond: e.Expr, v: e.Var, facts: Facts) -> _Bound | None:
    """`v < a && v + x < b`: both hold up to the smaller end, and from there on one does not."""
    if not isinstance(cond, e.Binary) or cond.op != "&&":
        return None
    ends: list[e.Expr] = []
    for c in (cond.a, cond.b):
        found = _bound(c, v, 1) or _nearest(c, v, facts) or _moved(c, v, facts)
        if found is None or found.hi.type != v.type or _asks(c, "!="):
            return None
        ends.append(found.hi)
    return _Bound(e.Call("min", tuple(ends), v.type), False)


def _asks(cond: e.Expr, op: str) -> bool:
    return isinstance(cond, e.Binary) and cond.op == op


def _moved(cond: e.Expr, v: e.Var, facts: Facts) -> _Bound | None:
    """`x + v < n` as `v < n - x`; that is no overflow where neither is negative."""
    left = cond.a if isinstance(cond, e.Binary) and cond.op == "<" else None
    if not isinstance(left, e.Binary) or left.op != "+" or v not in (left.a, left.b):
        return None
    assert isinstance(cond, e.Binary)
    x, n = left.b if left.a == v else left.a, cond.b
    if n.type != v.type or not isinstance(v.type, Scalar) or not v.type.is_signed:
        return None
    for part in (x, n):
        p = facts.poly(part)
        text = f"{sentence(part)} is at least 0"
        if not facts.nonneg(p) and not (isinstance(part, e.Var) and facts.assume(text, p)):
            return None
    return _Bound(e.Binary("-", n, x, v.type), False)


def _end(bound: _Bound, now: e.Expr, step: int, t: Scalar) -> e.Expr | None:
    """The exclusive end of the loop's range."""
    hi = bound.hi
    if hi.type != t:
        return None
    whole = _masked_down(hi, step)
    if whole is not None and _multiple(now, step):
        return _down(whole, step, t)
    if not bound.room or step == 1:
        return hi
    return _down(hi, step, t) if _multiple(now, step) else None


def _down(x: e.Expr, step: int, t: Scalar) -> e.Expr:
    """`x / step * step`."""
    if isinstance(x, e.Const):
        return e.Const(abs(int(x.value)) // step * step * (1 if x.value >= 0 else -1), t)
    c = e.Const(step, t)
    return e.Binary("*", e.Binary("/", x, c, t), c, t)


def _masked_down(x: e.Expr, step: int) -> e.Expr | None:
    """`n` of `n & ~(step - 1)` and of `n - n % step`."""
    if isinstance(x, e.Binary) and x.op == "&" and isinstance(x.b, e.Const):
        keeps = int(x.b.value) & 0xFFFFFFFFFFFFFFFF
        return x.a if keeps in (-step & 0xFFFFFFFFFFFFFFFF, -step & 0xFFFFFFFF) else None
    if isinstance(x, e.Binary) and x.op == "-" and isinstance(x.b, e.Binary) and x.b.op == "%":
        same = x.b.a == x.a and isinstance(x.b.b, e.Const) and x.b.b.value == step
        return x.a if same else None
    return None


def _multiple(x: e.Expr, step: int) -> bool:
    """Whether `x` is plainly a multiple of `step`."""
    if isinstance(x, e.Const):
        return int(x.value) % step == 0
    if isinstance(x, e.Binary) and x.op == "*":
        return _multiple(x.b, step) or _multiple(x.a, step)
    if isinstance(x, e.Binary) and x.op in "+-":
        return _multiple(x.a, step) and _multiple(x.b, step)
    return False


def _from_the_start(now: e.Expr, size: e.Expr, step: int) -> bool:
    """Whether the loop starts at 0, or where one over larger steps of the same size ended."""
    if isinstance(now, e.Const):
        return now.value == 0
    if not (isinstance(now, e.Binary) and now.op == "*" and isinstance(now.a, e.Binary)):
        return False
    whole = now.a.op == "/" and now.a.b == now.b and now.a.a == size
    return whole and isinstance(now.b, e.Const) and int(now.b.value) % step == 0


def _behind(hi: e.Expr, bound: _Bound, now: e.Expr, step: int, facts: Facts) -> e.Expr | None:
    """The counter's value behind the loop: where it starts, or else its end."""
    first, last = facts.poly(now), facts.poly(hi)
    size = facts.poly(bound.hi if bound.room else hi)
    if not facts.nonneg(last - first) and not _from_the_start(now, bound.hi, step):
        return None
    if not facts.nonneg(last - first) and not facts.nonneg(size):
        what = sentence(bound.hi)
        if not facts.assume(f"{what} is at least 0", size):
            return None
    rounds = step == 1 or (_multiple(hi, step) and _multiple(now, step))
    return hi if rounds else None
