"""The recursion of loop recovery: cut a body at one level, place its variables, write the loops."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import fresh_name, substitute, variables
from xpiler.ir.types import U32, U64, Pointer, Type
from xpiler.passes.recovery import nodes as n
from xpiler.passes.recovery.collectives import RULES, Rule, expand
from xpiler.passes.recovery.coords import Coords, Per, Storage, instances, rewriter, storage_type
from xpiler.passes.recovery.effects import commutes, sequential
from xpiler.passes.recovery.exchange import join_exchanges
from xpiler.passes.recovery.flow import effects, local_names, reads, written
from xpiler.passes.recovery.jumps import JumpLowering, flatten_scopes, switches_to_ifs
from xpiler.passes.recovery.numbering import in_coordinates
from xpiler.passes.recovery.placement import Placement, Placer
from xpiler.passes.recovery.predicate import LowerJumps, Predication
from xpiler.passes.recovery.regions import (
    CannotHoist,
    Item,
    Leaf,
    Single,
    cut,
    is_bare,
    leaves,
    occurring,
    rebuild,
)  # fmt: skip
from xpiler.passes.recovery.registers import REGISTER_RULES
from xpiler.passes.recovery.scopes import declare, settle, sink, undeclare
from xpiler.passes.recovery.shape import Extents
from xpiler.passes.recovery.tiles import TILE_RULES
from xpiler.passes.recovery.uniformity import Facts, analyse
from xpiler.passes.recovery.warp_rules import warp_rule

ROUNDS = 50


def rule_of(name: str) -> Rule | None:
    """The expansion of a collective instruction."""
    family = name.split(".")[0]
    return RULES.get(name) or TILE_RULES.get(name) or REGISTER_RULES.get(family) or warp_rule(name)


@dataclass
class Env:
    """What the whole kernel has in common."""

    extents: Extents
    taken: set[str]
    shared: set[str]
    pointers: dict[str, Pointer]
    ordered: set[str]
    size_of: Callable[[Type], int]
    tiles: set[str] = field(default_factory=set)
    """Storage that the lanes of a warp share: fragments and operands of matrix instructions."""


@dataclass
class Units:
    """The units of a level: `once` is where the group's own statements stand, `region` writes
    the loop over the units for statements that each of them runs (the flag: in any order)."""

    level: n.LevelName
    once: Coords
    region: Callable[[s.Body, Coords, bool], s.Body]


def count(var: e.Var, extent: e.Expr, body: s.Body, free: bool) -> s.For:
    """`for (var = 0; var < extent; ++var)`; `free`: the iterations are independent."""
    kind: s.LoopKind = "parallel" if free else "serial"
    return s.For(var, e.Const(0, U32), extent, e.Const(1, U32), body, kind)


@dataclass
class Lowering:
    """Lowers one body at one level."""

    env: Env
    units: Units
    forced: set[str] = field(default_factory=set)
    flagged: int = 0

    def run(self, body: s.Body) -> s.Body:
        """The sequential form of `body`, which the units of this level run."""
        taken, tiles = set(self.env.taken), set(self.env.tiles)
        if self.units.level == "warp":
            body = in_coordinates(body, self.facts(body))
        for _ in range(ROUNDS):
            # A new round names what it makes as the last one did: `forced` speaks of those names.
            _restore(self.env.taken, taken)
            _restore(self.env.tiles, tiles)
            structured = self.structured(body)
            try:
                return self.emit(*self.placed(structured))
            except CannotHoist as failure:
                new = failure.names - self.forced
                if not new:
                    raise
                self.forced |= new
        raise CannotHoist(self.forced)

    def facts(self, body: s.Body) -> Facts:
        known = (self.units.once.arrays.keys() | self.env.tiles | self.env.shared) - self.common()
        return analyse(
            self.units.level, body, self.local(body), self.env.extents, known, self.forced
        )

    def common(self) -> set[str]:
        """Storage that is the group's here, no unit's own."""
        shared, tiles = self.env.shared, self.env.tiles
        return {"grid": set(), "block": shared, "warp": shared | tiles}[self.units.level]

    def local(self, body: s.Body) -> set[str]:
        """Variables that each unit has for itself."""
        return local_names(body) - self.common()

    def structured(self, body: s.Body) -> s.Body:
        """`body` with uniform control only, collectives expanded."""
        level, taken = self.units.level, self.env.taken
        body = n.fresh_statements(flatten_scopes(body))
        extra: set[int] = set()
        for _ in range(ROUNDS):
            facts = self.facts(body)
            jumps = JumpLowering(level, facts.divergent_jumps | extra, taken)
            new = switches_to_ifs(jumps.run(body), level, taken)
            if jumps.lowered or new is not body:
                body, extra = n.fresh_statements(new), set()
                facts = self.facts(body)
            try:
                body = Predication(facts, taken).body(body, None)
                break
            except LowerJumps as more:
                extra |= more.jumps
        body = n.fresh_statements(body)
        new, exchanges = expand(body, self.facts(body), taken, self.env.tiles, rule_of)
        new = join_exchanges(flatten_scopes(new), exchanges, self.local(new))
        return n.fresh_statements(sink(new))

    def placed(self, body: s.Body) -> tuple[list[Item], Placement]:
        """A cut of `body` with a place for every variable."""
        facts, local = self.facts(body), self.local(body)
        env = self.env
        fixed = variables(body) - local - env.shared - written(body)

        def attempt(wanted: set[str]) -> tuple[list[Item], Placement, Placer]:
            items, once = cut(body, facts, local, env, wanted)
            placer = Placer(items, once, local, fixed, facts, env.shared)
            return items, placer.place(), placer

        items, placement, placer = attempt(set())
        refused: set[str] = set()
        while True:
            wanted = placer.hoistable(placement.arrays) - refused
            if not wanted:
                break
            try:
                items, placement, placer = attempt(placement.once | wanted)
            except CannotHoist:
                refused |= wanted
        return self.lifted(items, placement, placer, attempt)

    def lifted(
        self, items: list[Item], placement: Placement, placer: Placer,
        attempt: Callable[[set[str]], tuple[list[Item], Placement, Placer]],
    ) -> tuple[list[Item], Placement]:  # fmt: skip
        """Computes once, before a region, what all units agree on, where that cuts nothing."""
        names = placer.hoistable(set(placement.home) | set(placement.again))
        for chosen in [names, *({v} for v in sorted(names))] if names else []:
            if chosen <= placement.once:
                continue
            try:
                more, better, _ = attempt(placement.once | chosen)
            except CannotHoist:
                continue
            if len(leaves(more)) <= len(leaves(items)) and not better.arrays - placement.arrays:
                items, placement = more, better
        return items, placement

    def emit(self, items: list[Item], placement: Placement) -> s.Body:
        """The statements of a placed cut, with the lane arrays declared first."""
        arrays: dict[str, Storage] = {}
        types = _types(items)
        level, env = self.units.level, self.env
        for name in sorted(placement.arrays):
            own = types[name].type
            per: Per = "warp" if name in env.tiles else "block" if name in env.shared else "unit"
            t = storage_type(own, level, env.extents, per)
            arrays[name] = Storage(level, e.Var(name, t), own, per)
        once = self.units.once.with_(arrays={**self.units.once.arrays, **arrays})
        writer = _Writer(self, placement, once, types)
        decls: s.Body = tuple(s.Decl(a.array) for a in arrays.values())
        if level != "grid":
            return (*decls, *writer.items(items))
        get = [self.allocated(a) for a in arrays.values()]
        free = [s.Instr("host.free", (), (a.array,)) for a in arrays.values()]
        return (*decls, *get, *writer.items(items), *free)

    def allocated(self, a: Storage) -> s.Stmt:
        """Memory for one element a thread, warp or block of the grid."""
        count_ = e.Cast(instances(self.env.extents, a.per), U64)
        size = e.Const(self.env.size_of(a.elem), U64)
        return s.Instr("host.alloc", (a.array,), (e.Binary("*", count_, size, U64),))


def _types(items: list[Item]) -> dict[str, e.Var]:
    found: dict[str, e.Var] = {}
    for st in n.statements(rebuild(items)):
        if isinstance(st, (s.Decl, s.For)):
            found[st.var.name] = st.var
    return found


@dataclass
class _Writer:
    """Writes the items of one placed cut."""

    lowering: Lowering
    placement: Placement
    once: Coords
    types: Mapping[str, e.Var]

    def items(self, items: list[Item]) -> s.Body:
        out: list[s.Stmt] = []
        for i in items:
            if isinstance(i, Leaf):
                out += self.leaf(i)
            elif isinstance(i, Single):
                out.append(rewritten(i.stmt, rewriter(self.once)))
            else:
                inner = [self.items(b) for b in i.inner]
                head = n.edit_heads(i.stmt, rewriter(self.once)) if not inner else i.stmt
                out.append(self.struct(head, inner) if inner else head)
        return tuple(out)

    def struct(self, st: s.Stmt, inner: list[s.Body]) -> s.Stmt:
        bare = n.with_bodies(st, [() for _ in inner])
        return n.with_bodies(n.edit_heads(bare, rewriter(self.once)), inner)

    def leaf(self, leaf: Leaf) -> s.Body:
        """A region as a loop over the units."""
        env, units = self.lowering.env, self.lowering.units
        body = self.recomputed(leaf)
        elsewhere = {
            st.var.name
            for st in n.statements(body)
            if isinstance(st, s.Decl) and self.placement.home.get(st.var.name) is not leaf
        } - self.placement.again.keys()
        body = undeclare(body, elsewhere & (self.types.keys() - self.placement.once), env.taken)
        here = {st.var.name for st in n.statements(body) if isinstance(st, (s.Decl, s.For))}
        own = occurring(body) & self.types.keys()
        missing = {
            v: self.types[v]
            for v in own - here
            if self.placement.home.get(v) is leaf or v in self.placement.again
        }  # fmt: skip
        body = settle(declare(body, missing), env.taken)
        if not any(not is_bare(st) for st in n.statements(body)):
            return ()
        free = commutes(body, env.ordered)
        body = _open_accumulators(body, units.level)

        return units.region(body, self.once, free)

    def recomputed(self, leaf: Leaf) -> s.Body:
        """The region with cheap values computed where they are used."""
        again = self.placement.again
        body = _without_unused(leaf.body, again.keys())
        used = occurring(body) & again.keys()
        own = {
            st.var.name for st in n.statements(body) if isinstance(st, s.Decl) and not is_bare(st)
        }
        own |= {
            st.target.name
            for st in n.statements(body)
            if isinstance(st, s.Assign) and isinstance(st.target, e.Var)
        }
        needed: list[str] = []

        def need(name: str) -> None:
            if name in needed or name not in again:
                return
            for v in (v for v in again if v in _operands(again[name])):
                need(v)
            needed.append(name)

        for name in (v for v in again if v in used - own):
            need(name)
        names = {v: self.fresh(again[v].var) for v in needed if v not in own}
        decls = [
            replace(again[v], var=names[v], init=substitute(again[v].init, names))
            for v in needed
            if v in names
        ]
        return (*decls, *(substitute(st, names) for st in body))

    def fresh(self, var: e.Var) -> e.Var:
        return replace(var, name=fresh_name(var.name, self.lowering.env.taken))


def _operands(decl: s.Decl) -> set[str]:
    return reads(decl.init) if decl.init is not None else set()


def _without_unused(body: s.Body, names: object) -> s.Body:
    """`body` without definitions of recomputable variables that nothing in it reads."""
    assert hasattr(names, "__contains__")

    def defines(st: s.Stmt) -> str | None:
        if isinstance(st, s.Decl):
            return st.var.name
        if isinstance(st, s.Assign) and isinstance(st.target, e.Var):
            return st.target.name
        return None

    while True:
        read: set[str] = set()
        for st in n.statements(body):
            read |= _reads(st)
        new = n.edit(
            body, lambda st: () if (d := defines(st)) in names and d not in read else st  # noqa: B023
        )  # fmt: skip
        new = _without_empty_guards(new)
        if new == body:
            return body
        body = new


def _reads(st: s.Stmt) -> frozenset[str]:
    uses, _, weak = effects(st)
    if isinstance(st, s.For):
        uses |= {v for x in n.heads(st) for v in occurring((s.Eval(x),))}
    return uses | weak


def _without_empty_guards(body: s.Body) -> s.Body:
    def one(st: s.Stmt) -> s.Stmt | s.Body:
        return () if isinstance(st, n.Guard) and not st.body else st

    return n.edit(body, one)


def _open_accumulators(body: s.Body, level: n.LevelName) -> s.Body:
    def one(st: s.Stmt) -> s.Stmt | s.Body:
        return st.body if isinstance(st, n.Accumulate) and st.level == level else st

    return n.edit(body, one)


def unit_code(body: s.Body, coords: Coords, env: Env) -> s.Body:
    """What one unit does by itself: guards are `if`s, axes are coordinates."""
    write = rewriter(coords)

    code = tuple(rewritten(st, write) for st in merge_guards(body))
    return sequential(code, env.taken)


def rewritten(st: s.Stmt, write: Callable[[e.Expr], e.Expr]) -> s.Stmt:
    """`st` with every expression rewritten; guards become `if`s."""
    if isinstance(st, n.Guard):
        st = s.If(st.mask, st.body, loc=st.loc)
    inner = [tuple(rewritten(x, write) for x in b) for b in n.bodies(st)]
    bare = n.with_bodies(st, [() for _ in inner]) if inner else st
    new = n.edit_heads(bare, write)
    return n.with_bodies(new, inner) if inner else new


def merge_guards(body: s.Body) -> s.Body:
    """Neighbouring guards with one mask, which the first does not change, become one."""
    out: list[s.Stmt] = []
    for st in body:
        last = out[-1] if out else None
        if isinstance(st, n.Guard) and isinstance(last, n.Guard) and st.mask == last.mask:
            changed: set[str] = set()
            for x in n.statements(last.body):
                _, defs, weak = effects(x)
                changed |= defs | weak
            if not changed & reads(st.mask):
                out[-1] = replace(last, body=(*last.body, *st.body))
                continue
        out.append(st)
    return tuple(out)


def _restore(names: set[str], before: set[str]) -> None:
    names.clear()
    names.update(before)
