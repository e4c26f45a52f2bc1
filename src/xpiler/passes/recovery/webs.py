"""Splits a variable into its webs: independent lives of one name become names of their own."""

from __future__ import annotations

from dataclasses import dataclass, replace

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import fresh_name, map_children, substitute
from xpiler.ir.types import Pointer, Scalar, Struct, Vector
from xpiler.passes.recovery import flow as fl
from xpiler.passes.recovery import nodes as n
from xpiler.passes.recovery.scopes import declare


class _Union:
    """Disjoint sets of definitions."""

    def __init__(self) -> None:
        self.parent: dict[int, int] = {}

    def find(self, x: int) -> int:
        while self.parent.setdefault(x, x) != x:
            x = self.parent[x]
        return x

    def join(self, a: int, b: int) -> None:
        low, high = sorted((self.find(a), self.find(b)))
        self.parent[high] = low


@dataclass
class _Webs:
    """Reaching definitions of the splittable variables, and which definitions belong together."""

    graph: fl.Flow
    before: list[dict[str, set[int]]]
    names: set[str]
    sets: _Union

    def used(self, index: int, name: str) -> int | None:
        sites = self.before[index].get(name)
        return self.sets.find(min(sites)) if sites else None


def _splittable(body: s.Body) -> dict[str, e.Var]:
    kept = set(fl.aliases(body))
    loops = {st.var.name for st in n.statements(body) if isinstance(st, s.For)}
    return {
        st.var.name: st.var
        for st in n.statements(body)
        if isinstance(st, s.Decl)
        and st.space == "local"
        and isinstance(st.var.type, (Scalar, Pointer, Vector, Struct))
        and st.var.name not in kept | loops
    }


def _analyse(body: s.Body, names: set[str]) -> _Webs:
    graph = fl.build(body)
    webs = _Webs(graph, fl.reaching(graph, names), names, _Union())
    for index, node in enumerate(graph.nodes):
        for name in node.uses & names:
            for site in webs.before[index].get(name, ()):
                webs.sets.join(site, min(webs.before[index][name]))
        both = node.weak | (node.defs & node.uses if _reads_target(node.stmt) else set())
        for name in both & names:
            for site in webs.before[index].get(name, ()):
                webs.sets.join(site, index)
    for own in graph.nodes_of.values():
        _join_uses(webs, own)
    return webs


def _reads_target(st: s.Stmt | None) -> bool:
    return isinstance(st, s.Assign) and bool(st.op)


def _join_uses(webs: _Webs, own: list[int]) -> None:
    """One statement names a variable once: its reads in several steps are one web."""
    first: dict[str, int] = {}
    for index in own:
        for name in webs.graph.nodes[index].uses & webs.names:
            site = webs.used(index, name)
            if site is not None:
                webs.sets.join(first.setdefault(name, site), site)


def split_webs(body: s.Body, taken: set[str]) -> s.Body:
    """`body` in which every web of a thread's variable (arrays apart) has its own name."""
    body = n.fresh_statements(body)
    variables = _splittable(body)
    webs = _analyse(body, set(variables))
    names: dict[tuple[str, int], e.Var] = {}
    for index, node in sorted(enumerate(webs.graph.nodes), key=lambda p: -p[0]):
        for name in (node.defs | node.weak) & webs.names:
            key = (name, webs.sets.find(index))
            if key not in names and not _dead_declaration(webs, index, name):
                first = all(k[0] != name for k in names)
                new = name if first else fresh_name(name, taken)
                names[key] = replace(variables[name], name=new)
    if len(names) <= len({k[0] for k in names}):
        return body
    return _rename(body, webs, names)


def _dead_declaration(webs: _Webs, index: int, name: str) -> bool:
    """A bare declaration whose undefined value nobody reads makes no web."""
    st = webs.graph.nodes[index].stmt
    if not isinstance(st, s.Decl) or st.init is not None:
        return False
    alone = [i for i in webs.sets.parent if webs.sets.find(i) == webs.sets.find(index)]
    return len(alone) <= 1


def _rename(body: s.Body, webs: _Webs, names: dict[tuple[str, int], e.Var]) -> s.Body:
    def used(st: s.Stmt) -> dict[str, e.Expr]:
        mapping: dict[str, e.Expr] = {}
        for index in webs.graph.nodes_of.get(id(st), ()):
            for name in webs.graph.nodes[index].uses & webs.names:
                site = webs.used(index, name)
                if site is not None and (name, site) in names:
                    mapping[name] = names[name, site]
        return mapping

    def defined(st: s.Stmt) -> dict[str, e.Expr]:
        mapping: dict[str, e.Expr] = {}
        for index in webs.graph.nodes_of.get(id(st), ()):
            node = webs.graph.nodes[index]
            for name in (node.defs | node.weak) & webs.names:
                mapping[name] = names.get((name, webs.sets.find(index)), mapping.get(name))  # type: ignore[assignment]
        return {k: v for k, v in mapping.items() if v is not None}

    def one(st: s.Stmt) -> s.Stmt | s.Body:
        new = _renamed_heads(st, used(st), defined(st))
        inner = [tuple(x for b in body for x in _as_body(one(b))) for body in n.bodies(st)]
        return n.with_bodies(new, inner) if inner else new

    renamed = tuple(x for st in body for x in _as_body(one(st)))
    present = {st.var.name for st in n.statements(renamed) if isinstance(st, s.Decl)}
    missing = {v.name: v for v in names.values() if v.name not in present}
    return declare(renamed, missing)


def _as_body(x: s.Stmt | s.Body) -> s.Body:
    return x if isinstance(x, tuple) else (x,)


def _renamed_heads(st: s.Stmt, used: dict[str, e.Expr], defined: dict[str, e.Expr]) -> s.Stmt:
    """The statement with reads and writes renamed; bodies are left alone."""
    if isinstance(st, s.Decl):
        init = substitute(st.init, used) if st.init is not None else None
        var = defined.get(st.var.name, st.var)
        assert isinstance(var, e.Var)
        return replace(st, var=var, init=init)
    if isinstance(st, s.Assign):
        target = _place(st.target, used, defined)
        return replace(st, target=target, value=substitute(st.value, used))
    if isinstance(st, s.Instr):
        outs = tuple(_place(o, used, defined) for o in st.outs)
        return replace(st, outs=outs, ins=tuple(substitute(x, used) for x in st.ins))
    return n.edit_heads(st, lambda x: substitute(x, used))


def _place(place: e.Expr, used: dict[str, e.Expr], defined: dict[str, e.Expr]) -> e.Expr:
    """A written place: its root variable is a definition, indices and pointers are reads."""
    if fl.root(place) is None:
        read: e.Expr = substitute(place, used)
        return read

    def go(x: e.Expr) -> e.Expr:
        if isinstance(x, e.Var):
            return defined.get(x.name, x)
        if isinstance(x, e.Index):
            index: e.Expr = substitute(x.index, used)
            return replace(x, base=go(x.base), index=index)
        new: e.Expr = map_children(x, go)
        return new

    new: e.Expr = go(place)
    return new
