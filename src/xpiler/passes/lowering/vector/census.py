"""How many innermost loops run in vectors: by instructions, or as the compiler is told."""

from __future__ import annotations

from collections.abc import Iterator

from xpiler.analysis.effects import assigned, declared, indices, is_memory, names_in
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import walk
from xpiler.ir.types import Array, Opaque

SHORT = 8
SMALL_ARRAY = 256

Loop = s.For | s.While


def innermost(program: Program) -> tuple[int, int]:
    """(innermost loops in vectors, innermost loops that count).

    Loops of at most 8 iterations do not count, nor those that touch nothing but small arrays (256
    elements) of the function's own: compilers see to both. A loop that calls a function with loops,
    or a helper of the platform's, is none of the innermost.
    """
    found = [in_vectors(x) for f in program.functions for x in counted(f, program)]
    return sum(found), len(found)


def decided_by_data(program: Program) -> int:
    """How many of the other innermost loops that count stay in order by what they do.

    They write where data says (a histogram, a scatter, what a mask keeps), write down what they
    collect on their way (a scan), or print: no rule about subscripts shows that lanes may do so.
    """
    left = (x for f in program.functions for x in scalar_loops(f, program))
    return sum(_places_by_data(x) or _collects(x) or _prints(x) for x in left)


def _prints(loop: Loop) -> bool:
    return any(isinstance(n, s.Instr) and n.name == "print" for n in walk(loop.body))


def _places_by_data(loop: Loop) -> bool:
    """Whether a subscript of what is written comes from memory, or counts the bits of a mask."""
    own = {n.var.name: n.init for n in walk(loop.body) if isinstance(n, s.Decl)}

    def reads(x: object, seen: frozenset[str] = frozenset()) -> bool:
        if isinstance(x, e.Index) or (isinstance(x, e.Call) and x.func == "popcount"):
            return True
        init = own.get(x.name) if isinstance(x, e.Var) and x.name not in seen else None
        if init is None or not isinstance(x, e.Var):
            return False
        return any(reads(n, seen | {x.name}) for n in walk(init))

    return any(reads(n) for x in _written(loop) for i in indices(x) for n in walk(i))


def _collects(loop: Loop) -> bool:
    """Whether the loop stores values of a variable that lives on from turn to turn."""
    running = assigned(loop.body) - set(declared(loop.body))
    stores = (n for n in walk(loop.body) if isinstance(n, s.Assign) and is_memory(n.target))
    return any(names_in(n.value) & running for n in stores)


def _written(loop: Loop) -> Iterator[e.Expr]:
    return (n.target for n in walk(loop.body) if isinstance(n, s.Assign) and is_memory(n.target))


def scalar_loops(f: Function, program: Program) -> list[Loop]:
    """The innermost loops of `f`, a function of `program`, that count and are in no vectors."""
    return [x for x in counted(f, program) if not in_vectors(x)]


def counted(f: Function, program: Program) -> list[Loop]:
    """The innermost loops of `f` that count."""
    rolls = _with_loops(program) | program.externals
    return [x for x in _loops(f.body) if counts(x) and (in_vectors(x) or not _calls(x) & rolls)]


def _with_loops(program: Program) -> set[str]:
    """Names of the functions that have loops, or call functions that do."""
    found = {f.name for f in program.functions if any(isinstance(n, Loop) for n in walk(f.body))}
    while True:
        more = {f.name for f in program.functions if _calls(f) & found} - found
        if not more:
            return found
        found |= more


def _calls(node: Loop | Function) -> set[str]:
    return {n.func for n in walk(node.body) if isinstance(n, e.Call)}


def _loops(body: s.Body) -> Iterator[Loop]:
    """Loops that no other loop is in."""
    for n in walk(body):
        if isinstance(n, Loop) and not any(isinstance(x, Loop) for x in walk(n.body)):
            yield n


def in_vectors(loop: Loop) -> bool:
    """Whether a loop has vector instructions or is marked for the compiler."""
    if isinstance(loop, s.For) and loop.kind == "vectorised":
        return True
    return any(isinstance(n, e.Expr) and isinstance(n.type, Opaque) for n in walk(loop.body))


def counts(loop: Loop) -> bool:
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
