"""Serial loops around one loop of independent iterations go inside it.

`for k { a = A[k]; for j C[j] += a * B[k][j] }` is `for j { for k { .. } }`: every element still
sees the same steps in the same order, but a thread takes an element through all of them, where
before threads would meet after every step, or a kernel be launched for each.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from xpiler.analysis.effects import assigned, escapes, names_in
from xpiler.analysis.parallelism import nature
from xpiler.analysis.ranges import Facts
from xpiler.analysis.walker import Walker
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function
from xpiler.ir.rewrite import walk
from xpiler.ir.types import Array
from xpiler.passes.lowering.simt.blocks import trips

LEAST = 32
"""Constant trip counts from here on make it worth while."""


def sunk(f: Function, facts: Facts, readers: frozenset[str]) -> Function:
    """`f` with such loops exchanged, from the outside inwards."""
    body = _Sinker(readers).body(f.body, facts)
    return f if body is f.body else f.with_body(body)


@dataclass
class _Sinker(Walker):
    readers: frozenset[str]

    def stmt(self, st: s.Stmt, facts: Facts) -> s.Body:
        if isinstance(st, s.For):
            st = self._exchanged(st, facts) or st
        return super().stmt(st, facts)

    def _exchanged(self, loop: s.For, facts: Facts) -> s.For | None:
        """The loop inside `loop`, around it: None where it must not or need not be."""
        inner = _inner(loop)
        if inner is None or escapes(loop.body, in_loop=True):
            return None
        new = replace(inner, body=(replace(loop, body=(*loop.body[:-1], *inner.body)),))
        if nature(loop, facts, self.readers).parallel:
            return None
        found = nature(new, facts, self.readers)
        return new if found.free and not found.atomics else None


def _inner(loop: s.For) -> s.For | None:
    """The one loop in `loop`, after declarations of values, where it does not depend on those."""
    if loop.kind != "serial" or not loop.body:
        return None
    *decls, inner = loop.body
    if not isinstance(inner, s.For) or inner.kind == "kept":
        return None
    n = trips(inner)
    own = {loop.var.name, *(d.var.name for d in decls if isinstance(d, s.Decl))}
    values = all(isinstance(d, s.Decl) and _value(d) for d in decls)
    bounds = {n for x in (inner.lo, inner.hi, inner.step) for n in names_in(x)}
    mixed = own & (bounds | assigned(inner.body)) or bounds & assigned(loop.body)
    memory = any(isinstance(n, e.Index) for x in (inner.lo, inner.hi, inner.step) for n in walk(x))
    return inner if values and not mixed and not memory and (n is None or n >= LEAST) else None


def _value(d: s.Decl) -> bool:
    return d.init is not None and d.space == "local" and not isinstance(d.var.type, Array)
