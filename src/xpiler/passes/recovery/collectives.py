"""Expands what units do together into statements of single units, meetings and shared results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import fresh_name
from xpiler.ir.types import BOOL, I32, Type
from xpiler.passes.recovery import nodes as n
from xpiler.passes.recovery.levels import sync_level
from xpiler.passes.recovery.uniformity import Facts


class Unsupported(Exception):
    """A collective instruction that has no expansion; the text says which and why."""

    def __init__(self, st: s.Stmt, reason: str) -> None:
        super().__init__(reason)
        self.stmt = st
        self.reason = reason


@dataclass
class Expansion:
    """One instruction at one place: who takes part (`mask`), and how to say what is done."""

    instr: s.Instr
    mask: n.Masked | None
    facts: Facts
    taken: set[str]
    tiles: set[str]
    exchanges: set[str]

    def tile(self, base: str, t: Type) -> e.Var:
        """Storage that the lanes of a warp share."""
        var = self.var(base, t)
        self.tiles.add(var.name)
        return var

    def var(self, base: str, t: Type) -> e.Var:
        return e.Var(fresh_name(base, self.taken), t)

    def each(self, *body: s.Stmt) -> s.Stmt:
        """`body` in every unit that takes part."""
        if self.mask is None:
            return body[0] if len(body) == 1 else s.Scope(tuple(body))
        return n.Guard(self.mask.mask, tuple(body), self.mask.path, self.mask.nonempty)

    def once(self, *body: s.Stmt) -> s.Stmt:
        return n.Once(self.facts.level, tuple(body))

    def gather(self, var: e.Var, *body: s.Stmt) -> s.Stmt:
        """`body` in every unit that takes part, one after the other; it may change `var`."""
        return n.Accumulate(self.facts.level, var, (self.each(*body),))

    def split(self) -> s.Stmt:
        return n.Split(self.facts.level)

    def give(self, value: e.Expr, out: int = 0) -> s.Body:
        """The result, in every unit that takes part."""
        if len(self.instr.outs) <= out:
            return ()
        target = self.instr.outs[out]
        return (self.each(s.Assign(target, converted(value, target.type), loc=self.instr.loc)),)


def converted(x: e.Expr, t: Type) -> e.Expr:
    return x if x.type == t else e.Cast(x, t)


def truth(x: e.Expr) -> e.Expr:
    """`x != 0` as a bool."""
    if x.type == BOOL:
        return x
    if isinstance(x, e.Cast) and x.x.type == BOOL:
        return x.x
    return e.Binary("!=", x, e.Const(0, x.type), BOOL)


def _block_count(x: Expansion) -> s.Body:
    total = x.var("count", I32)
    add = s.If(truth(x.instr.ins[0]), (s.Assign(total, n.const(1), "+"),))
    return (
        x.once(s.Decl(total, n.const(0))), x.gather(total, add), x.split(), *x.give(total)
    )  # fmt: skip


def _block_vote(x: Expansion, all_of: bool) -> s.Body:
    result = x.var("all" if all_of else "any", I32)
    pred = truth(x.instr.ins[0])
    hit = s.If(n.negate(pred) if all_of else pred, (s.Assign(result, n.const(int(not all_of))),))
    return (
        x.once(s.Decl(result, n.const(int(all_of)))),
        x.gather(result, hit),
        x.split(),
        *x.give(result),
    )


RULES: dict[str, Callable[[Expansion], s.Body]] = {
    "block.count": _block_count,
    "block.and": lambda x: _block_vote(x, True),
    "block.or": lambda x: _block_vote(x, False),
}


Rule = Callable[[Expansion], s.Body]


def expand(
    body: s.Body, facts: Facts, taken: set[str], tiles: set[str],
    rule_of: Callable[[str], Rule | None],
) -> tuple[s.Body, set[str]]:  # fmt: skip
    """`body` with the collective instructions of the level expanded, and the variables by which
    units hand values to each other.

    Raises Unsupported for an instruction that has no expansion.
    """
    exchanges: set[str] = set()

    def one(st: s.Stmt) -> s.Stmt | s.Body:
        instr = st.instr if isinstance(st, n.Masked) else st
        if not isinstance(instr, s.Instr) or sync_level(st) != facts.level:
            return st
        rule = rule_of(instr.name)
        if rule is None:
            raise Unsupported(instr, f"no meaning is known for {instr.name}")
        mask = st if isinstance(st, n.Masked) else None
        return rule(Expansion(instr, mask, facts, taken, tiles, exchanges))

    return n.edit(body, one), exchanges
