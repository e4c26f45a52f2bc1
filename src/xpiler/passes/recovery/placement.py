"""Where each of a unit's variables lives once its statements are spread over regions.

In order of preference: inside the one region that uses it; computed again in each region (cheap
functions of indices); once for the group, where all units agree; else one element a unit.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import walk
from xpiler.ir.types import Pointer, Scalar
from xpiler.passes.recovery import flow as fl
from xpiler.passes.recovery import nodes as n
from xpiler.passes.recovery.regions import Item, Leaf, Struct, is_bare, leaves, occurring, rebuild
from xpiler.passes.recovery.uniformity import Facts

CHEAP = 16
"""The most operations of an expression that is computed again instead of being kept."""


@dataclass
class Placement:
    """The decision for every local variable of a level."""

    once: set[str]
    home: dict[str, Leaf] = field(default_factory=dict)
    again: dict[str, s.Decl] = field(default_factory=dict)
    arrays: set[str] = field(default_factory=set)


@dataclass
class Placer:
    """Facts about one cut: which regions a variable occurs in, and where it is live."""

    items: list[Item]
    once: set[str]
    local: set[str]
    fixed: set[str]
    """Names from outside that never change here and are no memory: parameters, outer scalars."""
    facts: Facts
    shared: set[str]

    def __post_init__(self) -> None:
        self.leaves = leaves(self.items)
        body = rebuild(self.items)
        self.flow = fl.build(body)
        self.live = fl.liveness(self.flow)
        self.statements = list(n.statements(body))
        holders = fl.aliases(body)
        self.inside = [self._with_storage(occurring(leaf.body), holders) for leaf in self.leaves]
        self.kept = set(holders) | self.shared
        self.pinned = _read_by_others(body)
        self.paths = _paths(self.items, ())
        self.defs = self._definitions()

    def _with_storage(self, names: set[str], holders: dict[str, set[str]]) -> set[str]:
        return names | {owner for owner, pointers in holders.items() if pointers & names}

    def _definitions(self) -> dict[str, list[s.Stmt]]:
        found: dict[str, list[s.Stmt]] = {}
        for st in self.statements:
            _, defs, weak = fl.effects(st)
            if isinstance(st, s.For):
                defs = frozenset([st.var.name])
            for name in frozenset() if is_bare(st) else defs | weak:
                found.setdefault(name, []).append(st)
        return found

    def homes(self, name: str) -> list[Leaf]:
        return [leaf for leaf, names in zip(self.leaves, self.inside, strict=True) if name in names]

    def live_at(self, leaf: Leaf, name: str) -> bool:
        """Whether a unit brings a value of `name` into the region."""
        if name in self.kept:
            declared = {x.var.name for x in n.statements(leaf.body) if isinstance(x, s.Decl)}
            return name not in declared
        return name in self.live[self.flow.entry_of[id(leaf.body[0])]]

    def place(self) -> Placement:
        """Decides for every variable that is not computed once."""
        out = Placement(set(self.once))
        crossing = []
        for name in sorted(self.local - self.once):
            homes = self.homes(name)
            if name in self.pinned:
                out.arrays.add(name)
            elif len(homes) == 1 and not self.live_at(homes[0], name):
                out.home[name] = homes[0]
            elif homes:
                crossing.append(name)
        for name in crossing:
            decls = self.recompute(name, set())
            if decls is None:
                out.arrays.add(name)
            else:
                out.again.update(decls)
        for name in out.again:
            out.home.pop(name, None)
            out.arrays.discard(name)
        order = {id(st): k for k, st in enumerate(self.statements)}
        by_place = sorted(out.again, key=lambda v: order[id(self.defs[v][0])])
        out.again = {v: out.again[v] for v in by_place}
        return out

    def recompute(self, name: str, pending: set[str]) -> dict[str, s.Decl] | None:
        """Declarations that compute `name` again anywhere it is used, or None."""
        sites = self.defs.get(name, []) if name in self.local else []
        if len(sites) != 1 or name in pending or name in self.kept | self.pinned:
            return None
        st = sites[0]
        value = _whole_value(st, name)
        if value is None or not self._cheap(value, st):
            return None
        found: dict[str, s.Decl] = {}
        for var in (v for v in walk(value) if isinstance(v, e.Var)):
            if var.name in self.fixed or var.name in self.once:
                continue
            inner = self.recompute(var.name, pending | {name})
            if inner is None:
                return None
            found.update(inner)
        used = {v.name for d in found.values() for v in walk(d) if isinstance(v, e.Var)}
        if not self._unchanged(name, st, used | fl.reads(value)):
            return None
        if any(self.live_at(h, name) and _sets(h, st) for h in self.homes(name)):
            return None
        found[name] = s.Decl(e.Var(name, value.type), value, loc=st.loc)
        return found

    def _cheap(self, x: e.Expr, st: s.Stmt) -> bool:
        count = 0
        for node in walk(x):
            count += isinstance(node, (e.Unary, e.Binary, e.Select, e.Call))
            if isinstance(node, (e.Call, e.Aggregate, e.Text, n.LaneRead)):
                return False
            if isinstance(node, (e.Index, e.Field)) and not _address_only(x, node):
                return False
            if (
                isinstance(node, e.Binary)
                and node.op in ("/", "%")
                and not self._may_divide(node, st)
            ):
                return False
        return count <= CHEAP and isinstance(x.type, (Scalar, Pointer))

    def _may_divide(self, x: e.Expr, st: s.Stmt) -> bool:
        """A division may run again where the source would not, unless it might trap."""
        assert isinstance(x, e.Binary)
        if isinstance(x.b, e.Const):
            return bool(x.b.value)
        if isinstance(x.b, e.Axis):
            return True
        return self.paths.get(id(st)) == ()

    def _unchanged(self, name: str, st: s.Stmt, operands: set[str]) -> bool:
        """Whether no operand changes between the definition and any use of `name`."""
        start = self.flow.nodes_of[id(st)][0]
        between = self._reach(self.flow.nodes[start].succ, start)
        nodes = self.flow.nodes
        changing = [i for i in between if (nodes[i].defs | nodes[i].weak) & (operands - {name})]
        later = self._reach([k for i in changing for k in nodes[i].succ], start)
        return not any(name in nodes[i].uses for i in later)

    def _reach(self, first: list[int], stop: int) -> set[int]:
        seen: set[int] = set()
        work = list(first)
        while work:
            i = work.pop()
            if i in seen or i == stop:
                continue
            seen.add(i)
            work += self.flow.nodes[i].succ
        return seen

    def hoistable(self, names: set[str]) -> set[str]:
        """Those of `names` that agree in all units and are set in the open."""
        direct = {id(st) for leaf in self.leaves for st in _open(leaf.body)}
        return {
            v
            for v in names
            if v not in self.facts.varying
            and v not in self.kept | self.pinned
            and v in self.defs
            and all(id(st) in direct and isinstance(st, (s.Decl, s.Assign)) for st in self.defs[v])
        }


def _read_by_others(body: s.Body) -> set[str]:
    """Variables that one unit reads of another."""
    return {x.var.name for x in walk(body) if isinstance(x, n.LaneRead)}


def _open(body: s.Body) -> list[s.Stmt]:
    """Statements of a region that stand in its list or directly in a guard."""
    return [x for st in body for x in (st.body if isinstance(st, n.Guard) else (st,))]


def _paths(items: list[Item], path: tuple[int, ...]) -> dict[int, tuple[int, ...]]:
    """For statements in the open: the group's control structures around them."""
    out: dict[int, tuple[int, ...]] = {}
    for k, i in enumerate(items):
        if isinstance(i, Leaf):
            out.update({id(st): path for st in i.body})
        elif isinstance(i, Struct):
            for inner in i.inner:
                out.update(_paths(inner, (*path, k)))
    return out


def _whole_value(st: s.Stmt, name: str) -> e.Expr | None:
    if isinstance(st, s.Decl) and not isinstance(st.init, e.Aggregate):
        return st.init
    if isinstance(st, s.Assign) and not st.op and isinstance(st.target, e.Var):
        return st.value if st.target.name == name else None
    return None


def _sets(leaf: Leaf, st: s.Stmt) -> bool:
    return any(x is st for x in n.statements(leaf.body))


def _address_only(x: e.Expr, place: e.Expr) -> bool:
    """Whether `place` occurs in `x` only as an address taken."""
    return any(isinstance(a, e.AddressOf) and a.x is place for a in walk(x))
