"""Predication: divergent control around synchronisation becomes masks on what stands between.

Afterwards every `if` and loop that synchronises has a uniform condition, and what the units do
between two meetings is guarded by the mask of those that take part. This is the general case of
loop recovery: it is right for any program whose units may meet in divergent control at all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import fresh_name, walk
from xpiler.ir.types import BOOL, Pointer
from xpiler.passes.recovery import nodes as n
from xpiler.passes.recovery.flow import written
from xpiler.passes.recovery.levels import has_sync, sync_level
from xpiler.passes.recovery.uniformity import Facts


class LowerJumps(Exception):
    """These jumps (by identity) have to become flags before predication."""

    def __init__(self, jumps: frozenset[int]) -> None:
        super().__init__("jumps under a mask")
        self.jumps = jumps


@dataclass(frozen=True)
class Mask:
    """The units that run: an expression over their variables, its name path, known not empty."""

    expr: e.Expr
    path: tuple[str, ...]
    nonempty: bool = False


def harmless(x: e.Expr) -> bool:
    """Whether `x` may be evaluated where the source does not: no load, no division, no call."""
    for node in walk(x):
        if isinstance(node, e.Binary) and node.op in ("/", "%"):
            if not (isinstance(node.b, e.Const) and node.b.value):
                return False
        elif (
            isinstance(node, (e.Call, e.Text, n.LaneRead))
            or (isinstance(node, e.Index) and isinstance(node.base.type, Pointer))
            or (isinstance(node, e.Index) and not isinstance(node.index, e.Const))
        ):
            return False
    return True


@dataclass
class Predication:
    """One run at one level, with the facts of that level."""

    facts: Facts
    taken: set[str]

    def body(self, body: s.Body, mask: Mask | None) -> s.Body:
        """`body` for the units of `mask`, with uniform control only."""
        out: list[s.Stmt] = []
        run: list[s.Stmt] = []

        def flush() -> None:
            if run and mask is not None:
                out.append(n.Guard(mask.expr, tuple(run), mask.path, mask.nonempty))
            else:
                out.extend(run)
            run.clear()

        for st in body:
            if not has_sync(st, self.facts.level) and not _leaves_loop(st):
                run.append(st)
                continue
            flush()
            out += self.meeting(st, mask)
        flush()
        return tuple(out)

    def meeting(self, st: s.Stmt, mask: Mask | None) -> s.Body:
        """A statement in which units of the level meet, or leave a loop in which they do."""
        if isinstance(st, s.If):
            return self.branch(st, mask)
        if isinstance(st, s.For):
            return self.counting(st, mask)
        if isinstance(st, s.While):
            return self.loop(st, mask)
        if isinstance(st, n.Guard):
            return self.branch(s.If(st.mask, st.body), mask)
        if isinstance(st, s.Instr) and sync_level(st) and mask is not None:
            return (n.Masked(st, mask.expr, mask.path, mask.nonempty, loc=st.loc),)
        return (st,)

    def stays(self, conditions: list[e.Expr], mask: Mask | None) -> bool:
        """Whether control over these values can be decided once for the group."""
        if not all(map(self.facts.uniform, conditions)):
            return False
        return mask is None or mask.nonempty or all(map(harmless, conditions))

    def branch(self, st: s.If, mask: Mask | None) -> s.Body:
        if self.stays([st.cond], mask):
            inner = replace(mask, nonempty=False) if mask else None
            new = [self.body(b, inner) for b in (st.then, st.orelse)]
            return self.zone(mask, replace(st, then=new[0], orelse=new[1]))
        self.refuse_jumps(st)
        cond, head, whole = self.captured(st, mask)
        chosen = self.deeper(None if whole else mask, cond, mask)
        out = [*head, *self.body(st.then, chosen)]
        if st.orelse:
            out += self.body(st.orelse, self.deeper(mask, n.negate(cond), mask))
        return tuple(out)

    def zone(self, mask: Mask | None, st: s.Stmt) -> s.Body:
        """Control decided once, by values that the units of `mask` agree on."""
        return (st,) if mask is None else (n.Zone(mask.path, (st,)),)

    def refuse_jumps(self, st: s.Stmt) -> None:
        """A jump that was taken for uniform cannot stay under a mask: it has to become a flag."""
        jumps = [j for j in n.escaping(st) if not isinstance(j, s.Return)]
        if jumps:
            raise LowerJumps(frozenset(map(id, jumps)))

    def refuse_inner_jumps(self, st: s.For) -> None:
        """Jumps of a loop whose variable, which all units agree on, is about to be each unit's."""
        loops = [
            x
            for x in n.statements((st,))
            if isinstance(x, (s.For, s.While)) and has_sync(x, self.facts.level)
        ]
        inner = [j for x in loops for y in x.body for j in n.escaping(y)]
        jumps = frozenset(id(j) for j in inner if not isinstance(j, s.Return))
        if jumps:
            raise LowerJumps(jumps)

    def captured(self, st: s.If, mask: Mask | None) -> tuple[e.Expr, s.Body, bool]:
        """The condition as an expression that keeps its value, what must run before, and whether
        it holds in units of `mask` only."""
        used = {v.name for v in walk(st.cond) if isinstance(v, e.Var)}
        if _is_flag(st.cond) and not used & written((*st.then, *st.orelse)):
            return st.cond, (), False
        var = e.Var(fresh_name("active", self.taken), BOOL)
        if mask is None or not st.orelse:
            value = n.both(mask.expr if mask else None, st.cond)
            decl = s.Decl(var, value, loc=st.loc, comments=st.comments)
            return var, self.zone(mask, decl), True
        inside = self.guard(mask, s.Assign(var, st.cond))
        return var, (s.Decl(var, n.FALSE, loc=st.loc, comments=st.comments), inside), True

    def guard(self, mask: Mask, *body: s.Stmt) -> n.Guard:
        return n.Guard(mask.expr, tuple(body), mask.path, mask.nonempty)

    def deeper(self, within: Mask | None, cond: e.Expr, outer: Mask | None) -> Mask:
        """The units of `within` for which `cond` holds, named below `outer`."""
        path = (*(outer.path if outer else ()), _name(cond))
        return Mask(n.both(within.expr if within else None, cond), path)

    def counting(self, st: s.For, mask: Mask | None) -> s.Body:
        # A loop that counts ends whether or not a unit is left; its body must not rely on one.
        if self.stays([st.lo, st.hi, st.step], mask):
            inner = replace(mask, nonempty=False) if mask else None
            return self.zone(mask, replace(st, body=self.body(st.body, inner)))
        self.refuse_inner_jumps(st)
        head = s.Decl(st.var, st.lo, loc=st.loc, comments=st.comments)
        step = s.Assign(st.var, st.step, "+")
        cond = e.Binary("<", st.var, st.hi, BOOL)
        loop = s.While(cond, st.body, (step,), loc=st.loc)
        return (*self.masked((head,), mask), *self.masked_loop(loop, mask))

    def masked(self, body: s.Body, mask: Mask | None) -> s.Body:
        return body if mask is None else (self.guard(mask, *body),)

    def loop(self, st: s.While, mask: Mask | None) -> s.Body:
        if self.divergent_exit(st) or not self.facts.uniform(st.cond):
            return self.masked_loop(st, mask)
        inner = mask
        if mask is not None and not (harmless(st.cond) and _counts_down(st)):
            inner = replace(mask, nonempty=True)
        body = self.body(st.body, inner)
        new = replace(st, body=body, step=self.body(st.step, inner))
        if mask is None or mask.nonempty or inner is mask:
            return self.zone(mask, new)
        some = e.Var(fresh_name("any", self.taken), BOOL)
        return (
            *self.any_of(mask.expr, some, s.Decl(some, n.FALSE)),
            s.If(some, self.zone(mask, new)),
        )

    def divergent_exit(self, st: s.While) -> bool:
        return any(id(j) in self.facts.divergent_jumps for x in st.body for j in n.escaping(x))

    def masked_loop(self, st: s.While, mask: Mask | None) -> s.Body:
        """`while (some unit is active)`: each unit leaves the loop when its own condition fails."""
        active = e.Var(fresh_name("active", self.taken), BOOL)
        some = e.Var(fresh_name("any", self.taken), BOOL)
        inner = Mask(active, (*(mask.path if mask else ()), active.name), nonempty=True)
        start = mask.expr if mask else n.TRUE
        if not st.do and st.cond != n.TRUE:
            start = n.both(mask.expr if mask else None, st.cond)
        again = n.both(active, st.cond) if st.cond != n.TRUE else active
        body = self.body(st.body, inner)
        step = self.body(st.step, replace(inner, nonempty=False))
        last = self.zone(inner, s.Assign(active, again))
        return (
            *self.zone(mask, s.Decl(active, start, loc=st.loc, comments=st.comments)),
            *self.any_of(active, some, s.Decl(some, n.FALSE)),
            s.While(
                some, body, (*step, *last, *self.any_of(active, some, s.Assign(some, n.FALSE)))
            ),
        )

    def any_of(self, active: e.Expr, some: e.Var, first: s.Stmt) -> s.Body:
        """`some` = whether `active` holds in any unit of the group."""
        level = self.facts.level
        hit = s.If(active, (s.Assign(some, n.TRUE),))
        return (
            n.Once(level, (first,)),
            n.Accumulate(level, some, (hit,)),
            n.Split(level),
        )


def _is_flag(cond: e.Expr) -> bool:
    inner = cond.x if isinstance(cond, e.Unary) and cond.op == "!" else cond
    return isinstance(inner, e.Var)


def _leaves_loop(st: s.Stmt) -> bool:
    return any(not isinstance(j, s.Return) for j in n.escaping(st))


def _counts_down(st: s.While) -> bool:
    """Whether the loop surely ends, whatever its variable starts from: `v > 0; v >>= 1`."""
    cond, step = st.cond, st.step
    if not isinstance(cond, e.Binary) or cond.op != ">" or len(step) != 1:
        return False
    move = step[0]
    if not isinstance(move, s.Assign) or move.target != cond.a or move.op not in (">>", "/"):
        return False
    least = 1 if move.op == ">>" else 2
    ends = isinstance(cond.b, e.Const) and cond.b.value == 0
    moves = isinstance(move.value, e.Const) and move.value.value >= least
    changed = written(st.body) & {v.name for v in walk(cond) if isinstance(v, e.Var)}
    return ends and moves and not changed


def _name(cond: e.Expr) -> str:
    if isinstance(cond, e.Unary) and isinstance(cond.x, e.Var):
        return f"!{cond.x.name}"
    assert isinstance(cond, e.Var)
    return cond.name
