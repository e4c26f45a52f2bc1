"""`goto` as structure: a jump forward out of branches skips what lies before its label."""

from __future__ import annotations

from dataclasses import replace

from xpiler.frontend.faults import NotUnderstood
from xpiler.ir.expr import Var
from xpiler.ir.rewrite import rewrite_stmts, walk
from xpiler.ir.stmt import Body, Decl, If, Instr, Scope, Stmt

JUMP, LABEL = "jump", "label"


def jump(label: str) -> Instr:
    """`goto label`, until `structured` does away with it."""
    return Instr(JUMP, (), (), (("to", label),))


def mark(label: str) -> Instr:
    """`label:`, likewise."""
    return Instr(LABEL, (), (), (("to", label),))


def structured(body: Body) -> Body:
    """`body` without jumps and labels; raises NotUnderstood for other than forward ones.

    `if (c) { a; goto l; } b; l: d` becomes `if (c) { a } else { b } d`.
    """
    if not any(isinstance(n, Instr) and n.name in (JUMP, LABEL) for n in walk(body)):
        return body
    out = _block(rewrite_stmts(body, _within))
    if any(isinstance(n, Instr) and n.name == JUMP for n in walk(out)):
        raise NotUnderstood(
            "XP0204", "goto is not understood", "it leaves a loop, goes back or into a block",
            "write the control flow with if, while and break",
        )  # fmt: skip
    without: Body = rewrite_stmts(out, lambda st: () if _named(st, LABEL) else st)
    return without


def _within(st: Stmt) -> Stmt:
    """Blocks inside a statement, each on its own."""
    for part in ("body", "then", "orelse"):
        inner = getattr(st, part, None)
        if isinstance(inner, tuple) and inner:
            st = replace(st, **{part: _block(inner)})  # type: ignore[arg-type]
    return st


def _block(body: Body) -> Body:
    for at, st in enumerate(body):
        if not _named(st, LABEL):
            continue
        assert isinstance(st, Instr)
        label = str(st.attr("to"))
        before = _skipping(body[:at], (), label)
        if before is not None and not _declared_inside(body[:at], before, body[at:]):
            body = (*before, *body[at:])
            return (*before, *_block_after(body, len(before)))
    return body


def _block_after(body: Body, at: int) -> Body:
    return (body[at], *_block(body[at + 1 :]))


def _named(st: object, name: str) -> bool:
    return isinstance(st, Instr) and st.name == name


def _jumps_to(n: Instr, label: str) -> bool:
    return n.name == JUMP and n.attr("to") == label


def _jumps(st: Stmt | Body, label: str) -> bool:
    return any(isinstance(n, Instr) and _jumps_to(n, label) for n in walk(st))


def _skipping(body: Body, rest: Body, label: str) -> Body | None:
    """`body` and then `rest`, which jumps in `body` skip; None where that has no structure."""
    for k, st in enumerate(body):
        if not _jumps(st, label):
            continue
        tail = (*body[k + 1 :], *rest)
        if _named(st, JUMP):
            return body[:k]
        if isinstance(st, Scope):
            inner = _skipping(st.body, tail, label)
            return None if inner is None else (*body[:k], replace(st, body=inner))
        if not isinstance(st, If):
            return None
        made = _branches(st, tail, label)
        return None if made is None else (*body[:k], *made)
    after = _skipping(rest, (), label) if rest else ()
    return None if after is None else (*body, *after)


def _branches(st: If, tail: Body, label: str) -> Body | None:
    """An `if` whose arms may jump past `tail`, which no more than one of them reaches."""
    ends = [_ends(st.then, label), _ends(st.orelse, label)]
    if not any(ends):
        return None
    then = _skipping(st.then, () if ends[0] else tail, label)
    orelse = _skipping(st.orelse, () if ends[1] else tail, label)
    if then is None or orelse is None:
        return None
    return (replace(st, then=then, orelse=orelse),) if then or orelse else ()


def _ends(body: Body, label: str) -> bool:
    """Whether every way through `body` ends in the jump."""
    last = body[-1] if body else None
    if isinstance(last, Scope):
        return _ends(last.body, label)
    if isinstance(last, If):
        return _ends(last.then, label) and _ends(last.orelse, label)
    return isinstance(last, Instr) and _jumps_to(last, label)


def _declared_inside(old: Body, new: Body, rest: Body) -> bool:
    """Whether `rest` names a variable whose declaration has moved into a branch."""
    moved = {st.var.name for st in old if isinstance(st, Decl)}
    moved -= {st.var.name for st in new if isinstance(st, Decl)}
    return any(isinstance(n, Var) and n.name in moved for n in walk(rest))
