"""Loops without vector instructions whose iterations do not meet: marked for the compiler."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from xpiler.analysis.effects import assigned, declared
from xpiler.analysis.parallelism import nature
from xpiler.analysis.purity import readers
from xpiler.analysis.ranges import Facts
from xpiler.analysis.reductions import Reduction
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Program
from xpiler.ir.rewrite import fresh_name, rewrite_exprs, rewrite_stmts, walk
from xpiler.ir.types import BOOL, F16, F32, F64, Array, Opaque, Scalar
from xpiler.passes.lowering.vector.census import counts, in_vectors
from xpiler.passes.lowering.vector.once import without_single
from xpiler.passes.lowering.vector.strips import accumulation

_PLAIN = (s.Decl, s.Assign, s.If, s.Scope, s.Switch, s.Break, s.Continue)
_EXTREMES = {">": "max", ">=": "max", "<": "min", "<=": "min"}
INF = float("inf")


@dataclass
class Marker:
    """Marks innermost loops as `vectorised`; `pure` are functions that only compute a value."""

    pure: frozenset[str]
    taken: set[str]
    reordered: bool = field(default=False)  # whether a sum of floating-point numbers is marked
    sentences: set[str] = field(default_factory=set)  # what was taken for granted

    def mark(self, loop: s.For, facts: Facts) -> s.Body | None:
        """The loop with its mark; None where its iterations may meet or are too few."""
        if not counts(loop) or in_vectors(loop) or not _is_plain(loop):
            return None
        first, loop, last = self._scalars(loop, facts)
        before = len(facts.ledger.sentences)
        seen = without_single(replace(loop, kind="serial"), facts, self.taken)
        found = nature(seen, facts, self.pure)
        if not found.parallel or found.atomics or not all(map(_has_operator, found.reductions)):
            del facts.ledger.sentences[before:]
            return None
        self.sentences |= set(found.sentences)
        begin, loop, end = self._extremes(loop, found.reductions)
        if begin and not first:
            begin = (replace(begin[0], comments=loop.comments), *begin[1:])
            loop = replace(loop, comments=())
        return (*first, *begin, replace(loop, kind="vectorised", unroll=0), *end, *last)

    def _extremes(self, loop: s.For, found: tuple[Reduction, ...]) -> tuple[s.Body, s.For, s.Body]:
        """The loop with its operators. Extremes of floating-point numbers start anew.

        Then no lane begins with what is no number, which the directive's own maximum may forget.
        """
        begin: list[s.Stmt] = []
        end: list[s.Stmt] = []
        kinds: list[tuple[str, e.Var]] = []
        for r in found:
            t, op = r.var.type, _EXTREMES.get(r.op, r.op)
            assert isinstance(t, Scalar)
            if op in ("max", "min") and t.is_float:
                v = e.Var(fresh_name(f"{r.var.name.split('.')[0]}_{op}", self.taken), t)
                begin.append(s.Decl(v, e.Const(-INF if op == "max" else INF, t)))
                end.append(s.Assign(r.var, _larger(r, v)))
                loop = replace(loop, body=rewrite_exprs(loop.body, _replacing(r.var, v)))
                kinds.append((op, v))
            else:
                self.reordered |= t.is_float
                kinds.append((op, r.var))
        return tuple(begin), replace(loop, reductions=tuple(kinds)), tuple(end)

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


def _has_operator(r: Reduction) -> bool:
    """Whether the directive knows the operation, with the same result."""
    t = r.var.type
    if r.place is not None or r.loose or not isinstance(t, Scalar) or t == BOOL:
        return False
    if r.op not in _EXTREMES and r.op not in ("+", "*", "&", "|", "^", "max", "min"):
        return False
    return t in (F32, F64) or t.is_integer


def _larger(r: Reduction, v: e.Var) -> e.Expr:
    """What the variable takes on, as the loop decided it for each element."""
    if r.op in ("max", "min"):
        return e.Call(r.op, (r.var, v), v.type)
    return e.Select(e.compare(r.op, v, r.var), v, r.var, v.type)  # type: ignore[arg-type]


def _replacing(place: e.Expr, v: e.Var) -> Callable[[e.Expr], e.Expr]:
    def one(x: e.Expr) -> e.Expr:
        return v if x == place else x

    return one


def _is_plain(loop: s.For) -> bool:
    """Whether the compiler's directive may stand before a loop, as far as its statements go."""
    if not isinstance(loop.var.type, Scalar):
        return False
    own = {n for st in loop.body for n in walk(st)}
    if any(isinstance(n, e.Call) and n.func == "fma" and n.type == F16 for n in own):
        return False  # computed as a double's, which compilers do one by one all the same
    if any(isinstance(n, s.Stmt) and not isinstance(n, _PLAIN) for n in own):
        return False
    return not any(isinstance(n, e.Expr) and isinstance(n.type, Opaque) for n in own)


def as_sums(loop: s.For) -> s.For:
    """The loop with `if (x > v) v = x;` as a choice, and four products added to v as a sum."""

    def one(st: s.Stmt) -> s.Stmt:
        if isinstance(st, s.If) and len(st.then) == 1 and not st.orelse:
            return _chosen(st, st.then[0]) or st
        if isinstance(st, s.Assign) and not st.op and isinstance(st.value, e.Call):
            call = st.value
            if call.func == "dp4a" and call.args[2] == st.target not in call.args[:2]:
                none = e.Const(0, call.type)
                return replace(st, value=replace(call, args=(*call.args[:2], none)), op="+")
        return st

    return replace(loop, body=rewrite_stmts(loop.body, one))


def _chosen(st: s.If, then: s.Stmt) -> s.Stmt | None:
    c = st.cond
    if not isinstance(then, s.Assign) or then.op or not isinstance(then.target, e.Var):
        return None
    v, x = then.target, then.value
    if isinstance(c, e.Binary) and c.op == "&&" and v not in set(walk(c.a)):
        inner = _chosen(replace(st, cond=c.b), then)
        return None if inner is None else replace(st, cond=c.a, then=(inner,))
    if not isinstance(c, e.Binary) or c.op not in "<>" or (c.a, c.b) not in ((x, v), (v, x)):
        return None
    own = not isinstance(v.type, Scalar) or st.comments
    return None if own else replace(then, value=e.Select(c, x, v, v.type))


def _is_sum(st: s.Assign) -> bool:
    t = st.target.type
    if not isinstance(t, Scalar) or t == BOOL or (t.is_float and t not in (F32, F64)):
        return False
    found = accumulation(st)
    return found is not None and found[0] == "sum" and st.target not in set(walk(found[1]))


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


def steady_readers(program: Program) -> frozenset[str]:
    """Functions that only compute from their parameters and what these point to, without loops."""
    changing = {g.var.name for g in program.globals if not g.const}
    return frozenset(
        name for name in readers(program)
        if not any(
            isinstance(n, (s.For, s.While)) or (isinstance(n, e.Var) and n.name in changing)
            for n in walk(program.function(name).body)
        )
    )  # fmt: skip
