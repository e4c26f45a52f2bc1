"""Types of the tensor program: C's scalars, short vectors, structs, pointers, arrays, fragments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ScalarName = Literal[
    "void",
    "bool",
    "i8",
    "i16",
    "i32",
    "i64",
    "u8",
    "u16",
    "u32",
    "u64",
    "f16",
    "bf16",
    "f32",
    "f64",
]


class Type:
    """Base of all types; every type is an immutable value compared by structure."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Scalar(Type):
    """A scalar; `i8` is C's `signed char` and also plain `char`."""

    name: ScalarName

    @property
    def is_float(self) -> bool:
        return self.name in ("f16", "bf16", "f32", "f64")

    @property
    def is_signed(self) -> bool:
        return self.name[0] == "i"

    @property
    def is_integer(self) -> bool:
        return self.name[0] in "iu" or self.name == "bool"

    @property
    def bits(self) -> int:
        """Storage width; `bool` takes 8, `void` 0."""
        if self.name in ("void", "bool"):
            return 8 if self.name == "bool" else 0
        return int(self.name.lstrip("iufb"))

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Vector(Type):
    """A short vector such as float4 or half2; lanes are the fields x, y, z, w (or s0, s1, ...)."""

    elem: Scalar
    lanes: int

    def __str__(self) -> str:
        return f"{self.elem}x{self.lanes}"


@dataclass(frozen=True, slots=True)
class Struct(Type):
    """A plain struct of the user's, by name; its fields are in `Program.structs`."""

    name: str

    def __str__(self) -> str:
        return f"struct {self.name}"


@dataclass(frozen=True, slots=True)
class Pointer(Type):
    """A pointer; `const` qualifies the pointee."""

    elem: Type
    const: bool = False
    restrict: bool = False

    def __str__(self) -> str:
        const = "const " if self.const else ""
        return f"{const}{self.elem}*{' restrict' if self.restrict else ''}"


@dataclass(frozen=True, slots=True)
class Array(Type):
    """An array of `size` elements; None where the launch decides (dynamic shared memory)."""

    elem: Type
    size: int | None

    def __str__(self) -> str:
        return f"{self.elem}[{'' if self.size is None else self.size}]"


@dataclass(frozen=True, slots=True)
class Fragment(Type):
    """A matrix tile held by a warp in an opaque layout (CUDA's wmma).

    `use` is a (m x k), b (k x n) or acc (m x n). Through `Field(f, "x")` a lane sees
    `count(width)` of its elements as an array, in an order that nobody may rely on.
    """

    use: Literal["a", "b", "acc"]
    m: int
    n: int
    k: int
    elem: Scalar
    layout: Literal["row", "col"] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        return {"a": (self.m, self.k), "b": (self.k, self.n), "acc": (self.m, self.n)}[self.use]

    def count(self, width: int = 32) -> int:
        rows, cols = self.shape
        return rows * cols // width

    def __str__(self) -> str:
        layout = f",{self.layout}" if self.layout else ""
        return f"fragment<{self.use},{self.m},{self.n},{self.k},{self.elem}{layout}>"


@dataclass(frozen=True, slots=True)
class Opaque(Type):
    """A host-side handle without value semantics here (stream, event, ...)."""

    name: str

    def __str__(self) -> str:
        return self.name


VOID, BOOL = Scalar("void"), Scalar("bool")
I8, I16, I32, I64 = Scalar("i8"), Scalar("i16"), Scalar("i32"), Scalar("i64")
U8, U16, U32, U64 = Scalar("u8"), Scalar("u16"), Scalar("u32"), Scalar("u64")
F16, BF16, F32, F64 = Scalar("f16"), Scalar("bf16"), Scalar("f32"), Scalar("f64")


def element(t: Type) -> Type:
    """What indexing a pointer, an array or a vector gives; raises TypeError for others."""
    if isinstance(t, (Pointer, Array, Vector)):
        return t.elem
    raise TypeError(f"{t} has no elements")
