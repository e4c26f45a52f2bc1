"""Whether two programs are one: the same statements, integer expressions compared by value."""

from __future__ import annotations

from dataclasses import fields

from xpiler.analysis.ranges import Facts, Ledger, is_int
from xpiler.analysis.walker import after, inside
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Program
from xpiler.passes.cleanup.base import Assumptions, Context

SKIP = ("loc", "comments")


def same_form(a: Program, b: Program) -> bool:
    """Whether the functions agree, with the same names, up to the form of index arithmetic."""
    if len(a.functions) != len(b.functions):
        return False
    ctx = Context(Assumptions(), Ledger(), a)
    return all(
        f.name == g.name and f.params == g.params and _bodies(f.body, g.body, ctx.facts(f))
        for f, g in zip(a.functions, b.functions, strict=True)
    )


def _bodies(a: s.Body, b: s.Body, facts: Facts) -> bool:
    if len(a) != len(b):
        return False
    for x, y in zip(a, b, strict=True):
        if not _statements(x, y, facts):
            return False
        facts = after(x, facts)
    return True


def _statements(a: s.Stmt, b: s.Stmt, facts: Facts) -> bool:
    if type(a) is not type(b):
        return False
    return all(_values(a, getattr(a, f.name), getattr(b, f.name), facts, f.name)
               for f in fields(a) if f.name not in SKIP)  # fmt: skip


def _values(owner: s.Stmt, x: object, y: object, facts: Facts, key: str) -> bool:
    if isinstance(x, e.Expr) and isinstance(y, e.Expr):
        return _expressions(x, y, facts)
    if isinstance(x, tuple) and isinstance(y, tuple) and x and isinstance(x[0], s.Stmt):
        if isinstance(owner, s.For):
            facts = inside(owner, facts)
        elif isinstance(owner, s.If):
            facts = facts.with_cond(owner.cond, key == "then")
        return _bodies(x, y, facts)
    return x == y


def _expressions(a: e.Expr, b: e.Expr, facts: Facts) -> bool:
    if a == b:
        return True
    if a.type != b.type:
        return False
    if is_int(a.type) and facts.poly(a) == facts.poly(b):
        return True
    if type(a) is not type(b):
        return False
    return all(_parts(getattr(a, f.name), getattr(b, f.name), facts) for f in fields(a))  # type: ignore[arg-type]


def _parts(x: object, y: object, facts: Facts) -> bool:
    if isinstance(x, e.Expr) and isinstance(y, e.Expr):
        return _expressions(x, y, facts)
    if isinstance(x, tuple) and isinstance(y, tuple) and len(x) == len(y):
        return all(_parts(p, q, facts) for p, q in zip(x, y, strict=True))
    return x == y
