"""Instructions with effects that a sequential program still has: memory, printing, atomics."""

from __future__ import annotations

import re

from xpiler.backend.expressions import ExpressionPrinter
from xpiler.backend.pieces import ARGUMENT, STRENGTH
from xpiler.backend.types import base_name, size_of
from xpiler.backend.unit import cannot_print
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.types import F64, I32, Array, Pointer, Scalar, Type

_CONVERSION = re.compile(r"%(?:%|([-+ #0]*)(\*|\d+)?(\.(?:\*|\d+))?(hh|h|ll|l|j|z|t|L)?([a-zA-Z]))")


def lines_of(st: s.Instr, x: ExpressionPrinter) -> list[str]:
    """The lines of an instruction; raises XpilerError where the platform has no word for it."""
    if st.name == "print":
        return [_print(st, x)]
    if st.name == "assert":
        return [_assert(st, x)]
    if st.name.startswith("atomic."):
        return _atomic(st, x)
    template = x.spelling.instructions.get(st.name)
    if template is None:
        raise cannot_print(st.name, "the platform's table has no spelling for it")
    return [_filled(template, st, x)] if template else []


def _filled(template: str, st: s.Instr, x: ExpressionPrinter) -> str:
    pointee = next((_pointee(p) for p in (*st.outs, *st.ins) if _pointee(p) is not None), None)
    args = [_argument(a, x, pointee) for a in st.ins]
    text = template.replace("{out}", x.piece(st.outs[0]).text) if st.outs else template
    text = text.replace("{out} = ", "")
    for k, a in enumerate(args):
        text = text.replace(f"{{{k}}}", a)
    return f"{_no_zero_offset(text)};"


def _no_zero_offset(text: str) -> str:
    """A symbol as memory: `(char *)&w + 0` is `w` for an array, `&w` for a scalar."""
    return re.sub(r"\((?:const )?char \*\)(&?[\w.]+) \+ 0(?=[,)])", r"\1", text)


def _pointee(n: e.Expr) -> Type | None:
    while isinstance(n, e.Cast):
        n = n.x
    t = n.type.elem if isinstance(n.type, (Pointer, Array)) else None
    return None if t == Scalar("void") else t


def _argument(n: e.Expr, x: ExpressionPrinter, pointee: Type | None) -> str:
    """An argument; bytes are written with `sizeof` where they count elements."""
    while (
        isinstance(n, e.Cast)
        and isinstance(n.type, Pointer)
        and isinstance(n.x.type, (Pointer, Array))
    ):
        if isinstance(n.x.type, Pointer) and n.x.type.const and not n.type.const:
            break
        n = n.x
    if isinstance(n, e.Binary) and n.op == "*" and pointee is not None:
        for count, size in ((n.a, n.b), (n.b, n.a)):
            if _is_size(size, pointee):
                p = x.piece(count)
                shown = p if p.settled or p.type == n.type else x.settle(p)
                if not isinstance(pointee, Pointer):
                    return (
                        f"{shown.within(STRENGTH['*'])} * sizeof({base_name(pointee, x.spelling)})"
                    )
    return x.assigned(n, n.type)


def _is_size(n: e.Expr, t: Type) -> bool:
    own = isinstance(n, e.Const) and (n.text is None or n.text.startswith("sizeof"))
    return own and isinstance(n, e.Const) and n.value == size_of(t)


def _print(st: s.Instr, x: ExpressionPrinter) -> str:
    form, *values = st.ins
    if not isinstance(form, e.Text):
        raise cannot_print("a print", "its format is no literal")
    rest = iter(values)
    args: list[str] = []

    def conversion(m: re.Match[str]) -> str:
        if m.group() == "%%":
            return "%%"
        for star in (m.group(2), m.group(3)):
            if star and "*" in star and (width := next(rest, None)) is not None:
                args.append(x.assigned(width, I32))
        return _conversion(m, next(rest, None), x, args)

    text = _CONVERSION.sub(conversion, form.value)
    args += [x.exactly(v).within(ARGUMENT) for v in rest]
    return f"printf({', '.join([chr(34) + text + chr(34), *args])});"


def _conversion(
    m: re.Match[str], value: e.Expr | None, x: ExpressionPrinter, args: list[str]
) -> str:
    """A conversion with the length that its value's type asks for; adds the value to `args`."""
    flags, width, precision, length, kind = (g or "" for g in m.groups())
    t = value.type if value is not None else None
    if value is None:
        return m.group()
    if isinstance(t, Scalar) and t.is_integer and kind in "diouxXc":
        if t.bits == 64:
            length, word = "ll", "long long" if kind in "di" else "unsigned long long"
            args.append(f"({word}){x.exactly(value).within(15)}")
        else:
            length = length if length in ("h", "hh") else ""
            args.append(x.exactly(value).within(ARGUMENT))
    elif isinstance(t, Scalar) and t.is_float:
        length = ""
        args.append(
            x.settle(x.convert(x.piece(value), F64)).within(ARGUMENT)
            if t.bits == 16
            else x.exactly(value).within(ARGUMENT)
        )
    elif kind == "p":
        args.append(f"(void *){x.exactly(value).within(15)}")
    else:
        args.append(x.exactly(value).within(ARGUMENT))
    return f"%{flags}{width}{precision}{length}{kind}"


def _assert(st: s.Instr, x: ExpressionPrinter) -> str:
    cond = x.condition(st.ins[0])
    if len(st.ins) > 1 and isinstance(st.ins[1], e.Text) and cond.text != "0":
        return f'assert({cond.within(STRENGTH["&&"])} && "{st.ins[1].value}");'
    return f"assert({cond.within(ARGUMENT)});"


def _atomic(st: s.Instr, x: ExpressionPrinter) -> list[str]:
    """One thread has no rivals: read, change, write."""
    where = st.ins[0]
    place: e.Expr = where.x if isinstance(where, e.AddressOf) else _behind(where)
    out: list[str] = []
    if st.outs:
        out.append(f"{x.piece(st.outs[0]).text} = {x.assigned(place, st.outs[0].type)};")
    op = st.name.removeprefix("atomic.").split(".")[0]
    value = _updated(op, place, st.ins[1:])
    target = x.piece(place).text
    simple = {"add": "+", "sub": "-", "and": "&", "or": "|", "xor": "^"}.get(op)
    if simple and isinstance(place.type, Scalar) and str(place.type) not in x.spelling.computes_in:
        return [*out, f"{target} {simple}= {x.compound(simple, st.ins[1], place.type)};"]
    return [*out, f"{target} = {x.assigned(value, place.type)};"]


def _behind(pointer: e.Expr) -> e.Expr:
    assert isinstance(pointer.type, Pointer)
    return e.Index(pointer, e.Const(0, I32), pointer.type.elem)


def _updated(op: str, old: e.Expr, args: tuple[e.Expr, ...]) -> e.Expr:
    """The value after an atomic operation (CUDA C++ Programming Guide, atomic functions)."""
    t, v = old.type, args[0]
    zero, one = e.Const(0, t), e.Const(1, t)
    symbols = {"add": "+", "sub": "-", "and": "&", "or": "|", "xor": "^"}
    if op in symbols:
        return e.Binary(symbols[op], old, v, t)  # type: ignore[arg-type]
    if op in ("min", "max"):
        return e.Call(op, (old, v), t)
    if op == "exch":
        return v
    if op == "cas":
        return e.Select(e.compare("==", old, v), args[1], old, t)
    if op == "inc":
        return e.Select(e.compare(">=", old, v), zero, e.Binary("+", old, one, t), t)
    if op == "dec":
        stop = e.Binary("||", e.compare("==", old, zero), e.compare(">", old, v), zero.type)
        return e.Select(stop, v, e.Binary("-", old, one, t), t)
    raise cannot_print(f"atomic.{op}", "no such operation is known")
