"""Which memory statements touch, as far as moving one before another needs to know."""

from __future__ import annotations

from typing import Protocol

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.intrinsics import math_functions
from xpiler.ir.rewrite import walk
from xpiler.ir.types import Pointer
from xpiler.passes.recovery import nodes as n
from xpiler.passes.recovery.flow import effects, root

ANYTHING = "?"
QUIET_INSTRUCTIONS = frozenset(("fence", "async.commit", "async.wait", "clock"))


def _owner(place: e.Expr, local: set[str]) -> str | None:
    """What a place is in: a named array or pointer, ANYTHING, or None for a unit's own storage."""
    owner = root(place)
    if owner is not None:
        return None if owner.name in local else owner.name
    base = place
    while isinstance(base, (e.Index, e.Field, e.Cast)):
        base = base.x if isinstance(base, e.Cast) else base.base
    if isinstance(base, e.Var) and isinstance(base.type, Pointer) and base.name not in local:
        return base.name
    return ANYTHING


def _unknown_call(x: e.Expr) -> bool:
    return any(isinstance(c, e.Call) and c.func not in math_functions() for c in walk(x))


def read_by(body: s.Body, local: set[str]) -> set[str]:
    """Memory that `body` reads; `local` are the units' own variables."""
    found: set[str] = set()
    for st in n.statements(body):
        for x in [*n.heads(st), *n.targets(st)]:
            for node in walk(x):
                if isinstance(node, (e.Index, e.Var)):
                    owner = _owner(node, local)
                    if owner is not None and not (isinstance(node, e.Var) and owner == ANYTHING):
                        found.add(owner)
            if _unknown_call(x):
                found.add(ANYTHING)
    return found


def written_by(body: s.Body, local: set[str]) -> set[str]:
    """Memory that `body` may write."""
    found: set[str] = set()
    for st in n.statements(body):
        for place in n.targets(st):
            owner = _owner(place, local)
            if owner is not None:
                found.add(owner)
        if isinstance(st, (s.Instr, n.Masked)):
            instr = st.instr if isinstance(st, n.Masked) else st
            name = instr.name if isinstance(instr, s.Instr) else ""
            if name not in QUIET_INSTRUCTIONS and not name.startswith("warp."):
                found.add(ANYTHING)
        if any(map(_unknown_call, n.heads(st))):
            found.add(ANYTHING)
    return found


class World(Protocol):
    """What is known of a kernel's memory: names that all threads see, pointer parameters."""

    @property
    def shared(self) -> set[str]: ...
    @property
    def tiles(self) -> set[str]: ...
    @property
    def pointers(self) -> dict[str, Pointer]: ...


def may_move_before(st: s.Stmt, run: s.Body, local: set[str], world: World) -> bool:
    """Whether `st`, which has no effect but on variables and memory, may run before `run`."""
    if not run:
        return True
    uses, defs = touched((st,))
    run_uses, run_defs = touched(run)
    if uses & run_defs or defs & (run_uses | run_defs):
        return False
    reads, writes = read_by((st,), local), written_by((st,), local)
    others = written_by(run, local)
    seen = others | (read_by(run, local) if writes else set())
    pairs = [(r, w) for r in reads for w in others] + [(w, x) for w in writes for x in seen]
    return not any(_may_alias(a, b, world) for a, b in pairs)


def touched(body: s.Body) -> tuple[set[str], set[str]]:
    """Variables that `body` reads, and those that it sets."""
    uses: set[str] = set()
    defs: set[str] = set()
    for st in n.statements(body):
        u, d, w = effects(st)
        uses |= u
        defs |= d | w
        if isinstance(st, s.For):
            defs.add(st.var.name)
            uses |= {v.name for x in n.heads(st) for v in walk(x) if isinstance(v, e.Var)}
    return uses, defs


def _may_alias(a: str, b: str, world: World) -> bool:
    if a == b or ANYTHING in (a, b):
        return True
    if {a, b} & (world.shared | world.tiles):
        return False
    types = world.pointers
    return not any(name in types and types[name].restrict for name in (a, b))
