"""Which statements synchronise, and at which level: grid, block or warp."""

from __future__ import annotations

from xpiler.ir import stmt as s
from xpiler.ir.intrinsics import is_collective
from xpiler.passes.recovery import nodes as n

ORDER: tuple[n.LevelName, ...] = ("grid", "block", "warp")


def sync_level(st: s.Stmt) -> n.LevelName | None:
    """The level whose units act together in this one statement; None for ordinary ones."""
    if isinstance(st, s.Barrier):
        return st.scope
    if isinstance(st, n.Split):
        return st.level
    if isinstance(st, (n.Once, n.Accumulate)):
        return st.level
    instr = st.instr if isinstance(st, n.Masked) else st
    if isinstance(instr, s.Instr) and is_collective(instr.name):
        return "block" if instr.name.startswith("block.") else "warp"
    return None


def has_sync(node: s.Stmt | s.Body, level: n.LevelName) -> bool:
    """Whether units of `level` (or of an outer level) meet somewhere in `node`."""
    outer = ORDER[: ORDER.index(level) + 1]
    body = node if isinstance(node, tuple) else (node,)
    return any(sync_level(st) in outer for st in n.statements(body))
