"""Zero padding of a sum: iterations that add +0 to an accumulator which is never -0 go.

A tile loop over `k in [0, U)` with U >= K reads zeros beyond K, so that it adds 0*0 to its
accumulator. Under round-to-nearest a sum is -0 only if both terms are (IEEE 754, 6.3): an
accumulator that starts as anything else and is only added to is never -0, and adding +0 to it
changes nothing. The loop then ends at K, and the choices between element and padding are decided.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from xpiler.analysis.effects import assigned, names_in
from xpiler.analysis.ranges import Facts, is_int
from xpiler.analysis.walker import Walker, after
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import walk
from xpiler.ir.types import Scalar
from xpiler.passes.cleanup.base import Context, each_function, inside
from xpiler.passes.cleanup.guards import conjuncts, narrowed
from xpiler.passes.cleanup.simplify import simplify


@dataclass(frozen=True)
class Padding:
    """Ends a summation loop where only padding would follow."""

    name: str = "padding"

    def apply(self, program: Program, ctx: Context) -> Program:
        def one(f: Function) -> Function:
            return _Padding().run(f, ctx.facts(f))

        return each_function(program, one)


class _Padding(Walker):
    def body(self, body: s.Body, facts: Facts) -> s.Body:
        body = super().body(body, facts)
        out = list(body)
        for i, st in enumerate(body):
            if isinstance(st, s.For) and st.kind == "serial" and is_int(st.var.type):
                out[i] = _shortened(st, body[:i], facts)
            facts = after(st, facts)
        return body if all(a is b for a, b in zip(out, body, strict=True)) else tuple(out)


def _shortened(loop: s.For, before: s.Body, facts: Facts) -> s.For:
    """`loop` narrowed by each condition without which its body adds nothing."""
    if not loop.body or not all(_adds(st, before, loop.body) for st in loop.body):
        return loop
    inner = inside(loop, facts)
    for cond in _conditions(loop):
        if not all(_adds_zero(st, cond, inner) for st in loop.body):
            continue
        new = narrowed(loop, cond, inner, facts)
        if new is not None and new != loop:
            return new
    return loop


def _adds(st: s.Stmt, before: s.Body, body: s.Body) -> bool:
    """Whether `st` is `acc += value`, with `acc` a scalar that cannot be -0."""
    if not isinstance(st, s.Assign) or st.op != "+" or not isinstance(st.target, e.Var):
        return False
    t = st.target.type
    if not isinstance(t, Scalar) or not t.is_float:
        return isinstance(t, Scalar) and t.is_integer
    name = st.target.name
    if any(isinstance(x, s.Assign) and name in names_in(x.value) for x in body):
        return False
    return never_negative_zero(name, before)


def never_negative_zero(name: str, before: s.Body) -> bool:
    """Whether the variable, declared in `before`, started as no -0 and was only added to."""
    for i, st in enumerate(before):
        if isinstance(st, s.Decl) and st.var.name == name:
            value = st.init.value if isinstance(st.init, e.Const) else None
            if value is None or (value == 0 and math.copysign(1, value) < 0):
                return False
            return all(_only_adds(n, name) for x in before[i + 1 :] for n in walk(x))
    return False


def _only_adds(n: object, name: str) -> bool:
    if isinstance(n, s.Assign) and name in assigned((n,)):
        return n.op == "+"
    if isinstance(n, e.AddressOf):
        return name not in names_in(n)
    return not (isinstance(n, s.Instr) and name in names_in(n))


def _conditions(loop: s.For) -> list[e.Expr]:
    found: list[e.Expr] = []
    for n in walk(loop.body):
        if isinstance(n, e.Select):
            found += [c for c in conjuncts(n.cond) if c not in found]
    return [c for c in found if loop.var.name in names_in(c)]


def _adds_zero(st: s.Stmt, cond: e.Expr, facts: Facts) -> bool:
    """Whether `st` adds +0 where `cond` does not hold."""
    assert isinstance(st, s.Assign)
    value = simplify(st.value, facts.with_cond(cond, False))
    return _is_zero(value)


def _is_zero(x: e.Expr) -> bool:
    if isinstance(x, e.Const):
        return x.value == 0 and math.copysign(1, x.value) > 0
    if isinstance(x, e.Cast):
        return _is_zero(x.x)
    if isinstance(x, e.Binary) and x.op in ("*", "+"):
        return _is_zero(x.a) and _is_zero(x.b)
    return isinstance(x, e.Call) and x.func == "fma" and all(map(_is_zero, x.args))


__all__ = ["Padding", "never_negative_zero", "replace"]
