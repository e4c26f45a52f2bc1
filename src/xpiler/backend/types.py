"""Types and declarators as text, and the typedefs of short vectors."""

from __future__ import annotations

from xpiler.backend.spelling import Spelling
from xpiler.diagnostics import Diagnostic, XpilerError
from xpiler.ir.types import Array, Fragment, Opaque, Pointer, Scalar, Struct, Type, Vector

LANES = ("x", "y", "z", "w")


def size_of(t: Type) -> int | None:
    """Bytes of a scalar, vector or array; None for types whose size is not known here."""
    if isinstance(t, Scalar):
        return t.bits // 8
    if isinstance(t, Vector):
        return t.lanes * t.elem.bits // 8
    if isinstance(t, Pointer):
        return 8
    if isinstance(t, Array) and t.size is not None:
        inner = size_of(t.elem)
        return None if inner is None else t.size * inner
    return None


def vector_name(t: Vector, spelling: Spelling) -> str:
    """`float4`, `half2`; `float_x16` beyond four lanes, or where the platform has no such class."""
    if t in spelling.native:
        return f"{spelling.stems[t.elem.name]}x{t.lanes}"
    if str(t) in spelling.vectors:
        return spelling.vectors[str(t)]["name"]
    return f"{spelling.stems[t.elem.name]}{'' if t.lanes <= 4 else '_x'}{t.lanes}"


def vector_align(t: Vector) -> int:
    """Alignment in bytes, at most 16 (CUDA C++ Programming Guide, built-in vector types)."""
    size = t.lanes * t.elem.bits // 8
    return t.elem.bits // 8 if t.lanes == 3 else min(size & -size, 16)


def lane(t: Vector, number: int, native: bool = False) -> str:
    """The member that holds a lane: `.x`, or `.s[5]` beyond four lanes, `[5]` of native ones."""
    if native:
        return f"[{number}]"
    return f".{LANES[number]}" if t.lanes <= 4 else f".s[{number}]"


def lane_number(t: Vector, name: str) -> int:
    """The lane that a field name (`x`, `s5`) means."""
    return (
        LANES.index(name) if name in LANES else int(name.lstrip("s"), 16 if len(name) == 2 else 10)
    )


def vector_typedef(
    t: Vector, spelling: Spelling, numbered: bool = False, aliased: bool = False
) -> str:
    """The type that stands for a vector; `numbered`: its lanes are also an array `s`."""
    if t in spelling.native:
        return str(spelling.extended["typedef"]).format(
            elem=spelling.type_name(t.elem), lanes=t.lanes, name=vector_name(t, spelling)
        )
    leave = "__attribute__((may_alias)) " if aliased else ""
    elem, name, align = spelling.type_name(t.elem), vector_name(t, spelling), vector_align(t)
    aligned = f"{spelling.syntax.align.format(align)} " if align > t.elem.bits // 8 else ""
    if t.lanes > 4:
        return f"typedef struct {leave}{{ {aligned}{elem} s[{t.lanes}]; }} {name};"
    lanes = ", ".join(LANES[: t.lanes])
    if numbered:
        struct = f"struct {{ {elem} {lanes}; }}"
        return f"typedef union {leave}{{ {struct}; {aligned}{elem} s[{t.lanes}]; }} {name};"
    if not aligned:
        return f"typedef struct {leave}{{ {elem} {lanes}; }} {name};"
    rest = ", ".join(LANES[1 : t.lanes])
    return f"typedef struct {leave}{{ {aligned}{elem} x; {elem} {rest}; }} {name};"


def base_name(t: Type, spelling: Spelling) -> str:
    """The word for a type that is no pointer and no array; XpilerError (XP0610) if none."""
    if isinstance(t, Scalar):
        return spelling.type_name(t)
    if isinstance(t, Vector):
        return vector_name(t, spelling)
    if isinstance(t, Struct):
        return t.name
    if isinstance(t, Opaque):
        return spelling.opaque.get(t.name, "void *")
    if isinstance(t, Fragment) and spelling.fragments:
        return fragment_name(t, spelling)
    reason = "the platform has no such type"
    raise XpilerError(Diagnostic("XP0610", f"the type {t} cannot be written", reason=reason))


def fragment_name(t: Fragment, spelling: Spelling) -> str:
    """The word for a matrix tile."""
    words = spelling.fragments
    layout = f", {words['layout'][t.layout]}" if t.layout and t.use != "acc" else ""
    elem = words.get("elements", {}).get(f"{t.use}.{t.elem}", spelling.type_name(t.elem))
    return words["type"]["name"].format(
        use=words["use"][t.use], m=t.m, n=t.n, k=t.k, elem=elem, layout=layout
    )


def declare(t: Type, name: str, spelling: Spelling) -> str:
    """`name` declared with type `t`; with an empty name the type as in a cast."""
    if isinstance(t, Pointer):
        star = f"*{spelling.syntax.restrict} " if t.restrict and name else "*"
        inner = f"({star}{name})" if isinstance(t.elem, Array) else f"{star}{name}"
        if t.const and isinstance(t.elem, Pointer):
            return declare(t.elem, f"const {inner}", spelling)
        return ("const " if t.const else "") + declare(t.elem, inner, spelling)
    if isinstance(t, Array):
        size = "" if t.size is None else str(t.size)
        return declare(t.elem, f"{name}[{size}]", spelling)
    base = base_name(t, spelling)
    return base + name if base.endswith("*") else f"{base} {name}".rstrip()
