"""Launch shapes of kernels that run as tasks: groups of cores as blocks, cores as their threads.

A kernel that asks for its cluster was written for one union of four clusters, one that asks for its
core or meets others for one cluster, any other for tasks that know only their number. One that
divides its work by the number of tasks computes the same with any number; it is run as one group.
"""

from __future__ import annotations

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import children, walk
from xpiler.verify.inference.candidates import bare, reachable

CORES = 4  # of a cluster
CLUSTERS = 4  # of a union that kernels with fixed sizes are written for


def in_tasks(program: Program) -> bool:
    """Whether kernels of the program run as tasks of single cores (no warps)."""
    return program.wave == 1


def group(program: Program, kernel: Function) -> tuple[int, int, int]:
    """The cores that run together, as a block."""
    nodes = [n for f in reachable(program, kernel) for n in walk(f.body)]
    if any(_asks(n, "/") for n in nodes):
        return (CORES * CLUSTERS, 1, 1)
    meets = any(isinstance(n, s.Barrier) or _is_shared(n) for n in nodes)
    names = {v.name for v in nodes if isinstance(v, e.Var)}
    meets = meets or any(g.space == "shared" and g.var.name in names for g in program.globals)
    return (CORES if meets or any(_asks(n, "%") for n in nodes) else 1, 1, 1)


def counts_tasks(program: Program, kernel: Function) -> bool:
    """Whether one group is all: the kernel asks how many tasks there are, or for its cluster."""
    whole = group(program, kernel)[0] > CORES
    return whole or ("grid_dim", "x") in axes_asked(program, kernel)


def axes_asked(program: Program, kernel: Function) -> set[tuple[str, str]]:
    """Axes that the kernel uses (level and dimension), those inside a flat task number aside."""
    found: set[tuple[str, str]] = set()
    for f in reachable(program, kernel):
        for st in f.body:
            _gather(st, found)
    return found


def _gather(n: e.Expr | s.Stmt | s.Case, found: set[tuple[str, str]]) -> None:
    if isinstance(n, e.Axis):
        found.add((n.level, n.dim))
    if isinstance(n, e.Binary) and n.op == "*" and _is_row(n.a):
        return
    for child in children(n):
        _gather(child, found)


def _is_row(x: e.Expr) -> bool:
    """`block.z * grid_dim.y + block.y`, the first factor in the number of a task."""
    levels = {(a.level, a.dim) for a in walk(x) if isinstance(a, e.Axis)}
    return isinstance(x, e.Binary) and levels == {("block", "z"), ("grid_dim", "y"), ("block", "y")}


def _asks(n: object, op: str) -> bool:
    """`thread / 4` is the number of a cluster, `thread % 4` that of a core."""
    division = isinstance(n, e.Binary) and n.op == op
    if not division or not isinstance(n.b, e.Const) or n.b.value != CORES:  # type: ignore[attr-defined]
        return False
    x = bare(n.a)  # type: ignore[attr-defined]
    return isinstance(x, e.Axis) and x.level == "thread"


def _is_shared(n: object) -> bool:
    return isinstance(n, s.Decl) and n.space == "shared"
