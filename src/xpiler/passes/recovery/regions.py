"""Cuts a body into regions that hold no meeting of units, and what runs once between them.

A region (`Leaf`) becomes a loop over the units of the level. Control structures in which units meet
are kept around the regions and decided once for the group (`Struct`); so are the computations that
these decisions need (`Single`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from xpiler.ir import stmt as s
from xpiler.ir.rewrite import variables
from xpiler.passes.recovery import nodes as n
from xpiler.passes.recovery.flow import effects
from xpiler.passes.recovery.levels import has_sync
from xpiler.passes.recovery.memory import World, may_move_before
from xpiler.passes.recovery.predicate import harmless
from xpiler.passes.recovery.uniformity import Facts


@dataclass(eq=False)
class Leaf:
    """Statements that every unit runs by itself."""

    body: s.Body


@dataclass(eq=False)
class Single:
    """A statement that runs once for the group."""

    stmt: s.Stmt


@dataclass(eq=False)
class Struct:
    """A control statement decided once for the group; its own bodies are in `inner`."""

    stmt: s.Stmt
    inner: list[list[Item]]


Item = Leaf | Single | Struct


class CannotHoist(Exception):
    """These variables cannot be computed once for the group where they are defined."""

    def __init__(self, names: set[str]) -> None:
        super().__init__(", ".join(sorted(names)))
        self.names = names


@dataclass
class Cutter:
    """One way of cutting: `once` are the variables computed once for the group."""

    facts: Facts
    once: set[str]
    local: set[str]
    world: World

    def items(self, body: s.Body) -> list[Item]:
        out: list[Item] = []
        run: list[s.Stmt] = []
        for st in _without_zones(body):
            if isinstance(st, n.Split) or (
                isinstance(st, s.Barrier) and has_sync(st, self.facts.level)
            ):
                self.flush(out, run)
            elif isinstance(st, n.Once) and st.level == self.facts.level:
                for x in st.body:
                    self.single(x, out, run)
            elif isinstance(st, n.Guard) and self.structural(st):
                self.guarded(st, out, run)
            elif self.structural(st):
                self.struct(st, out, run)
            elif self.defines_once(st):
                self.single(st, out, run)
            else:
                run.append(st)
        self.flush(out, run)
        return out

    def flush(self, out: list[Item], run: list[s.Stmt]) -> None:
        if run:
            out.append(Leaf(tuple(run)))
        run.clear()

    def defines_once(self, st: s.Stmt) -> frozenset[str]:
        """Variables of `once` that the statement itself sets."""
        if isinstance(st, n.Accumulate):
            return frozenset()
        _, defs, weak = effects(st)
        return (defs | weak) & (self.once | self.declared_tiles(st))

    def declared_tiles(self, st: s.Stmt) -> set[str]:
        """At warp level, a tile is declared once for the warp."""
        here = self.facts.level == "warp" and isinstance(st, s.Decl)
        return self.world.tiles if here else set()

    def structural(self, st: s.Stmt) -> bool:
        """Whether `st` is a control statement that must be decided once for the group."""
        if not n.bodies(st) or isinstance(st, (n.Once, n.Accumulate)):
            return any(not isinstance(j, s.Return) for j in n.escaping(st)) and not n.bodies(st)
        if any(not isinstance(j, s.Return) for j in n.escaping(st)):
            return True
        if isinstance(st, s.For) and st.var.name in self.once:
            return True
        inside = [x for b in n.bodies(st) for x in n.statements(b)]
        return has_sync(st, self.facts.level) or any(map(self.defines_once, inside))

    def single(self, st: s.Stmt, out: list[Item], run: list[s.Stmt]) -> None:
        """Runs `st` before the statements gathered in `run` where that is the same, else after."""
        if not may_move_before(st, tuple(run), self.local, self.world):
            self.flush(out, run)
        out.append(Single(st))

    def struct(self, st: s.Stmt, out: list[Item], run: list[s.Stmt]) -> None:
        jumps = [j for b in n.bodies(st) for x in b for j in n.escaping(x)]
        decided = all(map(self.facts.uniform, n.heads(st)))
        if not decided or any(id(j) in self.facts.divergent_jumps for j in jumps):
            raise CannotHoist({v for x in n.statements((st,)) for v in self.defines_once(x)})
        inner = [self.items(b) for b in n.bodies(st)]
        alone = n.bodies(st) and not any(_has_leaf(i) for i in inner) and not n.escaping(st)
        whole = n.with_bodies(st, [rebuild(i) for i in inner]) if inner else st
        movable = may_move_before(whole, tuple(run), self.local, self.world)
        if not (alone and movable):
            self.flush(out, run)
        out.append(Struct(st, inner))

    def guarded(self, st: n.Guard, out: list[Item], run: list[s.Stmt]) -> None:
        """Takes what runs once out of a guard; the rest stays guarded piece by piece."""
        for x in st.body:
            piece = replace(st, body=(x,))
            if not self.structural(x) and not self.defines_once(x):
                run.append(piece)
                continue
            if not st.nonempty and not all(map(harmless, n.heads(x))):
                raise CannotHoist({v for y in n.statements((x,)) for v in self.defines_once(y)})
            if n.bodies(x):
                pushed = [(replace(st, body=b),) if b else () for b in n.bodies(x)]
                self.struct(n.with_bodies(x, list(pushed)), out, run)
            else:
                self.single(x, out, run)


def _without_zones(body: s.Body) -> s.Body:
    return tuple(
        x for st in body for x in (_without_zones(st.body) if isinstance(st, n.Zone) else (st,))
    )


def _has_leaf(items: list[Item]) -> bool:
    return any(
        isinstance(i, Leaf) or (isinstance(i, Struct) and any(map(_has_leaf, i.inner)))
        for i in items
    )


def rebuild(items: list[Item]) -> s.Body:
    """The statements of `items` in their order, for data-flow analysis."""
    out: list[s.Stmt] = []
    for i in items:
        if isinstance(i, Leaf):
            out += i.body
        elif isinstance(i, Single):
            out.append(i.stmt)
        else:
            inner = [rebuild(b) for b in i.inner]
            out.append(n.with_bodies(i.stmt, inner) if inner else i.stmt)
    return tuple(out)


def leaves(items: list[Item]) -> list[Leaf]:
    """All regions, in source order."""
    out: list[Leaf] = []
    for i in items:
        if isinstance(i, Leaf):
            out.append(i)
        elif isinstance(i, Struct):
            out += [leaf for b in i.inner for leaf in leaves(b)]
    return out


def once_names(items: list[Item]) -> set[str]:
    """Variables that the group's own statements and decisions mention."""
    found: set[str] = set()
    for i in items:
        if isinstance(i, Single):
            found |= n.own_variables(i.stmt)
        elif isinstance(i, Struct):
            found |= {v for x in n.heads(i.stmt) for v in n.own_variables(x)}
            if isinstance(i.stmt, s.For):
                found.add(i.stmt.var.name)
            for inner in i.inner:
                found |= once_names(inner)
        else:
            for st in n.statements(i.body):
                if isinstance(st, n.Accumulate):
                    found.add(st.var.name)
    return found


def cut(
    body: s.Body, facts: Facts, local: set[str], world: World, wanted: set[str]
) -> tuple[list[Item], set[str]]:
    """Items of `body` and the variables computed once: `wanted` and what decisions need.

    Raises CannotHoist where one of them cannot be.
    """
    once = set(wanted)
    while True:
        cutter = Cutter(facts, once, local, world)
        items = cutter.items(body)
        needed = (once_names(items) & local) | once
        if needed == once:
            bad = {v for v in once if v in facts.varying}
            if bad:
                raise CannotHoist(bad)
            return items, once
        once = needed


def is_bare(st: s.Stmt) -> bool:
    """A declaration without a value: it does not occur anywhere at run time."""
    return isinstance(st, s.Decl) and st.init is None


def occurring(body: s.Body) -> set[str]:
    """Variables in `body`, bare declarations not counted."""
    found: set[str] = set()
    for st in n.statements(body):
        if is_bare(st):
            continue
        for x in [*n.heads(st), *n.targets(st)]:
            found |= variables(x)
        if isinstance(st, (s.Decl, s.For)):
            found.add(st.var.name)
        if isinstance(st, n.Accumulate):
            found.add(st.var.name)
    return found
