"""What lanes collect apart and one loop then adds up is added up at once.

`for t { s = 0; for i in [t, n) step T: s += f(i); a[t] = s }  r = a[0]; for k in [1, T): r += a[k]`
is `r = 0; for i in [0, n): r += f(i)`. In three steps: the loop over the array joins the one that
fills it; a partial result that is only added to the whole is left out; and a nest that only
accumulates runs in any order, so its strides go as those of parallel loops do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count, pairwise

from xpiler.analysis.atoms import REORDERED, Ledger
from xpiler.analysis.dependence import independent
from xpiler.analysis.effects import escapes, names_in, of_stmt
from xpiler.analysis.ranges import Facts
from xpiler.analysis.reductions import Step, update
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import fresh_name, rewrite_exprs, rewrite_stmts, walk
from xpiler.ir.types import BF16, F16, Array, Scalar
from xpiler.passes.cleanup.base import Context, Walker, each_function, inside
from xpiler.passes.cleanup.bodies import each_body
from xpiler.passes.cleanup.coalesce import Coalescer
from xpiler.passes.cleanup.fold import int_value
from xpiler.passes.cleanup.machine import (
    IDEMPOTENT,
    OPERATIONS,
    ROUNDED,
    Machine,
    Mix,
    identity,
    is_neutral,
)
from xpiler.passes.cleanup.nests import from_zero
from xpiler.passes.cleanup.overwrites import dead_before, dealt


@dataclass(frozen=True)
class Accumulate:
    """Partial results of lanes that are combined afterwards go straight into the whole."""

    name: str = "accumulate"

    def apply(self, program: Program, ctx: Context) -> Program:
        def one(f: Function) -> Function:
            taken = {p.name for p in f.params} | set(names_in(f.body))
            body = each_body(f.body, lambda b: _joined(b, taken, ctx.ledger))
            body = each_body(body, lambda b: _without_partials(b, ctx.ledger))
            body = each_body(body, _started)
            f = replace(f, body=body) if body is not f.body else f
            axes = {v for name, v in ctx.axes if name == f.name}
            return _Contiguous(axes, taken, ctx.ledger).run(f, ctx.facts(f))

        return each_function(program, one)


# -- the loop over the array joins the one that fills it ------------------------------------------


@dataclass(frozen=True)
class _Fold:
    """Statements [at, after) of a body that make `var` all of array[0], ... array[end - 1]."""

    at: int
    after: int
    var: e.Var
    op: str
    array: e.Var
    end: int


def _joined(body: s.Body, taken: set[str], ledger: Ledger) -> s.Body:
    for at in range(len(body) - 1):
        fold = _fold(body, at)
        source = _source(body, fold) if fold is not None else None
        if fold is None or source is None:
            continue
        t = fold.var.type
        assert isinstance(t, Scalar)
        start = identity(fold.op, t)
        if start is None or not _may_reorder(fold.op, t, ledger):
            continue
        return _joined(_with_sum(body, fold, source, start, taken), taken, ledger)
    return body


def _may_reorder(op: str, t: Scalar, ledger: Ledger) -> bool:
    if not t.is_float or op not in ROUNDED:
        return True
    return t not in (F16, BF16) and ledger.assume(REORDERED)


def _fold(body: s.Body, at: int) -> _Fold | None:
    decl = body[at]
    if not isinstance(decl, s.Decl) or decl.init is None or not isinstance(decl.var.type, Scalar):
        return None
    arrays = {v.name: v for v in _subscripted(body[at : at + 2])}
    if not arrays:
        return None
    machine = Machine(frozenset(arrays), frozenset())
    after = at
    while after < len(body) and (after == at or _combines(body[after], decl.var)):
        if not machine.run(body[after]):
            break
        after += 1
    mix = machine.state.scalars.get(decl.var.name)
    if not isinstance(mix, Mix) or not mix.op or {name for name, _ in mix.names} != {*arrays}:
        return None
    places = sorted(k for _, k in mix.names)
    if places != list(range(len(places))) or any(n != 1 for _, n in mix.leaves):
        return None
    return _Fold(at, after, decl.var, mix.op, next(iter(arrays.values())), len(places))


def _subscripted(body: s.Body) -> set[e.Var]:
    """Arrays of which elements are read."""
    return {
        n.base
        for n in walk(body)
        if isinstance(n, e.Index) and isinstance(n.base, e.Var) and isinstance(n.base.type, Array)
    }


def _combines(st: s.Stmt, var: e.Var) -> bool:
    """Whether `st` does nothing but change the scalar `var`."""
    return isinstance(st, (s.For, s.Assign)) and of_stmt(st).writes - _counters(st) == {var.name}


def _counters(st: s.Stmt) -> frozenset[str]:
    return frozenset(n.var.name for n in walk(st) if isinstance(n, s.For))


def _source(body: s.Body, fold: _Fold) -> int | None:
    """Which statement of `body` fills what the fold adds up, if nothing else ever reads that."""
    name = fold.array.name
    if not any(isinstance(st, s.Decl) and st.var.name == name for st in body):
        return None
    rest = body[fold.after :]
    near = rest[: dead_before(rest, name, 0, fold.end)]
    if any(name in of_stmt(st).reads for st in near):
        return None
    for k in range(fold.at - 1, -1, -1):
        if name in names_in(body[k]):
            st = body[k]
            fills = dealt(st, name, 0, fold.end) is not None
            whole = isinstance(st, s.For) and int_value(st.hi) == fold.end
            jumps = isinstance(st, s.For) and escapes(st.body, in_loop=False)
            return k if fills and whole and not jumps else None
    return None


def _with_sum(body: s.Body, fold: _Fold, source: int, start: e.Expr, taken: set[str]) -> s.Body:
    loop = body[source]
    assert isinstance(loop, s.For)
    assert isinstance(fold.array.type, Array)
    part = e.Var(fresh_name(fold.var.name.split(".")[0], taken), fold.array.type.elem)
    taken.add(part.name)
    where = dealt(loop, fold.array.name, 0, fold.end)
    assert where is not None
    inner = list(rewrite_exprs(loop.body, lambda x: part if _is_of(x, fold.array) else x))
    first = inner[where]
    assert isinstance(first, s.Assign)
    if where == len(inner) - 1:
        inner[where] = combined(fold.var, fold.op, first.value)
    else:
        inner[where] = s.Decl(part, first.value, loc=first.loc, comments=first.comments)
        inner.append(combined(fold.var, fold.op, part))
    new = replace(loop, kind="serial", body=tuple(inner))
    decl = body[fold.at]
    assert isinstance(decl, s.Decl)
    total = replace(decl, init=start, const=False)
    rest = (*body[source + 1 : fold.at], *body[fold.after :])
    return (*body[:source], total, new, *rest)


def _is_of(x: e.Expr, array: e.Var) -> bool:
    return isinstance(x, e.Index) and x.base == array


def combined(var: e.Var, op: str, value: e.Expr) -> s.Stmt:
    """`var = var op value`."""
    if op in ("max", "min"):
        return s.Assign(var, e.Call(op, (var, value), var.type))
    return s.Assign(var, value, op)  # type: ignore[arg-type]


# -- a partial result that is only added to the whole is left out ---------------------------------


def _without_partials(body: s.Body, ledger: Ledger) -> s.Body:
    for at, st in enumerate(body):
        if not isinstance(st, s.Decl) or st.init is None or not isinstance(st.var.type, Scalar):
            continue
        end = _added(body, at, st.var)
        if end is None:
            continue
        whole, op = end[1].var, end[1].op
        if not _may_reorder(op, st.var.type, ledger):
            continue
        middle = _renamed(body[at + 1 : end[0]], st.var, whole)
        first = () if is_neutral(op, st.init) else (combined(whole, op, st.init),)
        return _without_partials((*body[:at], *first, *middle, *body[end[0] + 1 :]), ledger)
    return body


def _added(body: s.Body, at: int, part: e.Var) -> tuple[int, Step] | None:
    """Where the partial result `part` declared at `at` joins a whole, if it does nothing else."""
    for k in range(at + 1, len(body)):
        st = body[k]
        whole = _whole(st, part)
        if whole is not None:
            between, rest = body[at + 1 : k], body[k + 1 :]
            apart = whole.var.name not in names_in(between)
            mine = part.name not in names_in(rest)
            only = _only_updates(between, part, whole.op)
            return (k, whole) if apart and mine and only else None
    return None


def _whole(st: s.Stmt, part: e.Var) -> Step | None:
    """`st` as `whole = whole op part`."""
    if not isinstance(st, s.Assign) or not isinstance(st.target, e.Var):
        return None
    if st.target == part or st.target.type != part.type:
        return None
    step = update(st, {st.target.name})
    return step if step is not None and step.value == part and step.op in OPERATIONS else None


def _only_updates(body: s.Body, part: e.Var, op: str) -> bool:
    """Whether `part` occurs in `body` in updates by `op` alone, one at least."""
    met = 0
    for n in walk(body):
        if isinstance(n, s.Stmt) and (step := update(n, {part.name})) is not None:
            if step.op != op or step.place is not None or not isinstance(n, s.Assign):
                return False
            met += 1
    used = sum(1 for n in walk(body) if isinstance(n, e.Var) and n.name == part.name)
    return met > 0 and used == _uses(body, part) and not escapes(body)


def _uses(body: s.Body, part: e.Var) -> int:
    """How often updates of `part` name it."""
    total = 0
    for n in walk(body):
        if isinstance(n, s.Assign) and update(n, {part.name}) is not None:
            total += sum(1 for x in walk(n) if isinstance(x, e.Var) and x.name == part.name)
    return total


def _renamed(body: s.Body, part: e.Var, whole: e.Var) -> s.Body:
    out: s.Body = rewrite_exprs(body, lambda x: whole if x == part else x)
    return out


# -- a constant that every lane adds in is where the whole starts ---------------------------------


def _started(body: s.Body) -> s.Body:
    """`m = -INF; for t { m = max(m, C); ... }` as `m = C; for t ...`: once is as good as often."""
    for at, (d, loop) in enumerate(pairwise(body)):
        if not isinstance(d, s.Decl) or d.init is None or not isinstance(loop, s.For):
            continue
        whole, ends = d.var, [int_value(x) for x in (loop.lo, loop.hi)]
        if None in ends or ends[0] >= ends[1]:  # type: ignore[operator]
            continue
        for st in loop.body:
            step = update(st, {whole.name}) if isinstance(st, s.Assign) else None
            if step is None or step.op not in IDEMPOTENT or not isinstance(step.value, e.Const):
                continue
            if is_neutral(step.op, d.init) and _only_updates(loop.body, whole, step.op):
                rest = tuple(x for x in loop.body if x is not st)
                start, less = replace(d, init=step.value), replace(loop, body=rest)
                return _started((*body[:at], start, less, *body[at + 2 :]))
    return body


# -- a nest that only accumulates runs in any order -----------------------------------------------


@dataclass
class _Contiguous(Walker):
    axes: set[str]
    taken: set[str]
    ledger: Ledger

    def stmt(self, st: s.Stmt, facts: Facts) -> s.Body:
        new = self.descend(st, facts)
        if not isinstance(new, s.For) or new.kind == "parallel":
            return (new,)
        inner, sums = _collected(new)
        if inner is None or not all(
            isinstance(t, Scalar) and _may_reorder(op, t, self.ledger) for op, t in sums
        ):
            return (new,)
        free = _marked(new, inner, "parallel")
        done = Coalescer(set(), self.axes, self.taken).stmt(free, facts)
        if done != (free,) and all(_apart(x, facts) for x in done):
            return tuple(_serial(x) for x in done)
        windows = _in_windows(new, self.taken)
        return (windows if windows is not None and _apart(windows, facts) else new,)


def _collected(loop: s.For) -> tuple[s.For | None, set[tuple[str, object]]]:
    """The innermost loop of a nest that updates accumulators, and by what operations.

    Whatever else it stores is for `_apart` to look at.
    """
    inner, depth = loop, 0
    while inner.body and isinstance(inner.body[-1], s.For):
        if not all(isinstance(d, s.Decl) for d in inner.body[:-1]):
            return None, set()
        inner, depth = inner.body[-1], depth + 1
    if depth == 0 or escapes(inner.body, in_loop=True):
        return None, set()
    sums: set[tuple[str, object]] = set()
    names: set[str] = set()
    for n in walk(inner.body):
        if isinstance(n, s.Assign) and isinstance(n.target, e.Var):
            step = update(n, {n.target.name})
            if step is None or step.op not in OPERATIONS or step.place is not None:
                return None, set()
            names.add(n.target.name)
            sums.add((step.op, n.target.type))
        elif isinstance(n, s.Assign):
            continue  # see `_apart`
        elif isinstance(n, s.Stmt) and not isinstance(n, (s.Decl, s.If, s.Scope)):
            return None, set()
    local = {n.var.name for n in walk(loop) if isinstance(n, s.Decl)}
    alone = all(_only_accumulates(inner.body, v) for v in names)
    return (inner, sums) if names and alone and not names & local else (None, set())


def _apart(st: s.Stmt, facts: Facts) -> bool:
    """Whether the iterations of a nest have nothing in common but what they update."""
    numbers = count()

    def one(x: s.Stmt) -> s.Stmt:
        if not isinstance(x, s.Assign) or not isinstance(x.target, e.Var):
            return x
        step = update(x, {x.target.name})
        name = f"{x.target.name}.part.{next(numbers)}"
        return x if step is None else s.Decl(e.Var(name, step.value.type), step.value)

    if not any(isinstance(n, s.Assign) and not isinstance(n.target, e.Var) for n in walk(st)):
        return True
    st = rewrite_stmts(st, one)
    while isinstance(st, s.For):
        if not independent(st, facts):
            return False
        facts = inside(st, facts)
        st = st.body[-1]
    return True


def _only_accumulates(body: s.Body, name: str) -> bool:
    ops = {
        step.op
        for n in walk(body)
        if isinstance(n, s.Assign) and (step := update(n, {name})) is not None
    }
    var = next(n for n in walk(body) if isinstance(n, e.Var) and n.name == name)
    return len(ops) == 1 and _only_updates(body, var, ops.pop())


def _marked(loop: s.For, inner: s.For, kind: s.LoopKind) -> s.For:
    """The loops around `inner` with another kind."""
    if loop is inner:
        return loop
    *decls, last = loop.body
    assert isinstance(last, s.For)
    return replace(loop, kind=kind, body=(*decls, _marked(last, inner, kind)))


def _in_windows(loop: s.For, taken: set[str]) -> s.For | None:
    """`for t in [0, T) for i in [b + t, n) step S` as windows of T side by side, S apart."""
    inner = loop.body[0] if len(loop.body) == 1 else None
    if not isinstance(inner, s.For) or not from_zero(loop) or inner.var.type != loop.var.type:
        return None
    lo, length, stride = inner.lo, int_value(loop.hi), int_value(inner.step)
    if not isinstance(lo, e.Binary) or lo.op != "+" or lo.b != loop.var or length is None:
        return None
    used = names_in((inner.hi, inner.step, lo.a)) | names_in(inner.body)
    if loop.var.name in used or stride is None or not 1 < length <= stride:
        return None
    base = e.Var(fresh_name("base", taken), inner.var.type)
    taken.add(base.name)
    end = e.Binary("+", base, loop.hi, base.type)
    hi = e.Call("min", (end, inner.hi), base.type)
    one = e.Const(1, base.type)
    window = replace(inner, lo=base, hi=hi, step=one)
    return replace(inner, var=base, lo=lo.a, body=(window,), comments=loop.comments)


def _serial(st: s.Stmt) -> s.Stmt:
    if not isinstance(st, s.For):
        return st
    return replace(st, kind="serial", body=tuple(_serial(x) for x in st.body))
