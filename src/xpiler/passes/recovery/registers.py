"""Matrix instructions on registers (PTX mma.sync and ldmatrix, AMD mfma) as loops over tiles.

Every lane writes its register elements into tiles of the warp by the documented layout, the warp
multiplies, and every lane reads its part of the result.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.types import (
    BF16,
    F16,
    F32,
    F64,
    I8,
    I32,
    U8,
    U16,
    U32,
    Array,
    Pointer,
    Scalar,
    Type,
    Vector,
)  # fmt: skip
from xpiler.passes.recovery import nodes as n
from xpiler.passes.recovery.collectives import Expansion, Unsupported, converted
from xpiler.passes.recovery.formula import formula, simplify
from xpiler.passes.recovery.tiles import LANE, element, group_does, product, to_tf32
from xpiler.passes.recovery.warp_rules import exchanged, semantics, wave

TYPES: dict[str, Scalar] = {
    "f16": F16, "bf16": BF16, "f32": F32, "tf32": F32, "f64": F64, "s8": I8,
    "i8": I8, "u8": U8, "s32": I32, "i32": I32, "bf16_1k": BF16,
}  # fmt: skip
LONG = 4
"""Elements from which on a vector register is walked by a loop instead of one by one."""


class Operand:
    """One matrix operand of one lane: its registers, the type of its elements, its layout."""

    def __init__(
        self, registers: tuple[e.Expr, ...], elem: Scalar, layout: Mapping[str, Any], count: int
    ) -> None:
        self.registers, self.elem, self.layout, self.count = registers, elem, layout, count

    def whole(self) -> bool:
        """Whether one vector register holds the elements one a lane of the vector."""
        t = self.registers[0].type
        one = len(self.registers) == 1 and isinstance(t, Vector)
        return one and isinstance(t, Vector) and t.elem.bits == self.elem.bits

    def read(self, i: e.Expr) -> e.Expr:
        """Element `i` (a constant unless `whole`)."""
        if self.whole():
            reg = self.registers[0]
            assert isinstance(reg.type, Vector)
            return as_bits(e.Index(reg, i, reg.type.elem), self.elem)
        assert isinstance(i, e.Const)
        return part(self.registers, int(i.value), self.elem)


def as_bits(x: e.Expr, t: Scalar) -> e.Expr:
    return x if x.type == t else e.Bits(x, t)


def part(registers: tuple[e.Expr, ...], i: int, elem: Scalar) -> e.Expr:
    """Element `i` of type `elem` of values packed into registers, lowest bits first."""
    first = registers[0].type
    if isinstance(first, Vector):
        per = first.lanes * first.elem.bits // elem.bits
        reg = registers[i // per]
        step = first.elem.bits // elem.bits
        inner = e.Index(reg, e.Const(i % per // step, I32), first.elem)
        return part((inner,), i % step, elem)
    assert isinstance(first, Scalar)
    per = first.bits // elem.bits
    reg = registers[i // per]
    if per == 1:
        return as_bits(reg, elem)
    raw = Scalar(f"u{first.bits}")  # type: ignore[arg-type]
    small = Scalar(f"u{elem.bits}")  # type: ignore[arg-type]
    shift = elem.bits * (i % per)
    word = as_bits(reg, raw) if not first.is_integer else converted(reg, raw)
    if shift:
        word = e.Binary(">>", word, e.Const(shift, I32), raw)
    return as_bits(e.Cast(word, small), elem)


def packed(values: list[e.Expr], t: Type) -> e.Expr:
    """A register of type `t` that holds `values`, lowest bits first."""
    if isinstance(t, Vector):
        return e.Aggregate(tuple(as_bits(v, t.elem) for v in values), t)
    assert isinstance(t, Scalar)
    if len(values) == 1:
        return as_bits(values[0], t)
    word: e.Expr | None = None
    for k, v in enumerate(values):
        assert isinstance(v.type, Scalar)
        small = Scalar(f"u{v.type.bits}")  # type: ignore[arg-type]
        piece: e.Expr = e.Cast(as_bits(v, small), U32)
        if k:
            piece = e.Binary("<<", piece, e.Const(v.type.bits * k, I32), U32)
        word = piece if word is None else e.Binary("|", word, piece, U32)
    assert word is not None
    return word if t == U32 else e.Cast(word, t)


def _names(i: e.Expr, more: Mapping[str, int]) -> dict[str, e.Expr]:
    four = e.Const(4, U32)
    names: dict[str, e.Expr] = {
        "lane": LANE,
        "g": e.Binary("/", LANE, four, U32),
        "t": e.Binary("%", LANE, four, U32),
        "i": converted(i, U32),
    }
    return names | {k: e.Const(v, U32) for k, v in more.items()}


class Product:
    """A matrix product on registers: tiles, layouts, and the code around the multiplication."""

    def __init__(self, x: Expansion, sizes: tuple[int, int, int], more: Mapping[str, int]) -> None:
        self.x, self.sizes, self.more = x, sizes, more
        self.blocks = more.get("blocks", 1)

    def tile(self, name: str, elem: Scalar, shape: tuple[int, int]) -> e.Var:
        return self.x.tile(name, Array(elem, self.blocks * shape[0] * shape[1]))

    def place(self, tile: e.Var, op: Operand, shape: tuple[int, int], i: e.Expr) -> e.Expr:
        """The tile's element that register element `i` stands for."""
        names = _names(i, self.more)
        row, col = (formula(op.layout[k], names) for k in ("row", "col"))
        if self.blocks > 1:
            block = formula(op.layout["block"], names)
            start = e.Binary("*", block, e.Const(shape[0], U32), U32)
            row = e.Binary("+", start, row, U32)
        elem = tile.type.elem if isinstance(tile.type, Array) else op.elem
        return simplify(element(tile, row, col, shape[1], elem), wave(self.x))

    def spread(self, tile: e.Var, op: Operand, shape: tuple[int, int]) -> s.Stmt:
        """Every lane writes its registers into the tile."""

        def one(i: e.Expr) -> s.Stmt:
            return s.Assign(self.place(tile, op, shape, i), op.read(i), loc=self.x.instr.loc)

        if op.whole() and op.count >= LONG:
            return self.x.each(self.walk(op.count, one))
        return self.x.each(*(one(e.Const(i, U32)) for i in range(op.count)))

    def walk(self, count: int, one: Callable[[e.Expr], s.Stmt]) -> s.Stmt:
        i = self.x.var("i", U32)
        return s.For(i, e.Const(0, U32), e.Const(count, U32), e.Const(1, U32), (one(i),))

    def collect(self, tile: e.Var, op: Operand, shape: tuple[int, int]) -> s.Stmt:
        """Every lane reads its part of the result into the output registers."""

        def value(i: e.Expr) -> e.Expr:
            return self.place(tile, op, shape, i)

        out = self.x.instr.outs
        if op.whole():
            reg = out[0]
            assert isinstance(reg.type, Vector)
            t = reg.type.elem
            if op.count >= LONG:
                return self.x.each(
                    self.walk(
                        op.count, lambda i: s.Assign(e.Index(reg, i, t), as_bits(value(i), t))
                    )
                )
        per = op.count // len(out)
        parts = [value(e.Const(i, U32)) for i in range(op.count)]
        return self.x.each(
            *(
                s.Assign(o, packed(parts[k * per : k * per + per], o.type))
                for k, o in enumerate(out)
            )
        )

    def body(self, a: Operand, b: Operand, c: Operand, d: Operand) -> s.Body:
        m, cols, depth = self.sizes
        shapes = ((m, depth), (depth, cols), (m, cols))
        tiles = [
            self.tile(name, op.elem, shape)
            for name, op, shape in zip(
                ("a_tile", "b_tile", "c_tile"), (a, b, c), shapes, strict=True
            )
        ]
        spread = [
            self.spread(tile, op, shape)
            for tile, op, shape in zip(tiles, (a, b, c), shapes, strict=True)
        ]
        elems = (a.elem, b.elem, c.elem, c.elem)
        around = (tiles[0], tiles[1], tiles[2], tiles[2])
        view = to_tf32 if ".tf32" in self.x.instr.name else None
        multiply = product(self.x, around, self.sizes, elems, self.blocks, view)
        return (
            self.x.once(*(s.Decl(t) for t in tiles)),
            self.x.split(),
            *spread,
            self.x.split(),
            *group_does(self.x, *multiply),
            self.collect(tiles[2], d, shapes[2]),
        )


def mma(x: Expansion) -> s.Body:
    """PTX mma.sync: mma.m16n8k16.f32.f16.f16.f32 (types of d, a, b, c)."""
    _, shape, *types = x.instr.name.split(".")
    found = re.fullmatch(r"m(\d+)n(\d+)k(\d+)", shape)
    elems = [TYPES.get(t) for t in types[:4]]
    if found is None or len(elems) < 4 or None in elems:
        raise Unsupported(x.instr, f"no meaning is known for {x.instr.name}")
    m, cols, depth = (int(v) for v in found.groups())
    d, a, b, c = (t for t in elems if t is not None)
    layouts = semantics("matrix")["mma"].get(f"{shape}.{a.bits}")
    if layouts is None:
        raise Unsupported(x.instr, f"no register layout is known for {shape} of {types[1]}")
    registers = list(x.instr.ins)

    def operand(key: str, elem: Scalar) -> Operand:
        layout = layouts[key]
        width = registers[0].type
        bits = width.bits if isinstance(width, Scalar) else elem.bits
        held = max(1, layout["count"] * elem.bits // bits)
        own, rest = registers[:held], registers[held:]
        registers[:] = rest
        return Operand(tuple(own), elem, layout, layout["count"])

    ops = [operand("a", a), operand("b", b), operand("c", c)]
    result = Operand(x.instr.outs, d, layouts["c"], layouts["c"]["count"])
    return Product(x, (m, cols, depth), {}).body(ops[0], ops[1], ops[2], result)


_MFMA = re.compile(r"mfma\.(f32|i32|f64)_(\d+)x(\d+)x(\d+)(?:_\d+b)?_?(bf16_1k|\w+?)$")


def mfma(x: Expansion) -> s.Body:
    """AMD matrix cores: mfma.f32_32x32x8f16 (accumulator, M x N x K, operands)."""
    found = _MFMA.fullmatch(x.instr.name)
    elem = TYPES.get(found.group(5)) if found else None
    if found is None or elem is None or wave(x) != 64:
        raise Unsupported(x.instr, f"no meaning is known for {x.instr.name}")
    m, cols, depth = (int(found.group(k)) for k in (2, 3, 4))
    acc = TYPES[found.group(1)]
    a, b, c = x.instr.ins
    total = _bits(a.type)
    per = total // elem.bits
    blocks = per * 64 // (m * depth)
    key = f"c{m}_f64" if acc == F64 else f"c{m}"
    table = semantics("matrix")["mfma"]
    if blocks < 1 or key not in table or per * 64 != m * depth * blocks:
        raise Unsupported(x.instr, f"no register layout is known for {x.instr.name}")
    held = m * cols * blocks // 64
    more = {"M": m, "N": cols, "K": depth, "blocks": blocks, "per": per}
    work = Product(x, (m, cols, depth), more)
    return work.body(
        Operand((a,), elem, table["a"], per),
        Operand((b,), elem, table["b"], per),
        Operand((c,), acc, table[key], held),
        Operand(x.instr.outs, acc, table[key], held),
    )


def _bits(t: Type) -> int:
    if isinstance(t, Vector):
        return t.elem.bits * t.lanes
    assert isinstance(t, Scalar)
    return t.bits


def ldmatrix(x: Expansion) -> s.Body:
    """PTX ldmatrix: 8 x 8 matrices of 16-bit elements from row addresses that the lanes give."""
    rule = semantics("matrix")["ldmatrix"]["trans" if x.instr.name.endswith("trans") else "plain"]
    address = x.instr.ins[0]
    if not isinstance(address.type, (Pointer, Array)):
        raise Unsupported(x.instr, "the address of ldmatrix is not seen to be a pointer")
    rows = Pointer(U16, const=True)
    head, var = exchanged(x, e.Cast(address, rows))

    def half(q: int, i: int) -> e.Expr:
        names = _names(e.Const(i, U32), {"q": q})
        lane = simplify(formula(rule["lane"], names), wave(x))
        return e.Index(n.LaneRead(var, lane, rows), formula(rule["element"], names), U16)

    loads = [
        s.Assign(out, packed([half(q, 0), half(q, 1)], out.type), loc=x.instr.loc)
        for q, out in enumerate(x.instr.outs)
    ]
    return (*head, x.each(*loads), x.split())


REGISTER_RULES: dict[str, Callable[[Expansion], s.Body]] = {
    "mma": mma,
    "mfma": mfma,
    "ldmatrix": ldmatrix,
}
