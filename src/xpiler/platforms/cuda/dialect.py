"""What CUDA's tables cannot say: matrix instructions of registers, which are inline PTX."""

from __future__ import annotations

import re
from itertools import pairwise

from xpiler.backend.dialect import Dialect
from xpiler.backend.expressions import ExpressionPrinter
from xpiler.backend.pieces import ARGUMENT
from xpiler.backend.unit import cannot_print
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.types import Array, Pointer, Scalar

# PTX ISA, constraints of operands in inline assembly.
_LETTERS = {
    "u16": "h", "i16": "h", "u32": "r", "i32": "r", "u64": "l", "i64": "l", "f32": "f", "f64": "d",
}  # fmt: skip


class CudaDialect(Dialect):
    """`mma.*` and `ldmatrix.*` as `asm volatile`, with operands by name of register class."""

    def instruction(self, st: s.Instr, x: ExpressionPrinter) -> list[str] | None:
        """The lines of an instruction that is written in PTX; None for all others."""
        if st.name.startswith("mma."):
            return _mma(st, x)
        if st.name.startswith("ldmatrix."):
            return _ldmatrix(st, x)
        return None


def _mma(st: s.Instr, x: ExpressionPrinter) -> list[str]:
    """`mma.sync`: registers of D, A, B and C in braces (PTX ISA, mma)."""
    _, shape, *kinds = st.name.split(".")
    count = len(st.outs)
    a, b = _operand_counts(shape, kinds)
    cuts = [0, count, count + a, count + a + b, count + a + b + count]
    groups = [", ".join(f"%{k}" for k in range(*r)) for r in pairwise(cuts)]
    opcode = f"mma.sync.aligned.{shape}.row.col{_options(st)}.{'.'.join(kinds)}"
    operands = ", ".join(f"{{{g}}}" for g in groups)
    return _asm(opcode, operands, st.outs, st.ins, x)


def _options(st: s.Instr) -> str:
    return ".satfinite" if st.attr("satfinite", 0) else ""


_BITS = {"f64": 64, "tf32": 32, "f16": 16, "bf16": 16, "s8": 8, "u8": 8, "s4": 4, "u4": 4, "b1": 1}


def _operand_counts(shape: str, kinds: list[str]) -> tuple[int, int]:
    """Registers of A (m x k) and B (k x n) in a lane of 32: 32 bits each, 64 for doubles."""
    found = re.fullmatch(r"m(\d+)n(\d+)k(\d+)", shape)
    if found is None:
        raise cannot_print(f"mma of {shape}", "its shape is not understood")
    m, n, k = map(int, found.groups())
    bits = _BITS[kinds[1]]
    lane = 32 * max(bits, 32)
    return m * k * bits // lane, k * n * bits // lane


def _ldmatrix(st: s.Instr, x: ExpressionPrinter) -> list[str]:
    """`ldmatrix`: 8 x 8 tiles of 16-bit elements from shared memory (PTX ISA, ldmatrix)."""
    _, count, *trans = st.name.split(".")
    outs = ", ".join(f"%{k}" for k in range(len(st.outs)))
    opcode = f"ldmatrix.sync.aligned.m8n8.{count}{''.join(f'.{t}' for t in trans)}.shared.b16"
    pointer = st.ins[0]
    while isinstance(pointer, e.Cast) and isinstance(pointer.x.type, (Pointer, Array)):
        pointer = pointer.x
    address = f"(unsigned)__cvta_generic_to_shared({x.exactly(pointer).within(ARGUMENT)})"
    outputs = ", ".join(_bound("=", o, x) for o in st.outs)
    return [
        f'asm volatile("{opcode} {{{outs}}}, [%{len(st.outs)}];\\n" : {outputs} : "r"({address}));'
    ]


def _asm(
    opcode: str,
    operands: str,
    outs: tuple[e.Expr, ...],
    ins: tuple[e.Expr, ...],
    x: ExpressionPrinter,
) -> list[str]:
    given = ", ".join(_bound("", n, x) for n in ins)
    made = ", ".join(_bound("=", n, x) for n in outs)
    pad = " " * 13
    return [
        f'asm volatile("{opcode} "',
        f'{pad}"{operands};\\n"',
        f"{pad}: {made}",
        f"{pad}: {given});",
    ]


def _bound(how: str, n: e.Expr, x: ExpressionPrinter) -> str:
    t = n.type
    letter = _LETTERS.get(t.name) if isinstance(t, Scalar) else None
    if letter is None:
        raise cannot_print(f"an operand of type {t}", "inline assembly has no register for it")
    text = x.piece(n).text if how else x.exactly(n).within(ARGUMENT)
    return f'"{how}{letter}"({text})'


DIALECT = CudaDialect()
