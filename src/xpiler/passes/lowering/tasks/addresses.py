"""Subscripts in unsigned arithmetic become signed: an index that does not wrap has one value."""

from __future__ import annotations

from dataclasses import replace

from xpiler.analysis.effects import assigned, declared
from xpiler.analysis.ranges import Facts, is_int
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import rewrite_exprs, rewrite_stmts
from xpiler.ir.types import I64, U32, U64, Pointer, Scalar

NO_WRAP = "unsigned index arithmetic does not wrap"


def signed_addresses(body: s.Body, facts: Facts) -> s.Body:
    """`body` with i64 arithmetic for u32 and u64 in subscripts and pointer offsets.

    The value is the same where the unsigned result is that of unbounded arithmetic, which is
    recorded as an assumption when anything changes.
    """
    names = _indices(body)
    new: s.Body = rewrite_stmts(body, lambda st: _declared(st, names))
    new = rewrite_exprs(new, lambda x: _typed(x, names))
    new = rewrite_exprs(new, _address)
    if new != body:
        facts.ledger.assume(NO_WRAP)
    return new


def _indices(body: s.Body) -> dict[str, e.Var]:
    """Unsigned variables with one value, as signed ones."""
    changing = assigned(body)
    out = {}
    for name, d in declared(body).items():
        unsigned = d.var.type in (U32, U64) and name not in changing
        if unsigned and d.init is not None and _is_sum(d.init):
            out[name] = e.Var(name, I64)
    return out


def _is_sum(x: e.Expr) -> bool:
    while isinstance(x, e.Cast) and is_int(x.x.type):
        x = x.x
    return isinstance(x, (e.Var, e.Const)) or (isinstance(x, e.Binary) and x.op in ("+", "-", "*"))


def _declared(st: s.Stmt, names: dict[str, e.Var]) -> s.Stmt:
    if isinstance(st, s.Decl) and st.var.name in names and st.init is not None:
        return replace(st, var=names[st.var.name], init=signed(st.init))
    return st


def _typed(x: e.Expr, names: dict[str, e.Var]) -> e.Expr:
    if isinstance(x, e.Var) and x.name in names and x.type != I64:
        return e.Cast(names[x.name], x.type)
    return x


def _address(x: e.Expr) -> e.Expr:
    if isinstance(x, e.Index) and _unsigned(x.index):
        return replace(x, index=signed(x.index))
    if isinstance(x, e.Binary) and isinstance(x.type, Pointer) and _unsigned(x.b):
        return replace(x, b=signed(x.b))
    return x


def _unsigned(x: e.Expr) -> bool:
    while isinstance(x, e.Cast) and is_int(x.x.type):
        if x.type in (U32, U64) or x.x.type in (U32, U64):
            return True
        x = x.x
    if isinstance(x, e.Binary) and x.op in ("+", "-", "*"):
        return x.type in (U32, U64) or _unsigned(x.a) or _unsigned(x.b)
    return False


def signed(x: e.Expr) -> e.Expr:
    """The value of an integer expression in i64, sums and products in unbounded arithmetic."""
    if isinstance(x, e.Const):
        return e.Const(int(x.value), I64, x.text)
    if isinstance(x, e.Cast) and isinstance(x.x.type, Scalar) and is_int(x.x.type):
        wide = isinstance(x.type, Scalar) and x.type.bits >= 32
        return signed(x.x) if wide else e.Cast(x, I64)
    if isinstance(x, e.Binary) and x.op in ("+", "-", "*") and is_int(x.type):
        return e.Binary(x.op, signed(x.a), signed(x.b), I64)
    return x if x.type == I64 else e.Cast(x, I64)


__all__ = ["NO_WRAP", "signed", "signed_addresses"]
