"""Integer buffers whose elements are the bits of floating-point numbers.

`uint16_t` is what many programs call a half or a bfloat16. Integers drawn for it are denormal
numbers, which vanish in any sum: it is given numbers, and what it receives is compared as such.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import walk
from xpiler.ir.types import Array, Pointer, Scalar, Struct, Type, Vector
from xpiler.verify.numerics import array_behind

Place = tuple[str, str]
"""(function, variable), (function, "") for what it returns, ("struct name", field)."""
Kinds = set[str]
_WIDTH: Mapping[str, int] = {"f16": 16, "bf16": 16, "f32": 32}
_DTYPES: Mapping[str, str] = {"f16": "float16", "bf16": "bf16", "f32": "float32"}
_HALF = 16  # bits that a bfloat16 lies above the end of a word
ROUNDED = "f32, rounded"  # a word that was made from the bits of a float32 by arithmetic


def float_bits(program: Program, function: str) -> dict[str, str]:
    """Buffers of `function`, and fields `p.name` of structs in them, by the type that they hold."""
    parts = [
        part
        for p in program.function(function).params
        if isinstance(p.type, Pointer)
        for part in _parts(program, p.type.elem, p.name, (function, p.name))
        if _is_integer(part[2]) and _bits(part[2]) in _WIDTH.values()
    ]
    if not parts:
        return {}
    flow = _Flow(program)
    flow.run()
    return {name: kind for name, place, t in parts if (kind := flow.kind(place, t))}


def _parts(program: Program, t: Type, name: str, at: Place) -> Iterator[tuple[str, Place, Type]]:
    if isinstance(t, Struct):
        own = next((d.fields for d in program.structs if d.name == t.name), ())
        for field_name, inner in own:
            yield from _parts(program, inner, f"{name}.{field_name}", (str(t), field_name))
    else:
        while isinstance(t, (Array, Vector)):
            t = t.elem
        yield name, at, t


@dataclass
class _Flow:
    """Where integers come from and go to, whatever the order of statements."""

    program: Program
    moves: set[tuple[Place, Place, bool]] = field(default_factory=set)
    """(to, from, moved up by 16 bits)"""
    values: list[tuple[Place, e.Expr, str]] = field(default_factory=list)
    read: defaultdict[Place, Kinds] = field(default_factory=lambda: defaultdict(set))
    made: defaultdict[Place, Kinds] = field(default_factory=lambda: defaultdict(set))

    def kind(self, at: Place, t: Type) -> str:
        """The NumPy type of what is kept at a place of type `t`; "" where that are integers."""
        fit = {k for k in self.read[at] | self.made[at] if _WIDTH.get(k) == _bits(t)}
        return _DTYPES[fit.pop()] if len(fit) == 1 else ""

    def run(self) -> None:
        for f in self.program.functions:
            for n in walk(f.body):
                self._node(n, f)
        size = -1
        while size != (size := self._known()):
            for to, value, name in self.values:
                self.made[to] |= self._made(value, name)
            for to, source, up in self.moves:
                self.read[source] |= _below(self.read[to]) if up else self.read[to]

    def _known(self) -> int:
        return sum(len(k) for found in (self.read, self.made) for k in found.values())

    def _node(self, n: object, f: Function) -> None:
        if isinstance(n, s.Decl) and n.init is not None:
            self._given((f.name, n.var.name), n.init, f.name)
        elif isinstance(n, s.Assign):
            self._given(self._place(n.target, f.name), n.value, f.name)
        elif isinstance(n, s.Return) and n.value is not None:
            self._given((f.name, ""), n.value, f.name)
        elif isinstance(n, s.Launch):
            self._passed(n.kernel, n.args, f.name)
        elif isinstance(n, s.Instr) and n.name == "host.copy":
            self._copied(n, f.name)
        elif isinstance(n, e.Call):
            self._passed(n.func, n.args, f.name)
        elif isinstance(n, e.Bits):
            self._seen(n.x, n.type, f.name)
        elif isinstance(n, e.Index) and isinstance(n.base, e.Cast):
            self._seen_through(n, f.name)

    def _given(self, to: Place, value: e.Expr, name: str) -> None:
        if isinstance(value.type, Pointer):
            self._aliased(to, value, name)
        self.values.append((to, value, name))
        self.moves |= {(to, source, up) for source, up in self._sources(value, name)}

    def _passed(self, function: str, args: Iterable[e.Expr], name: str) -> None:
        known = next((g for g in self.program.functions if g.name == function), None)
        for p, a in zip(known.params if known is not None else (), args, strict=False):
            self._given((function, p.name), a, name)

    def _aliased(self, to: Place, pointer: e.Expr, name: str) -> None:
        """What is stored through a pointer is stored where it comes from."""
        source = (name, array_behind(pointer))
        if source[1] and not isinstance(pointer, e.Call):
            self.moves |= {(to, source, False)}
            self.values.append((source, e.Var(to[1], pointer.type), to[0]))

    def _copied(self, n: s.Instr, name: str) -> None:
        """One number copied byte by byte, or a buffer."""
        to, source = n.ins[:2]
        if isinstance(to, e.AddressOf) and isinstance(source, e.AddressOf):
            bits = e.Bits(source.x, to.x.type)
            self._seen(source.x, to.x.type, name)
            self._given(self._place(to.x, name), bits, name)
        elif array_behind(to) and array_behind(source):
            self._given((name, array_behind(to)), e.Var(array_behind(source), source.type), name)

    def _seen(self, x: e.Expr, t: Type, name: str) -> None:
        if isinstance(t, Scalar) and t.is_float:
            for source, up in self._sources(x, name):
                if not up or t.name == "f32":
                    self.read[source].add("bf16" if up else t.name)

    def _seen_through(self, x: e.Index, name: str) -> None:
        """`((half *)p)[i]`: what a pointer to other elements of the same size shows."""
        assert isinstance(x.base, e.Cast)
        inner, outer = x.base.x.type, x.base.type
        if isinstance(inner, Pointer) and isinstance(outer, Pointer):
            a, b = inner.elem, outer.elem
            if isinstance(a, Scalar) and isinstance(b, Scalar) and a.bits == b.bits and b.is_float:
                self.read[name, array_behind(x.base.x)].add(b.name)

    def _place(self, x: e.Expr, name: str) -> Place:
        while isinstance(x, e.Index):
            x = x.base
        if isinstance(x, e.Field) and isinstance(x.base.type, Struct):
            return str(x.base.type), x.name
        return name, array_behind(x)

    def _sources(self, x: e.Expr, name: str, up: bool = False) -> Iterator[tuple[Place, bool]]:
        """The places whose bits `x` has, moved up by 16 or not."""
        if isinstance(x, (e.Var, e.Index, e.Field)):
            yield self._place(x, name), up
        elif isinstance(x, (e.Cast, e.Bits)):
            if _is_integer(x.type) and _is_integer(x.x.type) and _bits(x.type) >= _HALF:
                yield from self._sources(x.x, name, up)
        elif isinstance(x, e.Select):
            yield from self._sources(x.a, name, up)
            yield from self._sources(x.b, name, up)
        elif isinstance(x, e.Binary) and x.op == "<<" and not up:
            if _constant(x.b) == _HALF:
                yield from self._sources(x.a, name, True)
        elif isinstance(x, e.Call):
            yield (x.func, ""), up

    def _made(self, x: e.Expr, name: str) -> Kinds:
        """The floating types whose bits are in `x`."""
        if isinstance(x, (e.Var, e.Index, e.Field)):
            return set(self.made[self._place(x, name)])
        if isinstance(x, e.Call):
            return set(self.made[x.func, ""])
        if isinstance(x, e.Bits) and isinstance(x.x.type, Scalar) and x.x.type.is_float:
            return {x.x.type.name}
        if isinstance(x, (e.Cast, e.Bits)):
            return self._made(x.x, name) if _is_integer(x.x.type) else set()
        if isinstance(x, e.Select):
            return self._made(x.a, name) | self._made(x.b, name)
        if isinstance(x, e.Binary):
            return self._computed(x, name)
        return set()

    def _computed(self, x: e.Binary, name: str) -> Kinds:
        both = self._made(x.a, name)
        word = bool(both & {"f32", ROUNDED})
        if x.op == ">>":
            return {"bf16"} if word and _constant(x.b) == _HALF else set()
        if x.op not in ("+", "|", "&"):
            return set()
        both |= self._made(x.b, name)
        narrow = both & {"f16", "bf16"}
        return narrow | ({ROUNDED} if both & {"f32", ROUNDED} else set())


def _below(kinds: Kinds) -> Kinds:
    """What the upper half of a word is that is read as one of `kinds`."""
    return {"bf16"} if "f32" in kinds else set()


def _is_integer(t: Type) -> bool:
    return isinstance(t, Scalar) and t.is_integer


def _bits(t: Type) -> int:
    return t.bits if isinstance(t, Scalar) else 0


def _constant(x: e.Expr) -> int | None:
    while isinstance(x, e.Cast):
        x = x.x
    return int(x.value) if isinstance(x, e.Const) and isinstance(x.value, int) else None
