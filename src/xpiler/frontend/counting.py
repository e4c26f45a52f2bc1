"""Which loops keep the rule of `For`, and the `For` that they are.

`for (T v = lo; v < hi; v += step)` where the body never assigns `v`, and `hi` and `step` do not
change. Used facts of C: signed overflow and an endless loop without effects are undefined, so a
loop that counts up to a signed bound is taken not to wrap.
"""

from __future__ import annotations

from dataclasses import replace

from xpiler.frontend.convert import const, const_int, convert
from xpiler.frontend.reader import root_name, writes
from xpiler.ir.expr import AddressOf, Axis, Binary, BinaryOp, Call, Cast, Const, Expr, Index, Var
from xpiler.ir.intrinsics import math_functions
from xpiler.ir.rewrite import walk, walk_exprs
from xpiler.ir.stmt import Assign, Body, Break, Decl, For, If, Return, Scope, Switch, While
from xpiler.ir.types import I32, Scalar

_SWAPPED: dict[str, BinaryOp] = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "!=": "!=", "==": "=="}


def counting(decl: Decl, loop: While, memory: set[str]) -> For | None:
    """The `For` that `decl; loop` is, or None. `memory`: locals that others can write."""
    var = decl.var
    if not (isinstance(var.type, Scalar) and var.type.is_integer) or decl.init is None:
        return None
    if decl.space != "local" or var.name in memory or loop.do:
        return None
    step = _step(var, loop.step)
    bound = _bound(var, loop, decl.init, step)
    if step is None or bound is None or not _kept(var, (bound, step), loop, memory):
        return None
    lo = convert(decl.init, var.type)
    return For(var, lo, bound, step, loop.body, loc=loop.loc or decl.loc, comments=decl.comments)


def _step(var: Var, step: Body) -> Expr | None:
    """The positive amount that the step adds to the variable."""
    if len(step) != 1 or not isinstance(step[0], Assign) or step[0].target != var:
        return None
    st = step[0]
    amount = convert(st.value, var.type) if st.op == "+" else _added(var, st)
    if amount is None or any(n == var for n in walk_exprs(amount)):
        return None
    known = const_int(amount)
    return amount if known is None or known > 0 else None


def _added(var: Var, st: Assign) -> Expr | None:
    """`v = T((U)v + x)`: x as a T (the same bits, whatever U of that width)."""
    value = st.value.x if isinstance(st.value, Cast) else st.value
    if st.op or not isinstance(value, Binary) or value.op != "+":
        return None
    for one, other in ((value.a, value.b), (value.b, value.a)):
        inner = one.x if isinstance(one, Cast) else one
        if inner == var and isinstance(other.type, Scalar) and other.type.is_integer:
            return convert(other, var.type)
    return None


def _bound(var: Var, loop: While, lo: Expr, step: Expr | None) -> Expr | None:
    """The exclusive upper bound in the variable's type."""
    if not isinstance(loop.cond, Binary) or step is None:
        return None
    op, left, right = loop.cond.op, loop.cond.a, loop.cond.b
    if _is_var(right, var):
        op, left, right = _SWAPPED.get(op, op), right, left
    if not _is_var(left, var) or not isinstance(right.type, Scalar) or right.type.is_float:
        return None
    hi = _in_type(var, left, right, lo)
    if hi is None:
        return None
    if op == "<":
        return hi
    if op == "<=":
        return _one_more(var, hi, loop.body)
    return hi if op == "!=" and const_int(step) == 1 and _reaches(var, lo, hi) else None


def _is_var(e: Expr, var: Var) -> bool:
    return e == var or (
        isinstance(e, Cast) and e.x == var and isinstance(e.type, Scalar) and e.type.is_integer
    )


def _in_type(var: Var, left: Expr, right: Expr, lo: Expr) -> Expr | None:
    """`right` as a bound in the variable's type, where comparing there means the same."""
    t, wide = var.type, left.type
    assert isinstance(t, Scalar)
    assert isinstance(wide, Scalar)
    if left == var:
        return convert(right, t)
    known = const_int(right)
    if known is not None:
        return const(known, t) if const(known, t).value == known and not_negative(lo) else None
    if isinstance(right, Cast) and right.x.type == t and _widens(t, wide):
        return right.x
    fits = t.bits >= 32 and not_negative(lo)
    return convert(right, t) if fits and (t.is_signed or _widens(t, wide)) else None


def _widens(t: Scalar, wide: Scalar) -> bool:
    return wide.bits > t.bits and (wide.is_signed or not t.is_signed)


def not_negative(e: Expr) -> bool:
    """Whether `e` cannot be negative, by its form (thread and block indices, unsigned values)."""
    known = const_int(e)
    if known is not None:
        return known >= 0
    if isinstance(e, Cast):
        inner = e.x.type
        plain = isinstance(inner, Scalar) and inner.is_integer
        return plain and (not_negative(e.x) or any(isinstance(n, Axis) for n in walk_exprs(e.x)))
    if isinstance(e, Binary) and e.op in ("+", "*", "/", "%", ">>", "&"):
        return not_negative(e.a) and not_negative(e.b)
    return isinstance(e.type, Scalar) and not e.type.is_signed


def _one_more(var: Var, hi: Expr, body: Body) -> Expr | None:
    """`hi + 1` where it cannot wrap."""
    t = var.type
    assert isinstance(t, Scalar)
    known = const_int(hi)
    if known is not None:
        more = const(known + 1, t)
        return more if more.value == known + 1 else None
    if isinstance(hi, Binary) and hi.op == "-" and const_int(hi.b) == 1 and t.is_signed:
        return hi.a
    if not t.is_signed or t.bits < 32 or leaves(body):
        return None
    return Binary("+", hi, const(1, t), t)


def leaves(body: Body) -> bool:
    """Whether `body` may leave the loop early."""
    for st in body:
        if isinstance(st, (Break, Return)):
            return True
        if isinstance(st, If) and (leaves(st.then) or leaves(st.orelse)):
            return True
        if isinstance(st, Scope) and leaves(st.body):
            return True
        if isinstance(st, (For, While, Switch)) and any(isinstance(n, Return) for n in walk(st)):
            return True
    return False


def _reaches(var: Var, lo: Expr, hi: Expr) -> bool:
    """Whether counting by one from `lo` meets `hi`: else the source's loop would overflow."""
    assert isinstance(var.type, Scalar)
    return var.type.is_signed or const_int(lo) == 0


def _kept(var: Var, bounds: tuple[Expr, Expr], loop: While, memory: set[str]) -> bool:
    """Whether the body leaves the variable and the bounds alone."""
    written, writes_memory = writes(loop.body)
    names = {n.name for b in bounds for n in walk_exprs(b) if isinstance(n, Var)}
    if var.name in written or names & written or _address_taken(var, loop.body):
        return False
    if any(
        isinstance(n, Call) and n.func not in math_functions()
        for b in bounds
        for n in walk_exprs(b)
    ):
        return False
    reads = any(_reads(n, memory) for b in bounds for n in walk_exprs(b))
    return not (reads and writes_memory)


def _reads(n: Expr, memory: set[str]) -> bool:
    return isinstance(n, Index) or (isinstance(n, Var) and n.name in memory)


def _address_taken(var: Var, body: Body) -> bool:
    return any(isinstance(n, AddressOf) and root_name(n.x) == var.name for n in walk_exprs(body))


__all__ = ["counting", "not_negative"]
_ = (I32, Const, replace)
