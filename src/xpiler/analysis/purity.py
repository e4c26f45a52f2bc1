"""Which of a program's functions only compute: they may read memory, and give back a value."""

from __future__ import annotations

from xpiler.analysis.effects import declared, root
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.intrinsics import math_functions
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import walk
from xpiler.ir.types import Pointer, Scalar, Struct, Vector

_EFFECTS = (s.Instr, s.Launch, s.Barrier, s.LeftOut)


def readers(program: Program) -> frozenset[str]:
    """Names of the functions that write nothing but their own variables and do nothing else."""
    found = {f.name for f in program.functions if _quiet(f)}
    while True:
        bad = {n for n in found if not _calls(program.function(n)) <= found}
        if not bad:
            return frozenset(found)
        found -= bad


def pure_functions(program: Program) -> frozenset[str]:
    """Functions that read nothing but their parameters and do nothing but return a value."""
    shared = {g.var.name for g in program.globals}
    found: set[str] = set()
    while True:
        known = math_functions().keys() | found
        new = {
            f.name
            for f in program.functions
            if all(isinstance(p.type, (Scalar, Struct, Vector)) for p in f.params)
            and all(_is_pure(n, known, shared) for n in walk(f.body))
        }
        if new <= found:
            return frozenset(found)
        found |= new


def _is_pure(n: object, known: set[str], shared: set[str]) -> bool:
    if isinstance(n, e.Call):
        return n.func in known
    if isinstance(n, e.Var):
        return n.name not in shared
    return not isinstance(
        n, (s.Instr, s.Eval, s.Launch, s.LeftOut, s.Barrier, s.While, e.AddressOf, e.Axis)
    )


def _calls(f: Function) -> set[str]:
    known = math_functions()
    return {n.func for n in walk(f.body) if isinstance(n, e.Call) and n.func not in known}


def _quiet(f: Function) -> bool:
    """Whether the function's own statements have no effect outside."""
    own = {v.name for v in f.params if not isinstance(v.type, Pointer)}
    own |= {n for n, d in declared(f.body).items() if not isinstance(d.var.type, Pointer)}
    for n in walk(f.body):
        if isinstance(n, _EFFECTS) or (isinstance(n, s.Decl) and n.space != "local"):
            return False
        if isinstance(n, s.Assign) and not _own(n.target, own):
            return False
    return True


def _own(target: e.Expr, own: set[str]) -> bool:
    """Whether a place lies in a variable of the function itself (not behind a pointer)."""
    if isinstance(target, e.Var):
        return True
    place = target
    while isinstance(place, (e.Index, e.Field)):
        if isinstance(place, e.Index) and isinstance(place.base.type, Pointer):
            return False
        place = place.base
    return root(target) in own
