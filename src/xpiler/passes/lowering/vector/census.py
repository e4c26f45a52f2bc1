"""How many innermost loops run in vectors: by instructions, or as the compiler is told."""

from __future__ import annotations

from collections.abc import Iterator

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Program
from xpiler.ir.rewrite import walk
from xpiler.ir.types import Array, Opaque

SHORT = 8
SMALL_ARRAY = 256


def innermost(program: Program) -> tuple[int, int]:
    """(innermost loops in vectors, innermost loops that count).

    Loops of at most 8 iterations do not count, nor those that touch nothing but small arrays (256
    elements) of the function's own: compilers see to both.
    """
    found = [in_vectors(x) for f in program.functions for x in _loops(f.body) if counts(x)]
    return sum(found), len(found)


def _loops(body: s.Body) -> Iterator[s.For | s.While]:
    """Loops that no other loop is in."""
    for n in walk(body):
        if isinstance(n, (s.For, s.While)) and not any(
            isinstance(x, (s.For, s.While)) for x in walk(n.body)
        ):
            yield n


def in_vectors(loop: s.For | s.While) -> bool:
    """Whether a loop has vector instructions or is marked for the compiler."""
    if isinstance(loop, s.For) and loop.kind == "vectorised":
        return True
    return any(isinstance(n, e.Expr) and isinstance(n.type, Opaque) for n in walk(loop.body))


def counts(loop: s.For | s.While) -> bool:
    """Whether a loop is long and touches more than small arrays of the function's own."""
    if isinstance(loop, s.For) and _is_short(loop):
        return False
    bases = [n.base.type for n in walk(loop.body) if isinstance(n, e.Index)]
    if not bases:
        return True
    return any(not isinstance(t, Array) or t.size is None or t.size > SMALL_ARRAY for t in bases)


def _is_short(loop: s.For) -> bool:
    ends = (loop.lo, loop.hi, loop.step)
    if not all(isinstance(x, e.Const) for x in ends):
        return False
    lo, hi, step = (int(x.value) for x in ends)  # type: ignore[attr-defined]
    return (hi - lo + step - 1) // step <= SHORT
