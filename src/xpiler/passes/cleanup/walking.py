"""What steps along with a loop becomes a sum with the loop's index.

`while (x != end) *z++ = *x++;` with `end = x + n` is `for (i = 0; i < n; i++) z[i] = x[i];`, and
`y[k++]` in a loop is `y[k + i]`, after which `k` is as much larger as the loop is long.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from xpiler.analysis.effects import assigned, declared, escapes, is_memory, names_in
from xpiler.analysis.ranges import Facts, is_int
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import fresh_name, substitute, variables, walk
from xpiler.ir.types import I64, Pointer, Scalar, Type
from xpiler.passes.cleanup.base import Context, Walker, after, each_function, sentence
from xpiler.passes.cleanup.simplify import simplify


@dataclass(frozen=True)
class Walking:
    """Variables that step once in every iteration as sums; `threads`: pointers of kernels only.

    What a thread keeps from one barrier to the next is an array once threads are loops: of sums
    with what the threads have in common nothing need be kept.
    """

    threads: bool = False
    name: str = "walking"

    def apply(self, program: Program, ctx: Context) -> Program:
        def one(f: Function) -> Function:
            if self.threads and f.role != "kernel":
                return f
            taken = {p.name for p in f.params} | variables(f.body)
            params = {p.name for p in f.params}
            return _Walkers(f, taken, params, self.threads).run(f, ctx.facts(f))

        return each_function(program, one)


@dataclass(frozen=True)
class _Step:
    """`var += by` (or with `down` -=) as statement `at` of a loop's body."""

    var: e.Var
    by: e.Expr
    down: bool
    at: int

    @property
    def amount(self) -> int:
        """The distance of two iterations; 0 where that is no constant."""
        by = self.by.value if isinstance(self.by, e.Const) else 0
        return -int(by) if self.down else int(by)


@dataclass
class _Walkers(Walker):
    """Inner loops first: what they leave behind are steps of the outer ones."""

    f: Function
    taken: set[str]
    params: set[str]
    pointers: bool
    depth: int = field(default=0)
    loops: int = field(default=0)

    def stmt(self, st: s.Stmt, facts: Facts) -> s.Body:
        inside = isinstance(st, (s.For, s.While))
        self.loops += inside
        new = self.descend(st, facts)
        self.loops -= inside
        return (new,)

    def body(self, body: s.Body, facts: Facts) -> s.Body:
        self.depth += 1
        body = super().body(body, facts)
        self.depth -= 1
        at = facts
        for k, st in enumerate(body):
            new = self._straight(body, k, at)
            if new is not None:
                return self.body((*body[:k], *self._renamed(body, k, new)), facts)
            at = after(st, at)
        return body

    def _renamed(self, body: s.Body, k: int, new: s.Body) -> s.Body:
        """`new` in the place of statement `k`, and what follows it there.

        A variable of this body that only the loop has changed is another one from then on.
        """
        rest = body[k + 1 :]
        for at, st in enumerate(new[1:], 1):
            if not isinstance(st, s.Assign) or not isinstance(st.target, e.Var):
                continue
            v = st.target
            start = self._start(v, body[:k])
            lent = any(isinstance(n, e.AddressOf) and n.x == v for n in walk(self.f.body))
            if start == v or lent or v.name in assigned((new[0], *rest)):
                continue
            w = replace(v, name=fresh_name(v.name, self.taken))
            assert st.op in ("+", "-")
            value = _moved(start, st.value, st.op == "-", v.type)
            new = (*new[:at], s.Decl(w, value, loc=st.loc), *new[at + 1 :])
            rest = substitute(rest, {v.name: w})
        return (*new, *rest)

    def _straight(self, body: s.Body, k: int, facts: Facts) -> s.Body | None:
        """Statement `k` as a loop in which one thing less steps; None where it is none."""
        st: s.Stmt = body[k]
        control = decides = None
        if isinstance(st, s.While):
            found = self._counting(st, body[:k])
            if found is None:
                return None
            st, control = found
            decides = control
        if not isinstance(st, s.For) or escapes(st.body):
            return None
        done: list[s.Stmt] = []
        steps = [x for x in _steps(st) if not self.pointers or isinstance(x.var.type, Pointer)]
        names = [x.var.name for x in steps]
        for name in sorted(names, key=lambda n: control is None or n != control.name):
            step = next(x for x in _steps(st) if x.var.name == name)
            start = self._start(step.var, body[:k])
            decisive = control is not None and step.var == control
            fits = _exact(step, start, st, facts, assume=not decisive)
            behind = self._behind(step, st, body, k, facts) if fits else None
            if behind is None:
                continue
            st = _summed(st, step, start)
            done += behind
            control = None if control == step.var else control
        if control is not None or st is body[k]:
            return None  # what decides when the loop ends still steps
        done.sort(key=lambda x: isinstance(x, s.Assign) and x.target == decides)
        return (st, *done)  # the others are told by what decided, as it was

    def _behind(
        self, step: _Step, loop: s.For, body: s.Body, k: int, facts: Facts
    ) -> list[s.Stmt] | None:
        """What has to follow the loop for the sake of the variable; None: cannot be said."""
        v = step.var
        here = any(isinstance(x, s.Decl) and x.var == v for x in body[:k])
        if here and v.name not in names_in(body[k + 1 :]):
            return []
        if not self.loops and v.name in self.params and _all_in(v, body[: k + 1], self.f.body):
            return []
        span = facts.poly(loop.hi) - facts.poly(loop.lo)
        if not facts.nonneg(span):
            what = f"{sentence(loop.hi)} is at least {sentence(loop.lo)}"
            if not facts.assume(what, span):
                return None
        t: Type = I64 if isinstance(v.type, Pointer) else v.type
        amount = simplify(_times(_total(loop, t), step, t), facts)
        return [s.Assign(v, amount, "-" if step.down else "+", loc=loop.loc)]

    def _start(self, v: e.Var, before: s.Body) -> e.Expr:
        """The variable's value where the loop starts: as declared, where that still holds."""
        for k, st in enumerate(before):
            if isinstance(st, s.Decl) and st.var == v and st.init is not None:
                steady = _plain(st.init) and not names_in(st.init) & assigned(self.f.body)
                return st.init if steady and v.name not in assigned(before[k + 1 :]) else v
        return v

    def _counting(self, st: s.While, before: s.Body) -> tuple[s.For, e.Var] | None:
        """`st` by the number of its turns, and the variable that decides about them."""
        st = _headed(st)
        if st.do or escapes(st.body) or not isinstance(st.cond, e.Binary):
            return None
        body = (*st.body, *st.step)
        v, op, other = st.cond.a, st.cond.op, st.cond.b
        if not isinstance(v, e.Var) or op not in ("!=", "<", ">", ">="):
            return None
        step = next((x for x in _steps_in(body) if x.var == v), None)
        if step is None or not step.amount:
            return None
        hi: e.Expr | None = None
        if isinstance(v.type, Pointer) and op != ">" and step.amount > 0:
            hi = self._distance(v, other, before)
        elif is_int(v.type) and op in ("!=", ">") and step.amount < 0 and _is_zero(other):
            hi = self._start(v, before)
        elif is_int(v.type) and op in (">", ">=") and _least(op, other) == -step.amount > 1:
            hi = _whole(self._start(v, before), -step.amount)
        if hi is None or (names_in(hi) - {v.name}) & assigned(self.f.body):
            return None
        if op == "!=" and abs(step.amount) != 1:
            return None
        i = e.Var(fresh_name("i", self.taken), hi.type)
        zero, one = e.Const(0, hi.type), e.Const(abs(step.amount), hi.type)
        return s.For(i, zero, hi, one, body, loc=st.loc, comments=st.comments), v

    def _distance(self, p: e.Var, end: e.Expr, before: s.Body) -> e.Expr | None:
        """n where `end` is n elements behind `p`, which has not moved yet."""
        decls = {x.var.name: k for k, x in enumerate(before) if isinstance(x, s.Decl)}
        start, since = p, 0
        if p.name in decls:
            since = decls[p.name]
            start = before[since].init  # type: ignore[attr-defined]
        elif self.depth > 0 or p.name not in self.params:
            return None
        if p.name in assigned(before[since:]):
            return None
        if isinstance(end, e.Var):
            if end.name not in decls or end.name in assigned(self.f.body):
                return None
            end = before[decls[end.name]].init  # type: ignore[attr-defined]
        if not isinstance(end, e.Binary) or end.op != "+" or end.a not in (p, start):
            return None
        steady = end.a == p or (start is not None and not names_in(start) & assigned(self.f.body))
        return end.b if steady and is_int(end.b.type) and _plain(end.b) else None


def _all_in(v: e.Var, part: s.Body, whole: s.Body) -> bool:
    """Whether nothing but `part` uses the variable."""
    first, every = (sum(1 for n in walk(b) if n == v) for b in (part, whole))
    return first == every


def _least(op: str, other: e.Expr) -> int:
    """The least value that a condition lets pass; 0 where that is no constant."""
    if not isinstance(other, e.Const):
        return 0
    return int(other.value) + (1 if op == ">" else 0)


def _whole(v: e.Expr, step: int) -> e.Expr:
    """`v` without what is left of it when all whole steps are taken."""
    c = e.Const(step, v.type)
    return e.Binary("*", e.Binary("/", v, c, v.type), c, v.type)


def _is_zero(x: e.Expr) -> bool:
    return isinstance(x, e.Const) and x.value == 0


def _plain(x: e.Expr) -> bool:
    return not any(isinstance(n, (e.Index, e.Call, e.Field, e.AddressOf)) for n in walk(x))


def _amount(x: e.Expr) -> bool:
    """Arithmetic on variables and their fields."""
    fields = [n for n in walk(x) if isinstance(n, e.Field)]
    if not all(isinstance(n.base, e.Var) for n in fields):
        return False
    return not any(isinstance(n, (e.Index, e.Call, e.AddressOf)) for n in walk(x))


def _headed(st: s.While) -> s.While:
    """`while (1) { k = n; n -= 1; if (k == 0) break; ... }` with its condition at the head."""
    if not (isinstance(st.cond, e.Const) and st.cond.value and not st.do and len(st.body) > 3):
        return st
    old, step, leave = st.body[:3]
    if not (isinstance(old, s.Decl) and isinstance(step, s.Assign) and isinstance(leave, s.If)):
        return st
    c, v = leave.cond, old.init
    stops = leave.then == (s.Break(loc=leave.then[0].loc),) if len(leave.then) == 1 else False
    if not stops or leave.orelse or not isinstance(c, e.Binary) or step.target != v:
        return st
    if c.a != old.var or c.op not in ("==", "<=") or not isinstance(v, e.Var):
        return st
    op: e.BinaryOp = "!=" if c.op == "==" else ">"
    return replace(st, cond=replace(c, a=v, op=op), body=(old, step, *st.body[3:]))


def _steps(loop: s.For) -> Iterator[_Step]:
    own = set(declared(loop.body)) | {loop.var.name}
    changing = own | assigned(loop.body)
    for x in _steps_in(loop.body):
        if x.var.name not in own and not names_in(x.by) & changing:
            yield x


def _steps_in(body: s.Body) -> Iterator[_Step]:
    """Variables that one statement of `body` steps, and nothing else changes."""
    for k, st in enumerate(body):
        if not isinstance(st, s.Assign) or not isinstance(st.target, e.Var) or is_memory(st.target):
            continue
        v, by = st.target, st.value
        counts = isinstance(v.type, Pointer) or is_int(v.type)
        if not counts or st.op not in ("+", "-") or not _amount(by) or not is_int(by.type):
            continue
        if v.name not in assigned((*body[:k], *body[k + 1 :])):
            yield _Step(v, by, st.op == "-", k)


def _exact(step: _Step, start: e.Expr, loop: s.For, facts: Facts, assume: bool) -> bool:
    """Whether the sums are computed without an overflow that the steps do not have."""
    if not isinstance(loop.step, e.Const) or names_in(loop.hi) & assigned(loop.body) - {
        step.var.name
    }:
        return False
    if not _is_zero(loop.lo) and not facts.nonneg(facts.poly(loop.lo)):
        return False
    t = step.var.type
    if isinstance(t, Pointer) or abs(step.amount) == 1 or _is_zero(start):
        return True  # the product is the value itself, or as wide as a pointer
    if isinstance(t, Scalar) and not t.is_signed:
        return True
    if not assume:
        return False
    way = _times(_total(loop, t), step, t)  # where it starts at 0 or above, the sums are larger
    return facts.ledger.assume(f"{sentence(way)} does not overflow {t}")


def _turn(loop: s.For, more: int, t: Type) -> e.Expr:
    """The number of iterations before this one (and `more`)."""
    u: e.Expr = loop.var
    if not _is_zero(loop.lo):
        u = e.Binary("-", u, loop.lo, u.type)
    if not (isinstance(loop.step, e.Const) and loop.step.value == 1):
        u = e.Binary("/", u, loop.step, u.type)
    if more:
        u = e.Binary("+", u, e.Const(more, u.type), u.type)
    return u if u.type == t else e.Cast(u, t)


def _total(loop: s.For, t: Type) -> e.Expr:
    """The number of iterations of a loop whose end is not before its start."""
    n: e.Expr = loop.hi
    if _is_zero(loop.lo) and isinstance(n, e.Binary) and n.op == "*" and n.b == loop.step:
        return n.a if n.type == t else e.Cast(n.a, t)
    if not _is_zero(loop.lo):
        n = e.Binary("-", n, loop.lo, n.type)
    assert isinstance(loop.step, e.Const)
    if loop.step.value != 1:
        n = e.Cast(n, I64)
        n = e.Binary("+", n, e.Const(int(loop.step.value) - 1, I64), I64)
        n = e.Binary("/", n, e.Const(int(loop.step.value), I64), I64)
    return n if n.type == t else e.Cast(n, t)


def _value(step: _Step, start: e.Expr, loop: s.For, more: int) -> e.Expr:
    """The stepping variable's value in an iteration, before its step or (1 more) behind it."""
    v = start
    t: Type = step.var.type
    if isinstance(t, Pointer):
        t = loop.var.type if abs(step.amount) == 1 else I64
    share = _share(step.by, loop.step)
    if share is not None and isinstance(v.type, Pointer):
        one = replace(step, by=share)
        t = loop.var.type if _is_one(share) else I64
        way = _times(_distance(loop, more, t), one, t)
    else:
        way = _times(_turn(loop, more, t), step, t)
    return _moved(v, way, step.down, v.type)


def _share(by: e.Expr, step: e.Expr) -> e.Expr | None:
    """`by` divided by a loop's step, where that is a constant in it: `16 * n` by 16 is `n`."""
    c = step.value if isinstance(step, e.Const) and is_int(step.type) else 1
    if c == 1:
        return None
    if isinstance(by, e.Const):
        whole = int(by.value) % int(c) == 0
        return e.Const(int(by.value) // int(c), by.type) if whole else None
    signed = isinstance(by.type, Scalar) and by.type.is_signed  # what wraps may not be divided
    if isinstance(by, e.Binary) and by.op == "*" and signed:
        for part, other in ((by.a, by.b), (by.b, by.a)):
            if (share := _share(part, step)) is not None:
                return other if _is_one(share) else replace(by, a=other, b=share)
    return None


def _is_one(x: e.Expr) -> bool:
    return isinstance(x, e.Const) and x.value == 1


def _distance(loop: s.For, more: int, t: Type) -> e.Expr:
    """What the loop's variable is ahead of its start in this iteration (or `more` behind it)."""
    assert isinstance(loop.step, e.Const)
    u: e.Expr = loop.var
    if not _is_zero(loop.lo):
        u = e.Binary("-", u, loop.lo, u.type)
    if more:
        u = e.Binary("+", u, e.Const(more * int(loop.step.value), u.type), u.type)
    return u if u.type == t else e.Cast(u, t)


def _moved(v: e.Expr, way: e.Expr, down: bool, t: Type) -> e.Expr:
    if _is_zero(v) and not down:
        return way
    if isinstance(t, Pointer) and down:
        return e.Binary("+", v, e.Unary("-", way, way.type), t)
    return e.Binary("-" if down else "+", v, way, t)


def _times(n: e.Expr, step: _Step, t: Type) -> e.Expr:
    if isinstance(step.by, e.Const) and step.by.value == 1:
        return n
    by = step.by if step.by.type == t else e.Cast(step.by, t)
    return e.Binary("*", n, by, t)


def _summed(loop: s.For, step: _Step, start: e.Expr) -> s.For:
    """`loop` without the step; the variable keeps the value that it has before the loop."""
    name = step.var.name
    copies = {
        st.var.name: _value(step, start, loop, 0)
        for st in loop.body[: step.at]
        if isinstance(st, s.Decl) and st.init == step.var and st.var.type == step.var.type
        if st.var.name not in assigned(loop.body)
    }
    first = tuple(
        st for st in loop.body[: step.at] if not (isinstance(st, s.Decl) and st.var.name in copies)
    )
    first = substitute(first, {name: _value(step, start, loop, 0)} | copies)
    rest = loop.body[step.at + 1 :]
    rest = substitute(rest, {name: _value(step, start, loop, 1)} | copies)
    return replace(loop, body=(*first, *rest))
