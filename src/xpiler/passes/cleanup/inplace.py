"""Values that lanes hand over are read where they are, if the loop has not come past them yet.

`for l: e[l] = v[l]`, then `for l: v[l] += e[l + o]` needs the copy only because lanes act at once.
A loop that counts upwards still finds the old `v[l + o]` there: everything it has written so far
lies below. The copy goes, and the loop keeps its order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from xpiler.analysis.effects import escapes, indices, of_stmt, root
from xpiler.analysis.poly import atom
from xpiler.analysis.ranges import Facts
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import rewrite_exprs, substitute, walk
from xpiler.ir.types import Array
from xpiler.passes.cleanup.base import Context, Walker, after, each_function, inside
from xpiler.passes.cleanup.contract import same_range


@dataclass(frozen=True)
class InPlace:
    """Removes copies that loops make only to read an array while they change it."""

    name: str = "in place"

    def apply(self, program: Program, ctx: Context) -> Program:
        return each_function(program, lambda f: _InPlace(f).run(f, ctx.facts(f)))


@dataclass
class _InPlace(Walker):
    f: Function
    uses: Counter[str] = field(init=False)
    local: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self.uses = _occurrences(self.f.body)
        self.local = set(_plain_arrays(self.f.body))

    def body(self, body: s.Body, facts: Facts) -> s.Body:
        body = super().body(body, facts)
        out: list[s.Stmt] = []
        for st in body:
            before = out[-1] if out else None
            if isinstance(before, s.For) and isinstance(st, s.For):
                new = self.joined(before, st, facts)
                if new is not None:
                    out[-1] = st = new
                    continue
            out.append(st)
            facts = after(st, facts)
        return body if len(out) == len(body) else tuple(out)

    def joined(self, copy: s.For, loop: s.For, facts: Facts) -> s.For | None:
        """`loop` without its need for `copy`; None where that is not shown."""
        held = self.copied(copy)
        if not held or not same_range(copy, loop, facts) or escapes(loop.body, in_loop=True):
            return None
        pair = _occurrences((copy, loop))
        if any(pair[name] + 1 != self.uses[name] for name in held):
            return None  # somebody else reads the copy (the one more is its declaration)
        reader = _Reader(copy.var, loop, held, inside(loop, facts))
        if not reader.legal():
            return None
        new = replace(loop, body=reader.rewritten(), kind="serial")
        return replace(new, comments=(*copy.comments, *loop.comments))

    def copied(self, loop: s.For) -> dict[str, e.Expr] | None:
        """What `loop` copies where: array -> the part of another local array, by its variable."""
        defs: dict[str, e.Expr] = {}
        held: dict[str, e.Expr] = {}
        for st in loop.body:
            if isinstance(st, s.Decl) and st.init is not None:
                defs[st.var.name] = substitute(st.init, defs)
                continue
            if not isinstance(st, s.Assign) or st.op or not isinstance(st.target, e.Index):
                return None
            to, value = st.target, substitute(st.value, defs)
            own = isinstance(to.base, e.Var) and to.base.name in self.local
            if not own or to.index != loop.var or root(value) not in self.local:
                return None
            if not isinstance(value, (e.Index, e.Field)) or root(to) in held:
                return None
            held[root(to)] = value
        roots = {root(x) for x in held.values()}
        return None if roots & held.keys() else held


@dataclass
class _Reader:
    """The loop that reads the copies `held` (made by a loop over `v`) and changes the originals."""

    v: e.Var
    loop: s.For
    held: dict[str, e.Expr]
    facts: Facts

    def legal(self) -> bool:
        """Whether every read finds the old value in the original."""
        first: dict[str, int] = {}
        facts = self.facts
        for k, st in enumerate(self.loop.body):
            for name in {root(x) for x in self.held.values()} & of_stmt(st).writes:
                first.setdefault(name, k)
                if not all(self.own_part(x, facts) for x in _written(st, name)):
                    return False
            facts = after(st, facts)
        facts = self.facts
        for k, st in enumerate(self.loop.body):
            for x in _reads(st, self.held.keys()):
                source = first.get(root(self.held[root(x)]), k)
                early = k < source or (k == source and isinstance(st, (s.Assign, s.Decl)))
                if not self.ahead(x.index, 0 if early else 1, facts):
                    return False
            facts = after(st, facts)
        return True

    def own_part(self, place: e.Expr, facts: Facts) -> bool:
        """Whether `place` is of the element that the iteration's own number picks."""
        v = self.loop.var
        source = next(x for x in self.held.values() if root(x) == root(place))
        subs = [facts.poly(i) for i in indices(substitute(source, {self.v.name: v}))]
        if [facts.poly(i) for i in indices(place)] != subs:
            return False
        parts = [p.split(v.name) for p in subs]
        steps = [q[0].constant for q in parts if q is not None and facts.stable(q[1])]
        return len(steps) == len(subs) and None not in steps and sum(map(bool, steps)) == 1

    def ahead(self, index: e.Expr, least: int, facts: Facts) -> bool:
        """Whether the element lies at least so far beyond the iteration's own."""
        if isinstance(index, e.Select):
            yes = facts.with_cond(index.cond, True, momentary=True)
            no = facts.with_cond(index.cond, False, momentary=True)
            return self.ahead(index.a, least, yes) and self.ahead(index.b, least, no)
        return facts.nonneg(facts.poly(index) - atom(self.loop.var.name) - least)

    def rewritten(self) -> s.Body:
        def one(x: e.Expr) -> e.Expr:
            if not isinstance(x, e.Index) or not isinstance(x.base, e.Var):
                return x
            source = self.held.get(x.base.name)
            if source is None:
                return x
            index = x.index if x.index.type == self.v.type else e.Cast(x.index, self.v.type)
            new: e.Expr = substitute(source, {self.v.name: index})
            return new

        new: s.Body = rewrite_exprs(self.loop.body, one)
        return new


def _occurrences(body: s.Body) -> Counter[str]:
    return Counter(n.name for n in walk(body) if isinstance(n, e.Var))


def _plain_arrays(body: s.Body) -> Iterator[str]:
    """Local arrays that are only used element by element: nobody holds a pointer into them."""
    whole = Counter(n.name for n in walk(body) if isinstance(n, e.Var))
    based: Counter[str] = Counter()
    rows: Counter[str] = Counter()
    lent = {root(n.x) for n in walk(body) if isinstance(n, e.AddressOf)}
    for n in walk(body):
        if isinstance(n, e.Index) and isinstance(n.type, Array):
            rows[root(n)] += 1
        if isinstance(n, e.Index) and isinstance(n.base, e.Var):
            based[n.base.name] += 1
        elif isinstance(n, e.Index) and isinstance(n.base, e.Index):
            rows[root(n)] -= isinstance(n.base.type, Array)
    for n in walk(body):
        if isinstance(n, s.Decl) and isinstance(n.var.type, Array) and n.space == "local":
            name = n.var.name
            if based[name] + 1 == whole[name] and not rows[name] and name not in lent:
                yield name


def _written(st: s.Stmt, name: str) -> Iterator[e.Expr]:
    """The places of the array `name` that `st` writes."""
    for n in walk(st):
        places: tuple[e.Expr, ...] = n.outs if isinstance(n, s.Instr) else ()
        places = (n.target,) if isinstance(n, s.Assign) else places
        yield from (x for x in places if root(x) == name)


def _reads(st: s.Stmt, names: object) -> Iterator[e.Index]:
    assert hasattr(names, "__contains__")
    for n in walk(st):
        if isinstance(n, e.Index) and isinstance(n.base, e.Var) and n.base.name in names:
            yield n
