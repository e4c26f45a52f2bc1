"""A program: one translation unit with its functions, globals, structs and kept macros."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from xpiler.diagnostics import SourceLoc
from xpiler.ir.expr import Expr, Var
from xpiler.ir.intrinsics import math_functions
from xpiler.ir.stmt import Body, Space
from xpiler.ir.types import VOID, Type

Role = Literal["kernel", "device", "host"]


@dataclass(frozen=True, slots=True)
class Function:
    """A function. `symbol` is the name that callers link against or write (`softmax<256>`).

    `launch_bounds` is the largest number of threads a block may have (0: not said).
    `extents`: elements (i64) of pointer parameters that are declared as arrays, by name.
    `static`: not visible outside the file. Role `host` may launch; `device` may not.
    """

    name: str
    params: tuple[Var, ...]
    body: Body
    ret: Type = VOID
    role: Role = "host"
    symbol: str = ""
    extern_c: bool = False
    static: bool = False
    launch_bounds: int = 0
    loc: SourceLoc | None = field(default=None, compare=False)
    comments: tuple[str, ...] = field(default=(), compare=False)
    extents: tuple[tuple[str, Expr], ...] = field(default=(), compare=False)

    @property
    def public(self) -> str:
        """Its name in text: the one of the source where that is a neutral function's, too."""
        return self.symbol if self.symbol in math_functions() else self.name

    def with_body(self, body: Body) -> Function:
        return replace(self, body=body)


@dataclass(frozen=True, slots=True)
class StructDef:
    """A plain struct: fields in order; `align` in bytes, 0 for the natural one."""

    name: str
    fields: tuple[tuple[str, Type], ...]
    align: int = 0
    comments: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Global:
    """A variable at file scope: device memory (`global`), `constant`, or the host's (`local`)."""

    var: Var
    init: Expr | None = None
    space: Space = "local"
    const: bool = False
    static: bool = False
    comments: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Macro:
    """A macro that stands for a constant and keeps its name: `#define TILE 16`."""

    name: str
    text: str
    comments: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Program:
    """A translation unit in source order; `wave` is the number of lanes in a warp.

    `externals` are functions that it calls and that the platform supplies (its instructions).
    """

    functions: tuple[Function, ...]
    globals: tuple[Global, ...] = ()
    structs: tuple[StructDef, ...] = ()
    macros: tuple[Macro, ...] = ()
    file: str = ""
    platform: str = ""
    wave: int = 32
    comments: tuple[str, ...] = field(default=(), compare=False)
    externals: frozenset[str] = frozenset()

    def function(self, name: str) -> Function:
        """The function called `name`; raises KeyError."""
        for f in self.functions:
            if f.name == name:
                return f
        raise KeyError(name)

    def kernels(self) -> tuple[Function, ...]:
        return tuple(f for f in self.functions if f.role == "kernel")

    def with_functions(self, functions: tuple[Function, ...]) -> Program:
        return replace(self, functions=functions)
