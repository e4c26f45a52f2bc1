"""Elements that a thread's loop adds up in memory are held in a variable meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from xpiler.analysis.dependence import not_aliased
from xpiler.analysis.effects import assigned, declared, loop_vars, names_in, root
from xpiler.analysis.parallelism import gather, nature, within
from xpiler.analysis.ranges import Facts
from xpiler.analysis.walker import Walker, after
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function
from xpiler.ir.rewrite import fresh_name, rewrite_exprs, walk
from xpiler.ir.types import Pointer, Scalar
from xpiler.passes.lowering.simt import words as w


def held(f: Function, facts: Facts, readers: frozenset[str], taken: set[str]) -> Function:
    """`f` with sums in registers, in loops whose iterations threads take."""
    return _Holder(readers, taken).run(f, facts)


@dataclass
class _Holder(Walker):
    """`threads`: whether the statements are one thread's."""

    readers: frozenset[str]
    taken: set[str]
    threads: bool = False

    def stmt(self, st: s.Stmt, facts: Facts) -> s.Body:
        outer = self.threads
        if isinstance(st, s.For) and not outer:
            self.threads = nature(st, facts, self.readers).free
        new = super().stmt(st, facts)
        self.threads = outer
        return new

    def body(self, body: s.Body, facts: Facts) -> s.Body:
        if self.threads:
            body = self.summed(body, facts)
        return super().body(body, facts)

    def summed(self, body: s.Body, facts: Facts) -> s.Body:
        out: list[s.Stmt] = []
        for st in body:
            new: tuple[s.Stmt, ...] = (st,)
            if isinstance(st, s.For):
                for place in _candidates(st):
                    if self.is_alone(place, st, facts):
                        new = self.in_register(place, st, out, facts)
                        break
            out += new
            facts = after(st, facts)
        same = len(out) == len(body) and all(a is b for a, b in zip(out, body, strict=True))
        return body if same else tuple(out)

    def is_alone(self, place: e.Index, loop: s.For, facts: Facts) -> bool:
        """Whether nothing else in the loop can lie where `place` is."""
        found = gather(loop.body, within(loop, facts), self.readers)
        own = e.Var(root(place), Pointer(place.type))
        mine = [a for a in found.accesses if a.root.name == own.name]
        if found.opaque or len(mine) != _uses(place, loop.body):
            return False
        others = {a.root.name: a.root for a in found.accesses if a.root.name != own.name}
        return all(not_aliased(mine[0].root, other, facts) for other in others.values())

    def in_register(
        self, place: e.Index, loop: s.For, before: list[s.Stmt], facts: Facts
    ) -> s.Body:
        """The loop with `place` in a variable; a value that was stored just before starts it."""
        v = e.Var(fresh_name("acc", self.taken), place.type)
        self.taken.add(v.name)
        body = rewrite_exprs(loop.body, lambda x: v if x == place else x)
        last = before[-1] if before else None
        stored = s.Assign(place, v)
        if isinstance(last, s.Assign) and last.target == place and not last.op:
            before.pop()
            return (s.Decl(v, last.value), replace(loop, body=body), stored)
        whole = (s.Decl(v, place), replace(loop, body=body), stored)
        runs = facts.positive(facts.poly(loop.hi) - facts.poly(loop.lo))
        return whole if runs else (s.If(w.less(loop.lo, loop.hi), whole),)


def _candidates(loop: s.For) -> Iterator[e.Index]:
    """The elements that each iteration changes, the same ones in all of them."""
    inner = assigned((loop,)) | set(declared((loop,))) | loop_vars((loop,))
    if any(isinstance(n, (s.Return, s.Instr, s.Eval)) for n in walk(loop.body)):
        return
    for n in walk(loop.body):
        if isinstance(n, s.Assign) and isinstance(n.target, e.Index):
            place = n.target
            loads = any(isinstance(x, (e.Index, e.Call)) for x in walk(place.index))
            plain = isinstance(place.base, e.Var) and isinstance(place.type, Scalar) and not loads
            if plain and isinstance(place.base.type, Pointer) and not names_in(place) & inner:
                yield place


def _uses(place: e.Index, body: s.Body) -> int:
    """How often the loop reads and writes `place`: an update does both."""
    count = 0
    for n in walk(body):
        if isinstance(n, e.Index) and n == place:
            count += 1
        if isinstance(n, s.Assign) and n.target == place and n.op:
            count += 1
    return count
