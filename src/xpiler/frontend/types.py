"""clang's types -> the types of the tensor program, with sizes in bytes."""

from __future__ import annotations

import re
from typing import Any, Protocol

from xpiler.frontend.faults import NotUnderstood
from xpiler.frontend.words import Words
from xpiler.ir.types import (
    BF16,
    BOOL,
    F16,
    F32,
    F64,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    VOID,
    Array,
    Fragment,
    Opaque,
    Pointer,
    Scalar,
    Type,
    Vector,
)

_SCALARS: dict[str, Scalar] = {
    "VOID": VOID, "BOOL": BOOL, "CHAR_S": I8, "SCHAR": I8, "CHAR_U": U8, "UCHAR": U8,
    "SHORT": I16, "USHORT": U16, "INT": I32, "UINT": U32, "LONG": I64, "ULONG": U64,
    "LONGLONG": I64, "ULONGLONG": U64, "HALF": F16, "FLOAT16": F16, "BFLOAT16": BF16,
    "FLOAT": F32, "DOUBLE": F64, "WCHAR": I32, "CHAR16": U16, "CHAR32": U32,
}  # fmt: skip
_FRAGMENT = re.compile(r"(?:\w+::)*fragment<(.*)>$")
_USES = {"matrix_a": "a", "matrix_b": "b", "accumulator": "acc"}
_LAYOUTS = {"row_major": "row", "col_major": "col"}
_NAMED = {"float": F32, "double": F64, "_Float16": F16, "half": F16, "__half": F16, "__bf16": BF16,
          "signed char": I8, "unsigned char": U8, "char": I8, "int": I32}  # fmt: skip


class Records(Protocol):
    """Who knows the user's structs: gives the IR type of a record declaration."""

    def record(self, decl: Any, spelling: str) -> Type: ...


class TypeReader:
    """Converts types, remembering each canonical spelling."""

    def __init__(self, words: Words, records: Records) -> None:
        self.words, self.records = words, records
        self._known: dict[str, Type] = {}
        self.volatile = False  # whether a type that was read says so: the IR does not

    def __call__(self, t: Any) -> Type:
        """The IR type; raises NotUnderstood. References become pointers."""
        t = t.get_canonical()
        restrict = "|restrict" if t.is_restrict_qualified() else ""
        key = str(t.spelling) + restrict
        if key not in self._known:
            self.volatile |= "volatile" in key.split("(")[0].replace("*", " ").split()
            self._known[key] = self._convert(t)
        return self._known[key]

    def _convert(self, t: Any) -> Type:
        kind = t.kind.name
        if kind in _SCALARS:
            return _SCALARS[kind]
        if str(t.spelling).endswith("__bf16") and "VECTOR" not in kind:  # no kind of its own
            return BF16
        handler = getattr(self, f"_{kind.lower()}", None)
        if handler is None:
            raise NotUnderstood("XP0202", f"type {t.spelling!r} is not understood")
        result: Type = handler(t)
        return result

    def _pointer(self, t: Any) -> Type:
        elem = t.get_pointee()
        name = _bare(elem.get_canonical().spelling)
        if name in self.words.opaque:
            return Opaque(self.words.opaque[name])
        if elem.kind.name in ("FUNCTIONPROTO", "FUNCTIONNOPROTO"):
            raise NotUnderstood(
                "XP0202", f"type {t.spelling!r} is not understood", "function pointers are not read"
            )
        return Pointer(self(elem), elem.is_const_qualified(), t.is_restrict_qualified())

    _lvaluereference = _pointer
    _rvaluereference = _pointer

    def _nullptr(self, t: Any) -> Type:
        return Pointer(VOID)

    def _enum(self, t: Any) -> Type:
        return self(t.get_declaration().enum_type)

    def _constantarray(self, t: Any) -> Type:
        return Array(self(t.element_type), int(t.element_count))

    def _variablearray(self, t: Any) -> Type:
        return Array(self(t.element_type), None)

    def _incompletearray(self, t: Any) -> Type:
        return Array(self(t.element_type), None)

    def _vector(self, t: Any) -> Type:
        elem = self(t.element_type)
        assert isinstance(elem, Scalar)
        return Vector(elem, int(t.element_count))

    _extvector = _vector

    def _record(self, t: Any) -> Type:
        name = _bare(t.spelling)
        if name in self.words.types:
            return self.words.types[name]
        if name in self.words.opaque:
            return Opaque(self.words.opaque[name])
        match = _FRAGMENT.match(name)
        if match and name.split("<")[0] in self.words.fragments:
            return fragment([w.strip() for w in match[1].split(",")])
        return self.records.record(t.get_declaration(), name)


def fragment(args: list[str]) -> Fragment:
    """The fragment type of the template arguments use, m, n, k, element and layout."""
    plain = [a.split("::")[-1] for a in args]
    elem = _NAMED.get(plain[4])
    if plain[0] not in _USES or elem is None:
        raise NotUnderstood("XP0202", f"fragment of {', '.join(args)} is not understood")
    layout = _LAYOUTS.get(plain[5]) if len(plain) > 5 else None
    m, n, k = (int(x) for x in plain[1:4])
    return Fragment(_USES[plain[0]], m, n, k, elem, layout)  # type: ignore[arg-type]


def _bare(spelling: str) -> str:
    words = spelling.split()
    while words and words[0] in ("const", "volatile", "struct", "union", "class"):
        words = words[1:]
    return " ".join(words)


def is_reference(t: Any) -> bool:
    return t.get_canonical().kind.name in ("LVALUEREFERENCE", "RVALUEREFERENCE")


def variable_length(t: Any) -> bool:
    """Whether a type has an array in it whose extent is a value."""
    t = t.get_canonical()
    while t.kind.name in ("POINTER", "CONSTANTARRAY", "INCOMPLETEARRAY"):
        t = (t.get_pointee() if t.kind.name == "POINTER" else t.element_type).get_canonical()
    return bool(t.kind.name == "VARIABLEARRAY")


def constant_elements(t: Any) -> bool:
    """Whether the elements of an array type are constant."""
    return str(t.get_canonical().spelling).startswith("const ")  # the element type says nothing


def lane_name(t: Vector, i: int) -> str:
    """The field name of lane `i`."""
    return "xyzw"[i] if t.lanes <= 4 else f"s{i}"


def unqualified(t: Type) -> Type:
    """Pointers without const and restrict, for comparing what they point to."""
    return Pointer(unqualified(t.elem)) if isinstance(t, Pointer) else t


def size_of(t: Type) -> int | None:
    """Bytes of a scalar, vector, pointer or array of them; None where a struct takes part."""
    if isinstance(t, Scalar):
        return t.bits // 8
    if isinstance(t, Vector):
        return t.elem.bits // 8 * t.lanes
    if isinstance(t, Pointer):
        return 8
    if isinstance(t, Array) and t.size is not None:
        inner = size_of(t.elem)
        return None if inner is None else inner * t.size
    return None
