"""Branches for a cluster's memory core, which has no part in the tensor program.

A platform's table `[memory_core]` names what tells it from the others: functions (`then` or `else`:
where it goes when they are true) and variables with the value that they have on it alone.
"""

from __future__ import annotations

from xpiler.frontend.cursor import Node
from xpiler.frontend.reader import FunctionReader

_IDLE = ("COMPOUND_STMT", "NULL_STMT", "RETURN_STMT")


def other_side(r: FunctionReader, kids: list[Node]) -> tuple[bool, Node | None]:
    """Whether `if (kids[0]) kids[1] else kids[2]` asks for the memory core, and what the others do.

    Raises NotUnderstood where the memory core has work of its own.
    """
    true = _true_on_memory_core(r, kids[0])
    if true is None:
        return False, None
    then, orelse = kids[1], kids[2] if len(kids) > 2 else None
    its, others = (then, orelse) if true else (orelse, then)
    if its is not None and not all(k.kind in _IDLE for k in _statements(its)):
        r.fail("XP0215", "the memory core has work of its own here", "",
               "let the computing cores copy for themselves")  # fmt: skip
    return True, others


def _statements(n: Node) -> list[Node]:
    inner = [s for k in n.kids for s in _statements(k)] if n.kind == "COMPOUND_STMT" else []
    return [n, *inner]


def _true_on_memory_core(r: FunctionReader, cond: Node) -> bool | None:
    table = r.unit.words.memory_core
    cond = cond.stripped()
    if not table:
        return None
    if cond.kind == "UNARY_OPERATOR" and cond.unary == "!":
        inner = _true_on_memory_core(r, cond.kids[0])
        return None if inner is None else not inner
    if cond.kind == "CALL_EXPR" and cond.name in table:
        return table[cond.name] == "then"
    if cond.kind == "BINARY_OPERATOR" and cond.binary in ("==", "!="):
        for one, other in (cond.kids, cond.kids[::-1]):
            name = one.stripped()
            known = name.kind == "DECL_REF_EXPR" and name.name in table
            if known and other.evaluate() == int(table[name.name]):
                return cond.binary == "=="
    return None
