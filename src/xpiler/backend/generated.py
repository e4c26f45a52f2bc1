"""Helpers made for one file: vector types, their constructors, reinterpretations of bits."""

from __future__ import annotations

from dataclasses import dataclass, field

from xpiler.backend import types
from xpiler.backend.pieces import LANE
from xpiler.backend.spelling import Spelling
from xpiler.backend.survey import alias_typedef
from xpiler.ir.types import Array, Pointer, Scalar, Type, Vector


def provided(t: Vector, spelling: Spelling) -> bool:
    """Whether the platform itself declares a vector type."""
    return str(t) in spelling.vectors and t not in spelling.native


def stem(t: Type, spelling: Spelling) -> str:
    """The part of a helper's name that stands for a type."""
    if isinstance(t, Scalar):
        return spelling.stems[t.name]
    return types.base_name(t, spelling)


@dataclass
class Generated:
    """Collects while printing; what was asked for first is written first.

    `numbered`: vectors whose lanes are also an array `s`; `aliased`: what reads foreign memory.
    """

    vectors: list[Vector] = field(default_factory=list)
    functions: dict[str, str] = field(default_factory=dict)
    numbered: set[Vector] = field(default_factory=set)
    aliased: set[Type] = field(default_factory=set)

    def note_type(self, t: Type, spelling: Spelling) -> None:
        """Remembers that a vector type occurs in `t`."""
        while isinstance(t, (Pointer, Array)):
            t = t.elem
        if isinstance(t, Vector) and t not in self.vectors and not provided(t, spelling):
            self.vectors.append(t)

    def maker(self, t: Vector, spelling: Spelling) -> str:
        """The name of the function that makes a vector of up to four lanes."""
        if provided(t, spelling):
            return spelling.vectors[str(t)]["make"]
        self.note_type(t, spelling)
        vector, elem = types.vector_name(t, spelling), spelling.type_name(t.elem)
        name = f"make_{vector}"
        lanes = types.LANES[: t.lanes]
        params = ", ".join(f"{elem} {x}" for x in lanes)
        inside = ", ".join(lanes)
        braces = f"{{{{{inside}}}}}" if t in self.numbered else f"{{{inside}}}"
        self._add(
            name, f"{vector} {name}({params})", [f"return {_made(vector, braces, spelling)};"]
        )
        return name

    def bits(self, source: Type, to: Type, spelling: Spelling) -> str:
        """The name of the function that gives the bits of `source` as a `to`."""
        self.note_type(source, spelling)
        self.note_type(to, spelling)
        name = f"{stem(to, spelling)}_from_{stem(source, spelling)}_bits"
        to_name = types.declare(to, "", spelling)
        head = f"{to_name} {name}({types.declare(source, 'x', spelling)})"
        body = [f"{to_name} result;", "memcpy(&result, &x, sizeof result);", "return result;"]
        self._add(name, head, body)
        return name

    def lanewise(self, name: str, t: Vector, count: int, lane: str, spelling: Spelling) -> str:
        """A function that does `lane` (in `a`, `b`, ..., with LANE for the member) on each lane."""
        self.note_type(t, spelling)
        vector = types.vector_name(t, spelling)
        params = ", ".join(f"{vector} {p}" for p in "abc"[:count])
        if provided(t, spelling):
            lanes = [lane.replace(LANE, f".{types.LANES[k]}") for k in range(t.lanes)]
            body = [f"return {self.maker(t, spelling)}({', '.join(lanes)});"]
        elif t.lanes > 4 or t in spelling.native:
            index = "[i]" if t in spelling.native else ".s[i]"
            work = lane.replace(LANE, index)
            body = [
                f"{vector} r;",
                f"for (int i = 0; i < {t.lanes}; i++) {{",
                f"    r{index} = {work};",
                "}",
                "return r;",
            ]
        else:
            lanes = [lane.replace(LANE, f".{types.LANES[k]}") for k in range(t.lanes)]
            braces = (
                f"{{{{{', '.join(lanes)}}}}}" if t in self.numbered else f"{{{', '.join(lanes)}}}"
            )
            body = [f"return {_made(vector, braces, spelling)};"]
        self._add(name, f"{vector} {name}({params})", body)
        return name

    def _add(self, name: str, head: str, body: list[str]) -> None:
        lines = "".join(f"    {line}\n" for line in body)
        self.functions[name] = f"static inline {head}\n{{\n{lines}}}"

    def vector_stem(self, t: Vector, spelling: Spelling) -> str:
        """The vector's name, as part of a helper's."""
        self.note_type(t, spelling)
        return types.vector_name(t, spelling)

    def typedefs(self, spelling: Spelling) -> list[str]:
        """The typedefs of the vectors that occur, and of types that may read foreign memory."""
        made = [alias_typedef(t, spelling) for t in _sorted(self.aliased) if isinstance(t, Scalar)]
        return made + [
            types.vector_typedef(v, spelling, v in self.numbered, v in self.aliased)
            for v in self.vectors
        ]


def _made(vector: str, braces: str, spelling: Spelling) -> str:
    return f"{vector}{braces}" if spelling.syntax.cpp else f"({vector}){braces}"


def _sorted(kinds: set[Type]) -> list[Type]:
    return sorted(kinds, key=str)
