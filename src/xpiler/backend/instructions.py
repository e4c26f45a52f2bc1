"""Instructions with effects that a sequential program still has: memory, printing, atomics."""

from __future__ import annotations

import re

from xpiler.backend.expressions import ExpressionPrinter
from xpiler.backend.pieces import ARGUMENT, STRENGTH, UNARY
from xpiler.backend.types import base_name, size_of
from xpiler.backend.unit import cannot_print
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.types import F64, I32, Array, Fragment, Pointer, Scalar, Type

_CONVERSION = re.compile(r"%(?:%|([-+ #0]*)(\*|\d+)?(\.(?:\*|\d+))?(hh|h|ll|l|j|z|t|L)?([a-zA-Z]))")


def lines_of(st: s.Instr, x: ExpressionPrinter, role: str = "host") -> list[str]:
    """The lines of an instruction; raises XpilerError where the platform has no word for it."""
    if (own := x.spelling.dialect.instruction(st, x)) is not None:
        return own
    if st.name == "print":
        return [_print(st, x)]
    if st.name == "assert":
        return [_assert(st, x)]
    template = _template(st, x, role)
    if template is None and st.name.startswith("atomic.") and x.spelling.syntax.sequential:
        return _atomic(st, x)
    if template is None:
        raise cannot_print(st.name, "the platform's table has no spelling for it")
    return [f"{line};" for line in _filled(template, st, x).splitlines()]


def _template(st: s.Instr, x: ExpressionPrinter, role: str) -> str | None:
    """The table's text: one for an attribute, a type, a role, a tile's use before the plain one.

    Keys: `host.copy:h2d`, `atomic.add.i64` (second operand's type), `trap@host`, `mat.load/acc`.

    A key `mfma.*` stands for a family; `{*}` in its text is what stands in the star's place.
    """
    table = x.spelling.instructions
    tiles = [o.type.use for o in (*st.outs, *st.ins) if isinstance(o.type, Fragment)][:1]
    keys = [f"{st.name}:{value}" for _, value in st.attrs]
    keys += [f"{st.name}.{n.type}" for n in st.ins[1:2] if isinstance(n.type, Scalar)]
    keys += [f"{st.name}@{role}", *(f"{st.name}/{use}" for use in tiles), st.name]
    for key in keys:
        if key in table:
            return table[key]
    family, _, rest = st.name.partition(".")
    found = table.get(f"{family}.*")
    return None if found is None else found.replace("{*}", rest)


_OPTIONAL = re.compile(r"\[(, \{(\d)\})\]")
_PLACE = re.compile(r"\{(\w+|@\w+)(!|&|\^)?\}")


def _filled(template: str, st: s.Instr, x: ExpressionPrinter) -> str:
    """The template with its places filled.

    `{0}` is an operand, `{0!}` one of exactly its type (overloads), `{0^}` that as the operand of a
    cast, `{0&}` a symbol whose address
    it is, `[, {3}]` one that is left out where it is the wave's width; `{out}`, `{out1}` are
    places that are written, `{type}` the type of the first, `{@layout}` an attribute.
    """
    template = _OPTIONAL.sub(lambda m: "" if _whole_wave(st, int(m.group(2)), x) else m.group(1),
                             template)  # fmt: skip
    if not st.outs:
        template = template.replace("{out} = ", "")
    pointee = next((_pointee(p) for p in (*st.outs, *st.ins) if _pointee(p) is not None), None)

    def place(m: re.Match[str]) -> str:
        word, how = m.group(1), m.group(2)
        if word.isdigit():
            return _operand(st, int(word), how, x, pointee)
        if word.startswith("@"):
            return str(x.spelling.attributes.get(f"{word[1:]}.{st.attr(word[1:])}",
                                                 str(st.attr(word[1:]))))  # fmt: skip
        if word.startswith("out"):
            return x.piece(st.outs[int(word[3:] or 0)]).text
        if word == "type":
            return x.type(st.outs[0].type)
        if word == "args":
            return ", ".join(_argument(a, x, None) for a in st.ins)
        return m.group()

    return _no_zero_offset(_PLACE.sub(place, template))


def _operand(
    st: s.Instr, k: int, how: str | None, x: ExpressionPrinter, pointee: Type | None
) -> str:
    n = st.ins[k]
    if how in ("!", "^"):
        return x.exactly(n).within(ARGUMENT if how == "!" else UNARY)
    if how == "&":
        while isinstance(n, (e.Cast, e.AddressOf)):
            n = n.x
        return x.piece(n).text
    return _argument(n, x, pointee if st.name.startswith("host.") else None)


def _whole_wave(st: s.Instr, k: int, x: ExpressionPrinter) -> bool:
    """Whether an operand says no more than the wave's width, which is what its absence means."""
    if k >= len(st.ins):
        return True
    n = st.ins[k]
    while isinstance(n, e.Cast):
        n = n.x
    if isinstance(n, e.Axis):
        return n.level == "warp_size"
    return isinstance(n, e.Const) and n.value == x.unit.program.wave


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
    while pointee is not None and (
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
    form, *values = (_line(st.ins[0]), *st.ins) if st.attr("newline") else st.ins
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


def _line(said: e.Expr) -> e.Text:
    """The format of a whole line: its characters mean themselves."""
    return e.Text("%s\\n", said.type)


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
