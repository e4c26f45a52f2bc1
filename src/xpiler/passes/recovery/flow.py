"""Data flow of a thread's program: a control-flow graph, reaching definitions, exact liveness."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import children, walk
from xpiler.ir.types import Array, Pointer
from xpiler.passes.recovery import nodes as n


@dataclass
class Node:
    """One step: variables read, certainly overwritten (`defs`) and partly written (`weak`)."""

    stmt: s.Stmt | None
    uses: frozenset[str] = frozenset()
    defs: frozenset[str] = frozenset()
    weak: frozenset[str] = frozenset()
    succ: list[int] = field(default_factory=list)


@dataclass
class Flow:
    """The graph; `entry_of` gives a statement's first node by identity, `nodes_of` all its own."""

    nodes: list[Node]
    entry: int
    entry_of: dict[int, int]
    nodes_of: dict[int, list[int]]


def local_names(body: s.Body) -> set[str]:
    """Variables that each thread has for itself: declared in `body`, not shared."""
    found = set()
    for st in n.statements(body):
        if (isinstance(st, s.Decl) and st.space == "local") or isinstance(st, s.For):
            found.add(st.var.name)
    return found


def root(place: e.Expr) -> e.Var | None:
    """The variable whose storage `place` is a part of; None for what lies behind a pointer."""
    if isinstance(place, e.Var):
        return place
    if isinstance(place, e.Field):
        return root(place.base)
    if isinstance(place, n.LaneRead):
        return place.var
    if isinstance(place, e.Index):
        base = _origin(place.base)
        if isinstance(base, e.AddressOf):
            return root(base.x)
        return None if isinstance(base.type, Pointer) else root(base)
    return None


def _origin(pointer: e.Expr) -> e.Expr:
    """The array or address that a pointer is computed from."""
    if isinstance(pointer, e.Cast) and isinstance(pointer.x.type, (Pointer, Array)):
        return _origin(pointer.x)
    if isinstance(pointer, e.Binary) and isinstance(pointer.type, Pointer):
        sides = (x for x in (pointer.a, pointer.b) if isinstance(x.type, (Pointer, Array)))
        return _origin(next(sides, pointer.a))
    return pointer


def reads(x: e.Expr) -> set[str]:
    """Names of all variables in an expression."""
    return {v.name for v in walk(x) if isinstance(v, e.Var)}


def lent(x: e.Expr) -> set[str]:
    """Local storage whose address `x` makes (arrays that decay, `&v`), by root variable."""
    found: set[str] = set()

    def go(node: e.Expr, place: bool) -> None:
        if isinstance(node, e.AddressOf):
            owner = root(node.x)
            found.update([owner.name] if owner is not None else [])
        if isinstance(node, e.Var) and isinstance(node.type, Array) and not place:
            found.add(node.name)
        for child in children(node):
            if isinstance(child, e.Expr):
                inside = isinstance(node, (e.Index, e.Field)) and child is node.base
                go(child, inside)

    go(x, False)
    return found


def _is_pointer(x: e.Expr) -> bool:
    return isinstance(x.type, Pointer)


Effects = tuple[frozenset[str], frozenset[str], frozenset[str]]
_KNOWN: dict[int, tuple[s.Stmt, Effects]] = {}
_MANY = 20_000


def effects(st: s.Stmt) -> Effects:
    """(uses, defs, weak) of the statement's own expressions, bodies not counted."""
    known = _KNOWN.get(id(st))
    if known is not None and known[0] is st:
        return known[1]
    if len(_KNOWN) > _MANY:
        _KNOWN.clear()
    uses, defs, weak = _effects(st)
    result = (frozenset(uses), frozenset(defs), frozenset(weak))
    _KNOWN[id(st)] = (st, result)
    return result


def _effects(st: s.Stmt) -> tuple[set[str], set[str], set[str]]:
    uses: set[str] = set()
    defs: set[str] = set()
    weak: set[str] = set()
    for x in n.heads(st):
        uses |= reads(x)
        for call in walk(x):
            if isinstance(call, e.Call):
                weak |= {name for a in call.args for name in lent(a)}
    if isinstance(st, (s.Instr, n.Masked)):
        weak |= {name for x in n.heads(st) for name in lent(x)}
    for place in n.targets(st):
        _written(place, uses, defs, weak)
    if isinstance(st, s.Assign) and st.op and isinstance(st.target, e.Var):
        uses.add(st.target.name)
    if isinstance(st, s.Decl):
        defs.add(st.var.name)
    return uses, defs, weak


def _written(place: e.Expr, uses: set[str], defs: set[str], weak: set[str]) -> None:
    if isinstance(place, e.Var):
        defs.add(place.name)
        return
    owner = root(place)
    uses |= reads(place) - ({owner.name} if owner is not None else set())
    if owner is not None:
        weak.add(owner.name)


def written(body: s.Body) -> set[str]:
    """Variables that `body` sets, wholly or in part."""
    found: set[str] = set()
    for st in n.statements(body):
        _, defs, weak = effects(st)
        found |= defs | weak
    return found


def aliases(body: s.Body) -> dict[str, set[str]]:
    """Local storage whose address is kept -> the pointers that may hold it (transitively)."""
    holders: dict[str, set[str]] = {}
    moves: list[tuple[str, set[str], set[str]]] = []
    for st in n.statements(body):
        for name, value in _pointer_moves(st):
            moves.append((name, lent(value), reads(value)))
    for name, owners, _ in moves:
        for owner in owners:
            holders.setdefault(owner, set()).add(name)
    changed = True
    while changed:
        changed = False
        for name, _, sources in moves:
            for found in holders.values():
                if sources & found and name not in found:
                    found.add(name)
                    changed = True
    return holders


def _pointer_moves(st: s.Stmt) -> Iterable[tuple[str, e.Expr]]:
    if isinstance(st, s.Decl) and st.init is not None:
        if _is_pointer(st.init) or _is_pointer(st.var) or lent(st.init):
            yield st.var.name, st.init
    elif isinstance(st, s.Assign) and (_is_pointer(st.target) or lent(st.value)):
        owner = root(st.target)
        yield (owner.name if owner is not None else "", st.value)


@dataclass
class _Targets:
    """Where `break`, `continue` and `return` go."""

    brk: int = -1
    cont: int = -1
    ret: int = -1


class _Builder:
    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.entry_of: dict[int, int] = {}
        self.nodes_of: dict[int, list[int]] = {}

    def node(self, st: s.Stmt | None, succ: list[int]) -> int:
        self.nodes.append(Node(st, succ=succ))
        index = len(self.nodes) - 1
        if st is not None:
            self.nodes_of.setdefault(id(st), []).append(index)
        return index

    def filled(self, st: s.Stmt, succ: list[int]) -> int:
        index = self.node(st, succ)
        node = self.nodes[index]
        node.uses, node.defs, node.weak = effects(st)
        return index

    def body(self, body: s.Body, nxt: int, to: _Targets) -> int:
        for st in reversed(body):
            nxt = self.statement(st, nxt, to)
            self.entry_of[id(st)] = nxt
        return nxt

    def statement(self, st: s.Stmt, nxt: int, to: _Targets) -> int:
        if isinstance(st, s.For):
            return self.counting(st, nxt, to)
        if isinstance(st, s.While):
            return self.loop(st, nxt, to)
        if isinstance(st, (s.Scope, n.Zone, n.Once, n.Accumulate)):
            return self.body(st.body, nxt, to)
        if isinstance(st, n.Guard):
            return self.filled(st, [self.body(st.body, nxt, to), nxt])
        if isinstance(st, s.If):
            arms = [self.body(st.then, nxt, to), self.body(st.orelse, nxt, to)]
            return self.filled(st, arms)
        if isinstance(st, s.Switch):
            inner = _Targets(nxt, to.cont, to.ret)
            cases = [self.body(c.body, nxt, inner) for c in st.cases]
            return self.filled(st, [*cases, nxt])
        jump = {s.Break: to.brk, s.Continue: to.cont, s.Return: to.ret}.get(type(st), nxt)
        return self.filled(st, [jump])

    def counting(self, st: s.For, nxt: int, to: _Targets) -> int:
        head = self.node(st, [])
        latch = self.node(st, [head])
        first = self.body(st.body, latch, _Targets(nxt, latch, to.ret))
        name = st.var.name
        self.nodes[head].succ = [first, nxt]
        self.nodes[head].uses = frozenset(reads(st.hi) | {name})
        self.nodes[latch].uses = frozenset(reads(st.step) | {name})
        self.nodes[latch].defs = frozenset([name])
        init = self.node(st, [head])
        self.nodes[init].uses, self.nodes[init].defs = frozenset(reads(st.lo)), frozenset([name])
        return init

    def loop(self, st: s.While, nxt: int, to: _Targets) -> int:
        head = self.filled(st, [])
        step = self.body(st.step, head, to)
        first = self.body(st.body, step, _Targets(nxt, step, to.ret))
        self.nodes[head].succ = [first, nxt]
        return first if st.do else head


def build(body: s.Body) -> Flow:
    """The graph of `body`; its statements must be distinct objects."""
    b = _Builder()
    end = b.node(None, [])
    entry = b.body(body, end, _Targets(end, end, end))
    return Flow(b.nodes, entry, b.entry_of, b.nodes_of)


def liveness(flow: Flow, exit_live: frozenset[str] = frozenset()) -> list[set[str]]:
    """Variables live before each node."""
    live: list[set[str]] = [set() for _ in flow.nodes]
    live[0] = set(exit_live)
    changed = True
    while changed:
        changed = False
        for i, node in enumerate(flow.nodes):
            if node.stmt is None:
                continue
            out: set[str] = set().union(*(live[k] for k in node.succ))
            new = (out - node.defs) | node.uses
            if new != live[i]:
                live[i] = new
                changed = True
    return live


def reaching(flow: Flow, names: set[str]) -> list[dict[str, set[int]]]:
    """For each node: variable -> definitions (node numbers) that may reach it. Weak ones add."""
    preds: list[list[int]] = [[] for _ in flow.nodes]
    for i, node in enumerate(flow.nodes):
        for k in node.succ:
            preds[k].append(i)
    before: list[dict[str, set[int]]] = [{} for _ in flow.nodes]
    work = list(range(len(flow.nodes)))[::-1]
    pending = set(work)
    while work:
        i = work.pop(0)
        pending.discard(i)
        merged: dict[str, set[int]] = {}
        for p in preds[i]:
            for name, sites in _after(flow.nodes[p], p, before[p], names).items():
                merged.setdefault(name, set()).update(sites)
        if merged != before[i]:
            before[i] = merged
            fresh = [k for k in flow.nodes[i].succ if k not in pending]
            work += fresh
            pending |= set(fresh)
    return before


def _after(
    node: Node, index: int, before: dict[str, set[int]], names: set[str]
) -> dict[str, set[int]]:
    out = dict(before)
    for name in node.defs & names:
        out[name] = {index}
    for name in (node.weak - node.defs) & names:
        out[name] = out.get(name, set()) | {index}
    return out
