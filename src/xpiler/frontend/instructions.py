"""A call that is an instruction -> `Instr`, by the notation of the platform's tables."""

from __future__ import annotations

from xpiler.frontend import memory
from xpiler.frontend.convert import const
from xpiler.frontend.copies import one_number
from xpiler.frontend.cursor import Node
from xpiler.frontend.expressions import address
from xpiler.frontend.operators import deref
from xpiler.frontend.reader import FunctionReader
from xpiler.frontend.types import is_reference
from xpiler.frontend.words import InstrWord
from xpiler.ir.expr import AddressOf, Cast, Const, Expr, Text, Var, is_place
from xpiler.ir.stmt import Barrier, Decl, Instr
from xpiler.ir.types import BOOL, I8, I32, U32, U64, VOID, Fragment, Pointer, Type


def apply_instruction(
    r: FunctionReader, n: Node, callee: Node, word: InstrWord, used: bool
) -> Expr:
    """Emits the instruction; gives the value of the call."""
    args = n.args
    t = r.unit.types(n.type)
    t = t.elem if is_reference(n.type) and isinstance(t, Pointer) else t
    if word.name.startswith("host.") and r.role != "host":
        return memory.in_device_code(r, n, word.name)
    if word.name.startswith("barrier."):
        r.emit(Barrier(word.name.split(".")[1]))  # type: ignore[arg-type]
        return const(0, I32)
    wanted = _wanted(word, len(args))
    values = dict(zip(wanted, r.operands([args[i] for i in wanted]), strict=True))
    ins = tuple(x for w in word.ins for x in _item(r, w, values, len(args)))
    attrs = tuple((k, _attr(r, v, n, values)) for k, v in word.attrs)
    if word.name == "host.copy" and ("kind", "h2h") in attrs and not used:
        to, source, size = ins
        alone = one_number(to, source, size, r.unit.fields)
        if alone is not None:
            r.emit(alone)
            return const(0, I32)
    outs, result = _outs(r, word, values, t, used)
    r.emit(Instr(word.name, outs, ins, attrs))
    return result


def _wanted(word: InstrWord, count: int) -> list[int]:
    """Which arguments must be evaluated, in order."""
    found: set[int] = set()
    for w in (*word.outs, *word.ins):
        digits = w.lstrip("*&").rstrip("+")
        if digits.isdigit():
            found |= set(range(int(digits), count)) if w.endswith("+") else {int(digits)}
    return sorted(i for i in found if i < count)


def _item(r: FunctionReader, w: str, values: dict[int, Expr], count: int) -> list[Expr]:
    if w == "~":
        wide = r.unit.wave > 32
        return [Const((1 << (64 if wide else 32)) - 1, U64 if wide else U32)]
    if w.startswith("="):
        return [const(int(w[1:]), I32)]
    if w.endswith("+"):
        return [_plain(values[i]) for i in range(int(w[:-1]), count)]
    if w.startswith("*"):
        return [deref(values[int(w[1:])])]
    if w.startswith("&"):
        return [address(values[int(w[1:])])]
    index = int(w)
    return [_plain(values[index])] if index in values else []


def _plain(x: Expr) -> Expr:
    """A pointer as it was before it became `void*`."""
    if isinstance(x, Cast) and isinstance(x.type, Pointer) and x.type.elem == VOID:
        return x.x
    return x


def _outs(
    r: FunctionReader, word: InstrWord, values: dict[int, Expr], t: Type, used: bool
) -> tuple[tuple[Expr, ...], Expr]:
    outs: list[Expr] = []
    result: Expr = const(0, t if t != VOID else I32)
    for w in word.outs:
        if w.startswith("@"):
            if not used and w.endswith("?"):
                continue
            var = Var(r.fresh(word.name.split(".")[-1]), t)
            r.temps.add(var.name)
            r.emit(Decl(var))
            outs.append(var)
            result = var
        else:
            outs.append(_written(r, w, values))
    return tuple(outs), result


def _written(r: FunctionReader, w: str, values: dict[int, Expr]) -> Expr:
    value = values[int(w.lstrip("*"))]
    place = deref(_uncast(value)) if w.startswith("*") else value
    if not is_place(place):
        r.fail("XP0207", "the result of this instruction has no place to go")
    return place


def _uncast(p: Expr) -> Expr:
    """The pointer below `(void**)`, which only silences the compiler."""
    while isinstance(p, Cast) and isinstance(p.type, Pointer) and _untyped(p.type.elem):
        p = p.x
    return p


def _untyped(t: Type) -> bool:
    return t in (VOID, I8) or (isinstance(t, Pointer) and t.elem in (VOID, I8))


def _attr(r: FunctionReader, v: str, n: Node, values: dict[int, Expr]) -> str | int:
    if v.startswith("$"):
        return _constant_name(r, n, int(v[1:]))
    if v.startswith("layout"):
        return _layout(r, n, v, values)
    return int(v) if v.lstrip("-").isdigit() else v


def _constant_name(r: FunctionReader, n: Node, i: int) -> str | int:
    """The name of the enumerator given as argument `i`, shortened by the tables."""
    if i >= len(n.args):
        return "default"
    inner = n.args[i].stripped()
    name = inner.ref.name if inner.ref is not None else ""
    if name in _KINDS:
        return _KINDS[name]
    value = n.args[i].evaluate()
    return int(value) if value is not None else "default"


_KINDS = {
    f"{p}{a}": b
    for p in ("cudaMemcpy", "hipMemcpy", "cnrtMemcpy", "CNRT_MEM_TRANS_DIR_")
    for a, b in (("HostToDevice", "h2d"), ("DeviceToHost", "d2h"), ("DeviceToDevice", "d2d"),
                 ("HostToHost", "h2h"), ("Default", "default"), ("HostToDev", "h2d"),
                 ("DevToHost", "d2h"), ("DevToDev", "d2d"), ("HOST2DEV", "h2d"),
                 ("DEV2HOST", "d2h"), ("DEV2DEV", "d2d"), ("HOST2HOST", "h2h"))
}  # fmt: skip


def _layout(r: FunctionReader, n: Node, v: str, values: dict[int, Expr]) -> str:
    """`layout:F:E`: of the fragment argument F, else the enumerator argument E."""
    _, fragment_at, enum_at = v.split(":")
    frag = values[int(fragment_at)].type
    if isinstance(frag, Fragment) and frag.layout:
        return frag.layout
    if int(enum_at) < len(n.args):
        inner = n.args[int(enum_at)].stripped()
        name = inner.ref.name if inner.ref is not None else ""
        if name.startswith("mem_"):
            return "row" if "row" in name else "col"
    r.fail("XP0207", "the layout of this matrix access is not known",
           "it must be a constant at this place")  # fmt: skip


__all__ = ["BOOL", "I8", "AddressOf", "Text", "apply_instruction"]
