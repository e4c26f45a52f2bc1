"""Loops without vector instructions whose iterations do not meet: marked for the compiler."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from xpiler.analysis.dependence import independent
from xpiler.analysis.effects import assigned, declared
from xpiler.analysis.ranges import Facts
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.intrinsics import math_functions
from xpiler.ir.program import Program
from xpiler.ir.rewrite import fresh_name, rewrite_exprs, rewrite_stmts, walk
from xpiler.ir.types import BOOL, F32, F64, Array, Opaque, Scalar, Struct, Vector
from xpiler.passes.lowering.vector.census import counts, in_vectors
from xpiler.passes.lowering.vector.strips import accumulation

_PLAIN = (s.Decl, s.Assign, s.If, s.Scope, s.Switch, s.Break, s.Continue)
_SAME = "hypot"  # stands for any function without effects


@dataclass
class Marker:
    """Marks innermost loops as `vectorised`; `pure` are functions that only compute a value."""

    pure: frozenset[str]
    taken: set[str]
    reordered: bool = field(default=False)  # whether a sum of floating-point numbers is marked

    def mark(self, loop: s.For, facts: Facts) -> s.Body | None:
        """The loop with its mark; None where its iterations may meet or are too few."""
        if not counts(loop) or in_vectors(loop) or not _is_plain(loop):
            return None
        first, loop, last = self._scalars(loop, facts)
        sums = summed(loop)
        if sums is None or not independent(self._without(loop, sums), facts):
            return None
        self.reordered |= any(v.type in (F32, F64) for v in sums)
        return (*first, replace(loop, kind="vectorised", unroll=0), *last)

    def _without(self, loop: s.For, sums: frozenset[e.Var]) -> s.For:
        """The loop as the analysis should see it: only what is added, calls as plain functions."""

        def statement(st: s.Stmt) -> s.Stmt:
            if not isinstance(st, s.Assign) or st.target not in sums:
                return st
            found = accumulation(st)
            assert found is not None
            name = fresh_name("added", self.taken)
            return s.Decl(e.Var(name, st.target.type), found[1])

        def call(x: e.Expr) -> e.Expr:
            known = isinstance(x, e.Call) and x.func in self.pure
            return replace(x, func=_SAME) if known else x  # type: ignore[type-var]

        body = rewrite_exprs(rewrite_stmts(loop.body, statement), call)
        return replace(loop, body=body, kind="serial")

    # -- sums in arrays ------------------------------------------------------------------------

    def _scalars(self, loop: s.For, facts: Facts) -> tuple[s.Body, s.For, s.Body]:
        """Elements of own arrays that the whole loop adds to, as scalars before and after it."""
        first: list[s.Stmt] = []
        last: list[s.Stmt] = []
        for place in _summed_places(loop):
            if not _exists(place, facts):
                continue
            assert isinstance(place.base, e.Var)
            v = e.Var(fresh_name(place.base.name.split(".")[0] + "_sum", self.taken), place.type)
            first.append(s.Decl(v, place))
            last.append(s.Assign(place, v))
            body = rewrite_exprs(loop.body, _replacing(place, v))
            loop = replace(loop, body=body)
        if not first:
            return (), loop, ()
        first[0] = replace(first[0], comments=loop.comments)
        return tuple(first), replace(loop, comments=()), tuple(last)


def _replacing(place: e.Index, v: e.Var) -> Callable[[e.Expr], e.Expr]:
    def one(x: e.Expr) -> e.Expr:
        return v if x == place else x

    return one


def _is_plain(loop: s.For) -> bool:
    """Whether the compiler's directive may stand before a loop, as far as its statements go."""
    if not isinstance(loop.step, e.Const) or not isinstance(loop.var.type, Scalar):
        return False
    own = {n for st in loop.body for n in walk(st)}
    if any(isinstance(n, s.Stmt) and not isinstance(n, _PLAIN) for n in own):
        return False
    return not any(isinstance(n, e.Expr) and isinstance(n.type, Opaque) for n in own)


def summed(loop: s.For) -> frozenset[e.Var] | None:
    """Outer variables that the loop only adds to; None where one lives on in another way."""
    own = set(declared(loop.body))
    outer = assigned(loop.body) - own
    found: set[e.Var] = set()
    for n in walk(loop.body):
        if not isinstance(n, s.Assign) or not isinstance(n.target, (e.Var, e.Field)):
            continue
        if isinstance(n.target, e.Field) and _root(n.target) in outer:
            return None
        if isinstance(n.target, e.Var) and n.target.name in outer:
            if not _is_sum(n):
                return None
            found.add(n.target)
    if {v.name for v in found} != outer:
        return None
    uses = [n for n in walk(loop.body) if n in found and isinstance(n, e.Var)]
    return frozenset(found) if len(uses) == sum(_own_uses(loop, v) for v in found) else None


def _root(x: e.Expr) -> str:
    while isinstance(x, (e.Field, e.Index)):
        x = x.base
    return x.name if isinstance(x, e.Var) else ""


def _is_sum(st: s.Assign) -> bool:
    t = st.target.type
    if not isinstance(t, Scalar) or t == BOOL or (t.is_float and t not in (F32, F64)):
        return False
    found = accumulation(st)
    return found is not None and found[0] == "sum" and st.target not in set(walk(found[1]))


def _own_uses(loop: s.For, v: e.Var) -> int:
    """How often `v` occurs in the statements that add to it."""
    sums = [n for n in walk(loop.body) if isinstance(n, s.Assign) and n.target == v]
    return sum(1 for st in sums for n in walk(st) if n == v)


def _summed_places(loop: s.For) -> list[e.Index]:
    """Elements of arrays of the function's own that are only added to, at one place each."""
    moving = assigned(loop.body) | set(declared(loop.body)) | {loop.var.name}
    found: dict[str, set[e.Index]] = {}
    for n in walk(loop.body):
        if isinstance(n, e.Index) and isinstance(n.base, e.Var) and isinstance(n.base.type, Array):
            found.setdefault(n.base.name, set()).add(n)
    out = []
    for places in found.values():
        place = next(iter(places))
        fixed = not any(isinstance(x, e.Var) and x.name in moving for x in walk(place.index))
        fixed = fixed and not any(isinstance(x, (e.Index, e.Call)) for x in walk(place.index))
        if len(places) == 1 and fixed and _only_sums(loop, place):
            out.append(place)
    return out


def _only_sums(loop: s.For, place: e.Index) -> bool:
    sums = [n for n in walk(loop.body) if isinstance(n, s.Assign) and n.target == place]
    named = sum(1 for n in walk(loop.body) if isinstance(n, e.Var) and n == place.base)
    inside = sum(1 for st in sums for n in walk(st) if n == place.base)
    return bool(sums) and named == inside and all(map(_is_sum, sums))


def _exists(place: e.Index, facts: Facts) -> bool:
    """Whether an element lies in its array even where the loop does not run at all."""
    t = place.base.type
    assert isinstance(t, Array)
    at = facts.poly(place.index)
    return t.size is not None and facts.nonneg(at) and facts.nonneg(-at + (t.size - 1))


# -- functions without effects ------------------------------------------------------------------


def pure_functions(program: Program) -> frozenset[str]:
    """Functions that read nothing but their parameters and do nothing but return a value."""
    shared = {g.var.name for g in program.globals}
    found: set[str] = set()
    while True:
        known = math_functions().keys() | found
        new = {
            f.name
            for f in program.functions
            if all(isinstance(p.type, (Scalar, Struct, Vector)) for p in f.params)
            and all(_is_pure(n, known, shared) for n in walk(f.body))
        }
        if new <= found:
            return frozenset(found)
        found |= new


def _is_pure(n: object, known: set[str], shared: set[str]) -> bool:
    if isinstance(n, e.Call):
        return n.func in known
    if isinstance(n, e.Var):
        return n.name not in shared
    return not isinstance(
        n, (s.Instr, s.Eval, s.Launch, s.LeftOut, s.Barrier, s.While, e.AddressOf, e.Axis)
    )
