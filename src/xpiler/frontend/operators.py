"""Operators: arithmetic, comparisons, `?:`, `&&`, `||`; assignments become statements."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from xpiler.frontend.convert import arithmetic, const, convert, negate, truth, zero
from xpiler.frontend.cursor import Node
from xpiler.frontend.expressions import address, punned
from xpiler.frontend.reader import FunctionReader, expression, simple
from xpiler.frontend.types import lane_name, unqualified
from xpiler.ir.expr import (
    AddressOf,
    Aggregate,
    Binary,
    BinaryOp,
    Bits,
    Const,
    Expr,
    Field,
    Index,
    Select,
    Unary,
    UnaryOp,
    Var,
    is_place,
)
from xpiler.ir.stmt import Assign, Decl, Eval, If, Instr
from xpiler.ir.types import BOOL, I32, I64, Array, Pointer, Scalar, Struct, Type, Vector


@expression("UNARY_OPERATOR")
def _unary(r: FunctionReader, n: Node) -> Expr:
    op = n.unary
    if op in ("++p", "--p", "p++", "p--"):
        return step(r, n, used=True)
    if op == "&":
        return address_of(r, n.kids[0])
    if op == "*":
        return deref(r.expr(n.kids[0]))
    x = r.expr(n.kids[0])
    if op in ("+", "ext"):
        return x
    if op == "!":
        return convert(negate(truth(x)), r.unit.types(n.type))
    return per_lane_unary(r, cast(UnaryOp, op), x, r.unit.types(n.type))


def per_lane_unary(r: FunctionReader, op: UnaryOp, x: Expr, t: Type) -> Expr:
    """`op x`; the lanes of a vector one by one; a literal takes the sign into itself."""
    if isinstance(t, Vector) and r.unit.words.lanes:
        return Unary(op, x, t)
    if isinstance(t, Vector):
        kept = r.saved(x)
        return Aggregate(tuple(Unary(op, lane(kept, i), t.elem) for i in range(t.lanes)), t)
    if op == "-" and isinstance(x, Const) and isinstance(t, Scalar) and not _named(x):
        return const(-x.value, t, f"-{x.text}" if x.text else None)
    if op == "~" and isinstance(x, Const) and isinstance(t, Scalar) and not _named(x):
        return const(~int(x.value), t)
    return Unary(op, x, t)


def _named(x: Const) -> bool:
    return x.text is not None and (x.text[0].isalpha() or x.text[0] == "_")


def lane(x: Expr, i: int) -> Expr:
    """Lane `i` of a vector value."""
    if isinstance(x, Aggregate):
        return x.items[i]
    assert isinstance(x.type, Vector)
    return Field(x, lane_name(x.type, i), x.type.elem)


def deref(p: Expr) -> Expr:
    """`*p`; `*(p + i)` is `p[i]`, `*&x` is `x`."""
    if isinstance(p, AddressOf):
        return p.x
    elem = p.type.elem if isinstance(p.type, (Pointer, Array)) else p.type
    if isinstance(p, Binary) and p.op == "+" and isinstance(p.a.type, (Pointer, Array)):
        return Index(p.a, p.b, elem)
    return Index(p, Const(0, I32), elem)


def address_of(r: FunctionReader, n: Node) -> Expr:
    place = r.expr(n)
    if not is_place(place):
        place = r.temp(place, place.type)
    if isinstance(place, Var):
        r.memory.add(place.name)
    return address(place, n.type.is_const_qualified())


def step(r: FunctionReader, n: Node, used: bool) -> Expr:
    """`x++` and its kin: a statement; the value is the old or the new one."""
    place = fixed_place(r, r.expr(n.kids[0]))
    op: BinaryOp = "+" if "++" in n.unary else "-"
    before = n.unary in ("p++", "p--")
    old = r.temp(place, place.type, _base_name(place)) if used and before else place
    assign_op(r, place, op, const(1, I32))
    return old


def _base_name(place: Expr) -> str:
    return place.name if isinstance(place, Var) else "t"


def assign_op(r: FunctionReader, place: Expr, op: BinaryOp, value: Expr) -> None:
    """`place op= value`, computed in the type of `value` where that is another one."""
    t = place.type
    if (whole := punned(place)) is not None:
        changed = binary(r, op, Bits(whole, t), convert(value, t), t)
        r.emit(Assign(whole, Bits(changed, whole.type)))
    elif isinstance(t, Pointer):
        r.emit(Assign(place, value, op))
    elif isinstance(t, Vector):
        r.emit(Assign(place, lanes_binary(r, op, place, value, t)))
    elif value.type == t or _same_when_narrow(value, t) or (op in ("<<", ">>") and _wide(t)):
        r.emit(Assign(place, convert(value, t) if op not in ("<<", ">>") else value, op))
    else:
        common = I32 if op in ("<<", ">>") else value.type
        wide = arithmetic(op, convert(place, common), value)
        r.emit(Assign(place, convert(wide, t)))


def _wide(t: Type) -> bool:
    return isinstance(t, Scalar) and t.bits >= 32


def _same_when_narrow(value: Expr, t: Type) -> bool:
    """A constant step of a narrower or wider integer: the type of the place will do."""
    return (
        isinstance(value, Const)
        and isinstance(t, Scalar)
        and t.is_integer
        and t != BOOL
        and isinstance(value.type, Scalar)
        and value.type.is_integer
        and const(value.value, t).value == value.value
    )


def fixed_place(r: FunctionReader, place: Expr) -> Expr:
    """`place` with what it reads on the way kept, so that naming it twice means the same."""
    if isinstance(place, Index):
        base = fixed_place(r, place.base) if is_place(place.base) else place.base
        return replace(place, base=base, index=place.index)
    return replace(place, base=fixed_place(r, place.base)) if isinstance(place, Field) else place


@expression("BINARY_OPERATOR")
def _binary(r: FunctionReader, n: Node) -> Expr:
    op = n.binary
    if op == "=":
        return assign(r, n)
    if op == ",":
        r.effect(n.kids[0])
        return r.expr(n.kids[1])
    if op in ("&&", "||"):
        return _logical(r, n, op)
    if op == "":
        r.fail("XP0207", "this operator is not understood")
    a, b = r.operands(n.kids)
    return binary(r, cast(BinaryOp, op), a, b, r.unit.types(n.type))


def binary(r: FunctionReader, op: BinaryOp, a: Expr, b: Expr, t: Type) -> Expr:
    """`a op b` as C++ types it: `t` is the type of the whole."""
    pointers = [isinstance(x.type, (Pointer, Array)) for x in (a, b)]
    if any(pointers):
        return _pointer_arithmetic(r, op, a, b, pointers)
    if isinstance(t, Vector):
        return lanes_binary(r, op, a, b, t)
    if op in ("<<", ">>"):
        return Binary(op, a, b, t)
    return convert(arithmetic(op, a, b), t)


def _pointer_arithmetic(
    r: FunctionReader, op: BinaryOp, a: Expr, b: Expr, pointers: list[bool]
) -> Expr:
    if op in ("+", "-") and pointers != [True, True]:
        if pointers[1]:
            a, b = b, a
        return Binary(op, a, b, decayed(a.type))
    if op == "-":
        if isinstance(a, Binary) and a.op == "+" and a.a == b:
            return convert(a.b, I64)
        return Binary(op, a, b, I64)
    return Binary(op, a, b, BOOL)


def decayed(t: Type) -> Type:
    return Pointer(t.elem) if isinstance(t, Array) else t


def lanes_binary(r: FunctionReader, op: BinaryOp, a: Expr, b: Expr, t: Vector) -> Expr:
    """`a op b` lane by lane; a scalar operand goes to every lane."""
    if r.unit.words.lanes:
        return Binary(op, a, b, t)
    ka, kb = r.saved(a), r.saved(b)

    def pick(x: Expr, i: int) -> Expr:
        return lane(x, i) if isinstance(x.type, Vector) else x

    return Aggregate(tuple(arithmetic(op, pick(ka, i), pick(kb, i)) for i in range(t.lanes)), t)


def _logical(r: FunctionReader, n: Node, op: str) -> Expr:
    a = r.condition(n.kids[0])
    with r.capture() as effects:
        b = r.condition(n.kids[1])
    t = r.unit.types(n.type)
    decided = op == "||"
    if isinstance(a, Const) and bool(a.value) is decided:
        return convert(Const(decided, BOOL), t)
    if isinstance(a, Const):
        r.out.extend(effects)
        return convert(b, t)
    if not effects:
        return convert(Binary(cast(BinaryOp, op), a, b, BOOL), t)
    result = r.temp(a, BOOL, "cond")
    guard = negate(result) if decided else result
    r.emit(If(guard, (*effects, Assign(result, b))))
    return convert(result, t)


@expression("CONDITIONAL_OPERATOR")
def _conditional(r: FunctionReader, n: Node) -> Expr:
    cond = r.condition(n.kids[0])
    if isinstance(cond, Const):
        return r.expr(n.kids[1] if cond.value else n.kids[2])
    a, then = r.pure(n.kids[1])
    b, other = r.pure(n.kids[2])
    if str(n.type.spelling) == "void":
        r.emit(If(cond, tuple(then), tuple(other)))
        return Const(0, I32)
    t = _result_type(r, n, a)
    if not then and not other:
        return Select(cond, _branch(a, t), _branch(b, t), t)
    result = r.temp(None, t, "sel")
    r.emit(
        If(cond, (*then, Assign(result, _branch(a, t))), (*other, Assign(result, _branch(b, t))))
    )
    return result


def _result_type(r: FunctionReader, n: Node, a: Expr) -> Type:
    t = r.unit.types(n.type)
    if isinstance(t, Array) and isinstance(a.type, (Array, Pointer)):  # arrays, string literals
        return a.type if isinstance(a.type, Pointer) else Pointer(a.type.elem)
    return t


def _branch(x: Expr, t: Type) -> Expr:
    return (
        x
        if isinstance(t, (Struct, Pointer)) and isinstance(x.type, (Struct, Pointer, Array))
        else convert(x, t)
    )


def is_status(r: FunctionReader, n: Node) -> bool:
    """Whether the type is the host API's error code, which is always success here."""
    name = str(n.type.get_canonical().spelling).removeprefix("const ")
    return name.removeprefix("enum ") in r.unit.words.status


def assign(r: FunctionReader, n: Node) -> Expr:
    """`place = value`: a statement; the expression's value is the place."""
    if is_status(r, n.kids[0]):
        effect(r, n.kids[1])
        return zero(r.unit.types(n.type))
    place, value = _place_and_value(r, n.kids[0], n.kids[1])
    store(r, place, value)
    return place


def _place_and_value(r: FunctionReader, left: Node, right: Node) -> tuple[Expr, Expr]:
    """C++17 evaluates the right side first; a chain `a = b = c` stores from the right."""
    value, effects = r.pure(right)
    place, before = r.pure(left)
    r.out.extend(effects)
    if before:
        value = r._guarded(value, before)
        r.out.extend(before)
    return place, value


def store(r: FunctionReader, place: Expr, value: Expr) -> None:
    """Emits `place = value`, taking over the statement that just computed the value."""
    if not is_place(place):
        r.fail("XP0207", "assignment to something that is no place")
    value = _fit(value, place.type)
    if (whole := punned(place)) is not None:
        r.emit(Assign(whole, Bits(value, whole.type)))
        return
    newest = r.claim(value)
    if isinstance(newest, Decl) and newest.init is not None:
        r.emit(Assign(place, newest.init, loc=newest.loc, comments=newest.comments))
    elif isinstance(newest, Instr) and _may_write(newest, place):
        r.emit(replace(newest, outs=(place,)))
    else:
        r.restore(newest)
        r.emit(Assign(place, value))


def _may_write(newest: Instr, place: Expr) -> bool:
    """Whether the instruction can put its result there: it must not move the place."""
    return isinstance(place, Var) or newest.name.startswith(("warp.", "block.", "host.", "mfma."))


def _fit(value: Expr, t: Type) -> Expr:
    if isinstance(t, (Struct, Array)) or unqualified(value.type) == unqualified(t):
        return value
    return convert(value, t)


@expression("COMPOUND_ASSIGNMENT_OPERATOR")
def _compound(r: FunctionReader, n: Node) -> Expr:
    op = cast(BinaryOp, n.binary[:-1])
    place, value = _place_and_value(r, n.kids[0], n.kids[1])
    assign_op(r, place, op, value)
    return place


def effect(r: FunctionReader, n: Node) -> None:
    """Evaluates an expression for what it does."""
    inner = n.stripped()
    if inner.kind == "UNARY_OPERATOR" and inner.unary in ("++p", "--p", "p++", "p--"):
        step(r, inner, used=False)
    elif inner.kind == "BINARY_OPERATOR" and inner.binary == ",":
        effect(r, inner.kids[0])
        effect(r, inner.kids[1])
    elif inner.kind == "CSTYLE_CAST_EXPR" and str(inner.type.spelling) == "void":
        effect(r, inner.kids[-1])
    elif inner.kind == "CALL_EXPR":
        from xpiler.frontend.calls import call

        call(r, inner, used=False)
    else:
        drop(r, r.expr(inner))


def drop(r: FunctionReader, value: Expr) -> None:
    """Forgets a value; a call that only computed it goes too."""
    newest = r.claim(value)
    if isinstance(newest, Decl) and newest.init is not None and not simple(newest.init):
        from xpiler.frontend.calls import has_effect

        if has_effect(r, newest.init):
            r.emit(Eval(newest.init))
    elif isinstance(newest, Instr):
        keep = newest if not newest.name.startswith("atomic.") else replace(newest, outs=())
        r.emit(keep) if keep.outs == () else r.restore(newest)
