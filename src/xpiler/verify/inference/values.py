"""Abstract values of the footprint interpreter: intervals, pointers into regions, records."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from xpiler.ir.expr import Cast, Const, Expr, Field, Index
from xpiler.ir.program import Program
from xpiler.ir.types import Array, Fragment, Opaque, Pointer, Scalar, Struct, Type, Vector

Number = int | float


@dataclass(frozen=True, slots=True)
class Interval:
    """All numbers from `lo` to `hi` inclusive; infinities where unknown."""

    lo: Number
    hi: Number

    @property
    def single(self) -> bool:
        return self.lo == self.hi and not math.isinf(self.lo)

    @property
    def bounded(self) -> bool:
        return not (math.isinf(self.lo) or math.isinf(self.hi))

    def join(self, other: Interval) -> Interval:
        return Interval(min(self.lo, other.lo), max(self.hi, other.hi))

    def meet(self, other: Interval) -> Interval:
        lo, hi = max(self.lo, other.lo), min(self.hi, other.hi)
        return Interval(lo, hi) if lo <= hi else Interval(lo, lo)


TOP = Interval(-math.inf, math.inf)
BLANK = Interval(math.inf, -math.inf)
"""No number at all: what lies where nothing was stored yet. Only copied; what it is joined with
stays, and whoever computes with it has any number."""


def point(x: Number) -> Interval:
    return Interval(x, x)


def wrapped(x: Interval, t: Type) -> Interval:
    """A single number as an unsigned type holds it; anything else as it is."""
    if not (isinstance(t, Scalar) and t.name.startswith("u") and isinstance(x.lo, int)):
        return x
    return point(x.lo % (1 << t.bits)) if x.single else x


def distance(x: Interval) -> Interval:
    """A subscript as the distance that it stands for: 64-bit addresses wrap around."""
    return point(x.lo - (1 << 64)) if x.single and x.lo >= 1 << 63 else x


def _times(a: Number, b: Number) -> Number:
    return 0 if a == 0 or b == 0 else a * b


def corners(a: Interval, b: Interval, op: Callable[[Number, Number], Number]) -> Interval:
    """The hull of `op` over the corners: exact where op is monotone in each operand."""
    points = [op(x, y) for x in (a.lo, a.hi) for y in (b.lo, b.hi)]
    return TOP if any(math.isnan(p) for p in points) else Interval(min(points), max(points))


def add(a: Interval, b: Interval) -> Interval:
    return Interval(a.lo + b.lo, a.hi + b.hi)


def subtract(a: Interval, b: Interval) -> Interval:
    return Interval(a.lo - b.hi, a.hi - b.lo)


def multiply(a: Interval, b: Interval) -> Interval:
    return corners(a, b, _times)


def _quotient(a: Number, b: Number) -> Number:
    if math.isinf(a) or math.isinf(b):
        return 0 if math.isinf(b) else math.copysign(math.inf, a) * math.copysign(1, b)
    q = abs(int(a)) // abs(int(b))
    return q if (a >= 0) == (b >= 0) else -q


def divide(a: Interval, b: Interval, floating: bool) -> Interval:
    if b.lo <= 0 <= b.hi:
        return TOP if not b.hi > 0 or a.lo < 0 else Interval(0, a.hi)
    return corners(a, b, (lambda x, y: x / y) if floating else _quotient)


def remainder(a: Interval, b: Interval) -> Interval:
    if not b.bounded or b.lo <= 0:
        return TOP
    if a.single and b.single:
        return (
            point(math.fmod(a.lo, b.lo))
            if isinstance(a.lo, float)
            else point(_c_mod(a.lo, int(b.lo)))
        )
    top = b.hi - 1
    if a.lo >= 0:
        if b.single and a.bounded and a.lo // b.lo == a.hi // b.lo:
            return Interval(a.lo % b.lo, a.hi % b.lo)
        return Interval(0, min(top, a.hi))
    return Interval(-top, top)


def _c_mod(a: int, b: int) -> int:
    return a - b * int(_quotient(a, b))


def shift(op: str, a: Interval, b: Interval) -> Interval:
    if not (a.bounded and b.bounded and a.lo >= 0 and b.lo >= 0 and b.hi < 64):
        return Interval(0, math.inf) if a.lo >= 0 else TOP
    if op == "<<":
        return Interval(int(a.lo) << int(b.lo), int(a.hi) << int(b.hi))
    return Interval(int(a.lo) >> int(b.hi), int(a.hi) >> int(b.lo))


def bitwise(op: str, a: Interval, b: Interval) -> Interval:
    if a.single and b.single and isinstance(a.lo, int) and isinstance(b.lo, int):
        return point({"&": a.lo & b.lo, "|": a.lo | b.lo, "^": a.lo ^ b.lo}[op])
    if op == "&":
        tops = [x.hi for x in (a, b) if x.lo >= 0]
        return Interval(0, min(tops)) if tops else TOP
    if a.lo >= 0 and b.lo >= 0 and a.bounded and b.bounded:
        return Interval(0, (1 << max(int(a.hi).bit_length(), int(b.hi).bit_length())) - 1)
    return TOP


COUNTS = ("popcount", "clz", "ffs")


def counted(name: str, x: Expr, value: Interval) -> Interval:
    """What `popcount`, `ffs` or `clz` gives for `x`: no more than it has bits."""
    bits = x.type.bits if isinstance(x.type, Scalar) else 64
    if name == "clz":
        return Interval(0, bits)
    if value.bounded and value.lo >= 0:
        bits = min(bits, int(value.hi).bit_length())
    while isinstance(x, Cast) and isinstance(t := x.x.type, Scalar) and t.name.startswith("u"):
        x, bits = x.x, min(bits, t.bits)
    return Interval(0, bits)


@dataclass(frozen=True, slots=True)
class PointerTo:
    """A pointer: the regions that it may point into, each with byte offsets; none: not known."""

    targets: tuple[tuple[str, Interval], ...] = ()

    def moved(self, by: Interval) -> PointerTo:
        """The pointer `by` bytes further on."""
        return PointerTo(tuple((name, add(offset, by)) for name, offset in self.targets))

    def joined(self, other: PointerTo) -> PointerTo:
        """Either of two pointers; an unknown one makes both unknown."""
        if not (self.targets and other.targets):
            return PointerTo()
        spans = dict(self.targets)
        for name, offset in other.targets:
            spans[name] = spans[name].join(offset) if name in spans else offset
        return PointerTo(tuple(spans.items()))


def start_of(region: str) -> PointerTo:
    return PointerTo(((region, point(0)),))


@dataclass(slots=True)
class Record:
    """A struct, a short vector or a dim3: its fields by name."""

    fields: dict[str, Value] = field(default_factory=dict)


Value = Interval | PointerTo | Record


def join(a: Value, b: Value) -> Value:
    if a is BLANK or b is BLANK:
        return b if a is BLANK else a
    if isinstance(a, Interval) and isinstance(b, Interval):
        return a.join(b)
    if isinstance(a, PointerTo) and isinstance(b, PointerTo):
        return a.joined(b)
    if isinstance(a, Record) and isinstance(b, Record):
        keys = {**a.fields, **b.fields}
        return Record({k: join(a.fields.get(k, TOP), b.fields.get(k, TOP)) for k in keys})
    return TOP


@dataclass(slots=True)
class Region:
    """A piece of memory: bytes if known, and the hull of the bytes read and written so far.

    `room`: memory of a thread or core alone, declared for the largest size and hardly ever filled.
    `made`: some kernel writes there.
    """

    name: str
    size: int | None = None
    read: Interval | None = None
    written: Interval | None = None
    content: Value | None = None
    device: Interval | None = None
    stored: Interval | None = None
    mirrors: set[str] = field(default_factory=set)
    room: bool = False
    made: bool = False

    def touch(
        self, span: Interval, write: bool, device: bool = False, atomic: bool = False
    ) -> None:
        """Count an access; `device`: by a kernel, not by a copy."""
        if write and not atomic:
            self.stored = span if self.stored is None else self.stored.join(span)
        if device:
            self.made |= write
            self.device = span if self.device is None else self.device.join(span)
        old = self.written if write else self.read
        new = span if old is None else old.join(span)
        if write:
            self.written = new
        else:
            self.read = new

    def shown(self, read: tuple[int, int] | None, written: tuple[int, int] | None) -> None:
        """Exactly these bytes, from and to, are read and written."""
        self.read = Interval(*read) if read is not None else None
        self.written = self.stored = Interval(*written) if written is not None else None

    @property
    def touched(self) -> Interval | None:
        if self.read is None or self.written is None:
            return self.read or self.written
        return self.read.join(self.written)


def size_of(t: Type, program: Program) -> int:
    """Bytes of a value of `t`, structs with natural alignment."""
    if isinstance(t, Scalar):
        return max(1, t.bits // 8)
    if isinstance(t, Vector):
        return size_of(t.elem, program) * t.lanes
    if isinstance(t, Array):
        return size_of(t.elem, program) * (t.size or 0)
    if isinstance(t, Fragment):
        return size_of(t.elem, program) * t.count()
    if isinstance(t, Struct):
        return _struct_size(t.name, program)
    assert isinstance(t, (Pointer, Opaque))
    return 8


def lanes(t: Vector) -> tuple[str, ...]:
    """The field names of a short vector's lanes."""
    return tuple("xyzw"[: t.lanes]) if t.lanes <= 4 else tuple(f"s{i}" for i in range(t.lanes))


def align_of(t: Type, program: Program) -> int:
    """Bytes; of short vectors as in the CUDA C++ Programming Guide, built-in vector types."""
    if isinstance(t, Array):
        return align_of(t.elem, program)
    if isinstance(t, Vector):
        size = size_of(t, program)
        return size_of(t.elem, program) if t.lanes == 3 else min(size & -size, 16)
    if isinstance(t, Struct):
        d = next((d for d in program.structs if d.name == t.name), None)
        return max([d.align, *(align_of(f, program) for _, f in d.fields)]) if d else 1
    return max(1, size_of(t, program))


def field_offset(t: Type, name: str, program: Program) -> int:
    """Bytes from the start of a vector or struct to its field."""
    if isinstance(t, Vector):
        return lanes(t).index(name) * size_of(t.elem, program) if name in lanes(t) else 0
    offset = 0
    d = next((d for d in program.structs if isinstance(t, Struct) and d.name == t.name), None)
    for own, f in d.fields if d else ():
        offset += -offset % align_of(f, program)
        if own == name:
            return offset
        offset += size_of(f, program)
    return 0


def place(x: Expr, program: Program) -> int:
    """The bytes from the start of a variable to a part of it, whose subscripts are constants."""
    if isinstance(x, Field):
        return place(x.base, program) + field_offset(x.base.type, x.name, program)
    if isinstance(x, Index):
        assert isinstance(x.index, Const)
        return place(x.base, program) + int(x.index.value) * size_of(x.type, program)
    return 0


def _struct_size(name: str, program: Program) -> int:
    d = next((d for d in program.structs if d.name == name), None)
    if d is None:
        return 1
    offset, widest = 0, max(1, d.align)
    for _, f in d.fields:
        a = align_of(f, program)
        widest = max(widest, a)
        offset = (offset + a - 1) // a * a + size_of(f, program)
    return (offset + widest - 1) // widest * widest
