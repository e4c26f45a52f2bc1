"""What HIP's tables cannot say: which vectors have to be the compiler's own."""

from __future__ import annotations

from collections.abc import Iterator

from xpiler.backend.dialect import Dialect
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Program
from xpiler.ir.rewrite import walk
from xpiler.ir.types import Array, Pointer, Type, Vector


class HipDialect(Dialect):
    """Matrix instructions take the compiler's own vectors; the classes stop at four lanes."""

    def native_vectors(self, program: Program) -> frozenset[Vector]:
        """Operands of matrix instructions, vectors of halves and whatever has no class."""
        return frozenset(_operands(program)) | frozenset(
            v for v in _vectors(program) if v.elem.name == "f16" or v.lanes > 4
        )


def _operands(program: Program) -> Iterator[Vector]:
    for f in program.functions:
        for n in walk(f.body):
            if isinstance(n, s.Instr) and n.name.startswith("mfma."):
                yield from (o.type for o in (*n.outs, *n.ins) if isinstance(o.type, Vector))


def _vectors(program: Program) -> Iterator[Vector]:
    types = [t for d in program.structs for _, t in d.fields]
    types += [g.var.type for g in program.globals]
    for f in program.functions:
        types += [f.ret, *(p.type for p in f.params)]
        for n in walk(f.body):
            if isinstance(n, e.Expr):
                types.append(n.type)
            elif isinstance(n, (s.Decl, s.For)):
                types.append(n.var.type)
    for t in types:
        inner = _innermost(t)
        if isinstance(inner, Vector):
            yield inner


def _innermost(t: Type) -> Type:
    while isinstance(t, (Pointer, Array)):
        t = t.elem
    return t


DIALECT = HipDialect()
