"""Accumulators: variables of which a loop only makes a sum, a product, an extreme or its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xpiler.analysis.effects import names_in
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.types import Scalar

SUMS = {"+": "+", "-": "+", "*": "*", "&": "&", "|": "|", "^": "^"}
_SWAPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


@dataclass(frozen=True, slots=True)
class Reduction:
    """`var` becomes `var op value` in every iteration, and nothing else asks for it.

    `op`: + * & | ^ && || min max (C's fmin and fmax, or an integer's), or < > <= >= for
    `if (value op var) var = value`. `place` is then a variable that takes the loop's index along
    with the value. `loose`: that is so unless a value is NaN.
    """

    var: e.Var
    op: str
    place: e.Var | None = None
    loose: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One statement that updates an accumulator: what is combined into it."""

    var: e.Var
    op: str
    value: e.Expr
    place: e.Var | None = None
    index: e.Var | None = None
    loose: bool = False


def find(body: s.Body, scalars: set[str], index: e.Var) -> tuple[Reduction, ...] | None:
    """How `body` (of a loop over `index`) updates each of `scalars`; None where one is no
    accumulator."""
    steps: list[Step] = []
    rest: list[object] = []
    _split(body, scalars, steps, rest)
    used = set().union(*(names_in(x) for x in rest)) if rest else set()
    if used & scalars:
        return None
    out: dict[str, Reduction] = {}
    for step in steps:
        red = Reduction(step.var, step.op, step.place, step.loose)
        if out.setdefault(step.var.name, red) != red:
            return None
        if step.place is not None and (step.index != index or step.op not in ("<", ">")):
            return None
    places = {r.place.name for r in out.values() if r.place is not None}
    if set(out) | places != scalars or places & set(out):
        return None
    return tuple(out.values())


def _split(body: s.Body, scalars: set[str], steps: list[Step], rest: list[object]) -> None:
    """Sort the statements into updates and everything else that is evaluated."""
    for st in body:
        step = update(st, scalars)
        if step is not None:
            steps.append(step)
            rest.append(step.value)
            if isinstance(st, s.Assign):
                rest += _subscripts(st.target)
        elif isinstance(st, s.If):
            rest.append(st.cond)
            _split(st.then, scalars, steps, rest)
            _split(st.orelse, scalars, steps, rest)
        elif isinstance(st, s.For):
            rest += [st.lo, st.hi, st.step]
            _split(st.body, scalars, steps, rest)
        elif isinstance(st, s.Scope):
            _split(st.body, scalars, steps, rest)
        elif isinstance(st, s.While):
            rest += [st.cond, st.step] if st.step else [st.cond]
            _split(st.body, scalars, steps, rest)
        else:
            rest.append(st)


def _subscripts(target: e.Expr) -> Iterator[e.Expr]:
    while isinstance(target, (e.Index, e.Field)):
        if isinstance(target, e.Index):
            yield target.index
        target = target.base


def update(st: s.Stmt, scalars: set[str]) -> Step | None:
    """`st` as an update of one of `scalars`, by a value without any of them."""
    found = None
    if isinstance(st, s.Assign) and isinstance(st.target, e.Var) and st.target.name in scalars:
        found = _assigned(st, st.target)
    elif isinstance(st, s.If) and not st.orelse:
        found = _guarded(st, scalars)
    if found is None or names_in(found.value) & scalars:
        return None
    return found


def _assigned(st: s.Assign, v: e.Var) -> Step | None:
    if st.op:
        return Step(v, SUMS[st.op], st.value) if st.op in SUMS else None
    x = st.value
    if isinstance(x, e.Cast) and isinstance(x.x.type, Scalar) and x.type == v.type:
        return None
    if isinstance(x, e.Binary) and (x.op in SUMS or x.op in e.LOGICAL):
        return _binary(x, v)
    if isinstance(x, e.Call) and x.func in ("min", "max") and len(x.args) == 2 and v in x.args:
        return Step(v, x.func, x.args[1] if x.args[0] == v else x.args[0])
    if isinstance(x, e.Call) and x.func == "fma" and x.args[2] == v:
        return Step(v, "+", e.Binary("*", x.args[0], x.args[1], x.type))
    return _chosen(x, v) if isinstance(x, e.Select) else None


def _binary(x: e.Binary, v: e.Var) -> Step | None:
    op = SUMS.get(x.op, x.op)
    if x.a == v:
        return Step(v, op, x.b)
    if x.b == v and x.op != "-" and x.op not in e.LOGICAL:
        return Step(v, op, x.a)
    if x.op == "+" and isinstance(x.a, e.Binary) and x.a.op == "+":
        inner = _binary(x.a, v)  # (v + a) + b
        if inner is not None:
            return Step(v, "+", e.Binary("+", inner.value, x.b, x.type))
    return None


def _chosen(x: e.Select, v: e.Var) -> Step | None:
    """`value > v ? value : v`, or `v > value ? v : value`, which differs for NaN only."""
    c = x.cond
    if not (isinstance(c, e.Binary) and c.op in _SWAPPED) or v not in (x.a, x.b):
        return None
    value = x.b if x.a == v else x.a
    if {c.a, c.b} != {v, value}:
        return None
    op = c.op if c.a == value else _SWAPPED[c.op]  # `value op v`
    if x.b == v:
        return Step(v, op, value)
    return Step(v, _SWAPPED[op], value, loose=not _integral(v))


def _integral(v: e.Var) -> bool:
    return isinstance(v.type, Scalar) and v.type.is_integer


def _guarded(st: s.If, scalars: set[str]) -> Step | None:
    """`if (value > v) { v = value; place = i; }`."""
    c = st.cond
    if not (isinstance(c, e.Binary) and c.op in _SWAPPED):
        return None
    v, value, op = (c.b, c.a, c.op) if _among(c.b, scalars) else (c.a, c.b, _SWAPPED[c.op])
    if not _among(v, scalars) or not all(_plain(x) for x in st.then):
        return None
    assert isinstance(v, e.Var)
    pairs = {x.target: x.value for x in st.then if isinstance(x, s.Assign)}
    if pairs.get(v) != value or len(pairs) != len(st.then) or len(pairs) > 2:
        return None
    others = [(t, x) for t, x in pairs.items() if t != v]
    if not others:
        return Step(v, op, value)
    place, index = others[0]
    if not _among(place, scalars) or not isinstance(index, e.Var):
        return None
    assert isinstance(place, e.Var)
    return Step(v, op, value, place, index)


def _among(x: e.Expr, scalars: set[str]) -> bool:
    return isinstance(x, e.Var) and x.name in scalars


def _plain(x: s.Stmt) -> bool:
    return isinstance(x, s.Assign) and not x.op and isinstance(x.target, e.Var)
