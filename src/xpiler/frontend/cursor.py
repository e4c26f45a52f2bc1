"""libclang's cursors with what its Python bindings lack, each fact fetched at most once."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from functools import cache
from typing import Any

from clang import cindex

UNARY = ["", "p++", "p--", "++p", "--p", "&", "*", "+", "-", "~", "!", "real", "imag", "ext", "co"]
BINARY = {
    "Mul": "*", "Div": "/", "Rem": "%", "Add": "+", "Sub": "-", "Shl": "<<", "Shr": ">>",
    "LT": "<", "GT": ">", "LE": "<=", "GE": ">=", "EQ": "==", "NE": "!=", "And": "&", "Xor": "^",
    "Or": "|", "LAnd": "&&", "LOr": "||", "Comma": ",", "Assign": "=", "MulAssign": "*=",
    "DivAssign": "/=", "RemAssign": "%=", "AddAssign": "+=", "SubAssign": "-=",
    "ShlAssign": "<<=", "ShrAssign": ">>=", "AndAssign": "&=", "XorAssign": "^=", "OrAssign": "|=",
}  # fmt: skip


@cache
def _lib() -> Any:
    lib = cindex.conf.lib
    lib.clang_getCursorUnaryOperatorKind.argtypes = [cindex.Cursor]
    lib.clang_Cursor_getVarDeclInitializer.argtypes = [cindex.Cursor]
    lib.clang_Cursor_getVarDeclInitializer.restype = cindex.Cursor
    lib.clang_Cursor_Evaluate.argtypes = [cindex.Cursor]
    lib.clang_Cursor_Evaluate.restype = ctypes.c_void_p
    for name, result in (
        ("getKind", ctypes.c_int),
        ("getAsLongLong", ctypes.c_longlong),
        ("getAsUnsigned", ctypes.c_ulonglong),
        ("isUnsignedInt", ctypes.c_uint),
        ("getAsDouble", ctypes.c_double),
        ("dispose", None),
    ):
        f = getattr(lib, f"clang_EvalResult_{name}")
        f.argtypes, f.restype = [ctypes.c_void_p], result
    lib.clang_getSpellingLocation.argtypes = [
        cindex.SourceLocation,
        ctypes.POINTER(cindex.c_object_p),
        ctypes.POINTER(ctypes.c_uint),
        ctypes.POINTER(ctypes.c_uint),
        ctypes.POINTER(ctypes.c_uint),
    ]
    return lib


class Node:
    """One cursor. `kind` is libclang's name of it (`BINARY_OPERATOR`)."""

    __slots__ = ("_kids", "_ref", "_type", "c", "kind")

    def __init__(self, c: Any) -> None:
        self.c = c
        try:
            self.kind: str = c.kind.name
        except ValueError:  # newer than the bindings
            self.kind = "UNKNOWN"
        self._kids: list[Node] | None = None
        self._type: Any = None
        self._ref: Node | bool | None = False

    @property
    def kids(self) -> list[Node]:
        if self._kids is None:
            self._kids = [Node(k) for k in self.c.get_children()]
        return self._kids

    @property
    def type(self) -> Any:
        if self._type is None:
            self._type = self.c.type
        return self._type

    @property
    def ref(self) -> Node | None:
        """The declaration that this cursor names."""
        if self._ref is False:
            r = self.c.referenced
            self._ref = Node(r) if r is not None else None
        return self._ref  # type: ignore[return-value]

    @property
    def name(self) -> str:
        return str(self.c.spelling or "")

    @property
    def start(self) -> int:
        """Byte offset of the first character, at the place of macro expansion."""
        return int(self.c.extent.start.offset)

    @property
    def end(self) -> int:
        return int(self.c.extent.end.offset)

    @property
    def file(self) -> str:
        f = self.c.location.file
        return str(f.name) if f else ""

    @property
    def line(self) -> int:
        return int(self.c.location.line)

    @property
    def column(self) -> int:
        return int(self.c.location.column)

    @property
    def in_stub(self) -> bool:
        """Whether it stands in one of our own headers."""
        return bool(self.c.location.is_in_system_header)

    @property
    def unary(self) -> str:
        kind: int = _lib().clang_getCursorUnaryOperatorKind(self.c)
        return UNARY[kind] if 0 <= kind < len(UNARY) else ""

    @property
    def binary(self) -> str:
        return BINARY.get(self.c.binary_operator.name, "")

    @property
    def key(self) -> tuple[int, int, str]:
        """Identity of a declaration."""
        return (int(self.c.hash), self.line, self.name)

    @property
    def init(self) -> Node | None:
        """The initial value of a variable."""
        c = _lib().clang_Cursor_getVarDeclInitializer(self.c)
        if cindex.conf.lib.clang_Cursor_isNull(c):
            return None
        c._tu = self.c._tu
        return Node(c)

    @property
    def args(self) -> list[Node]:
        """The arguments of a call or of a construction."""
        return [Node(a) for a in self.c.get_arguments() if a is not None]

    def spelled(self) -> tuple[str, int]:
        """File and byte offset where its first token is written (a macro's text or argument)."""
        f, line, col, off = cindex.c_object_p(), ctypes.c_uint(), ctypes.c_uint(), ctypes.c_uint()
        _lib().clang_getSpellingLocation(
            self.c.location,
            ctypes.byref(f),
            ctypes.byref(line),
            ctypes.byref(col),
            ctypes.byref(off),
        )
        return str(cindex.File(f).name) if f else "", int(off.value)

    def evaluate(self) -> int | float | None:
        """Its value when the compiler knows it."""
        lib = _lib()
        r = lib.clang_Cursor_Evaluate(self.c)
        if not r:
            return None
        try:
            kind = lib.clang_EvalResult_getKind(r)
            if kind == 1:
                unsigned = lib.clang_EvalResult_isUnsignedInt(r)
                get = (
                    lib.clang_EvalResult_getAsUnsigned
                    if unsigned
                    else lib.clang_EvalResult_getAsLongLong
                )
                return int(get(r))
            return float(lib.clang_EvalResult_getAsDouble(r)) if kind == 2 else None
        finally:
            lib.clang_EvalResult_dispose(r)

    def walk(self) -> Iterator[Node]:
        """Itself and everything below, parents first."""
        yield self
        for k in self.kids:
            yield from k.walk()

    def stripped(self) -> Node:
        """Below parentheses and conversions that add no meaning of their own."""
        n = self
        while n.kind in ("PAREN_EXPR", "UNEXPOSED_EXPR") and len(n.kids) == 1:
            n = n.kids[0]
        return n
