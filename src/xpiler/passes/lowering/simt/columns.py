"""Loops in the order that threads want: those that threads share out around those that are serial.

`for p { t = a[p]; for j c[j] += t * b[p][j]; }`, as programs for a CPU have it, would let all
threads wait for each other in every turn. `for j { for p c[j] += a[p] * b[p][j]; }` does not: where
the iterations over j have nothing to do with each other, each may run through p by itself. Loops
over the same j that stand beside it join it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from xpiler.analysis.effects import assigned, names_in
from xpiler.analysis.parallelism import nature, within
from xpiler.analysis.ranges import Facts
from xpiler.analysis.walker import Walker, after
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function
from xpiler.ir.rewrite import substitute, walk
from xpiler.passes.lowering.simt.blocks import trips

MOST_NODES = 12  # of what each iteration over j computes again
FEW = 32  # iterations that are no work for a block


def in_columns(f: Function, facts: Facts, readers: frozenset[str]) -> Function:
    """`f` with free loops around the serial ones that they stood in."""
    return _Turner(readers).run(f, facts)


@dataclass
class _Turner(Walker):
    readers: frozenset[str]

    def body(self, body: s.Body, facts: Facts) -> s.Body:
        return super().body(self.turned(body, facts), facts)

    def turned(self, body: s.Body, facts: Facts) -> s.Body:
        out: list[s.Stmt] = []
        new = None  # the loop that was turned last, if nothing else came since
        for st in body:
            found = self.exchanged(st, facts) if isinstance(st, s.For) else None
            now = found or st
            last = out[-1] if out else None
            joined = None
            if isinstance(last, s.For) and isinstance(now, s.For) and (found or last is new):
                joined = self.joined(last, now, facts)
            if joined is not None:
                out[-1] = joined
            else:
                out.append(now)
            new = out[-1] if found or joined else None
            facts = after(st, facts)
        same = len(out) == len(body) and all(a is b for a, b in zip(out, body, strict=True))
        return body if same else tuple(out)

    def exchanged(self, loop: s.For, facts: Facts) -> s.For | None:
        """The free loop in a serial one, around it."""
        if loop.kind != "serial" or not loop.body:
            return None
        *front, inner = loop.body
        if not isinstance(inner, s.For) or not all(map(_is_cheap, front)):
            return None
        names = {loop.var.name} | {st.var.name for st in front if isinstance(st, s.Decl)}
        heads = names_in(inner.lo) | names_in(inner.hi) | names_in(inner.step)
        bounds = (n for x in (inner.lo, inner.hi, inner.step) for n in walk(x))
        if heads & names or any(isinstance(n, e.Index) for n in bounds):
            return None
        if (names | heads) & assigned(loop.body):
            return None
        if (trips(inner) or FEW) < FEW or nature(loop, facts, self.readers).parallel:
            return None
        if not self.is_free(inner, within(loop, facts)):
            return None
        turned = replace(loop, body=(*front, *inner.body), comments=())
        new = replace(inner, body=(turned,), comments=(*loop.comments, *inner.comments))
        return new if self.is_free(new, facts) else None

    def joined(self, a: s.For, b: s.For, facts: Facts) -> s.For | None:
        """Two loops over the same range as one."""
        if (a.lo, a.hi, a.step, a.var.type) != (b.lo, b.hi, b.step, b.var.type):
            return None
        second = substitute(b.body, {b.var.name: a.var})
        new = replace(a, body=(*a.body, *second), comments=(*a.comments, *b.comments))
        return new if self.is_free(new, facts) else None

    def is_free(self, loop: s.For, facts: Facts) -> bool:
        found = nature(loop, facts, self.readers)
        return loop.kind != "kept" and found.free and not found.atomics


def _is_cheap(st: s.Stmt) -> bool:
    """A declaration whose value may as well be computed by everybody."""
    if not isinstance(st, s.Decl) or st.init is None or st.space != "local":
        return False
    nodes = list(walk(st.init))
    return len(nodes) <= MOST_NODES and not any(isinstance(n, e.Call) for n in nodes)
