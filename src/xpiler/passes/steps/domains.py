"""The check of a changed loop header: the body's index takes the same values in the same order."""

from __future__ import annotations

from dataclasses import dataclass, field

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Program
from xpiler.passes.steps.base import Check
from xpiler.passes.steps.solver import Term, Words, valid


@dataclass
class _Way:
    """How a declaration is reached: the loops around it, and where it stands."""

    loops: list[s.For] = field(default_factory=list)
    decl: s.Decl | None = None
    rest: s.Body = ()


@dataclass
class Domain:
    """The values that nested loops give their variables, over the ranks of the iterations.

    Iteration number k of a loop has the value lo + k*step; `conds` say when the ranks are in range.
    """

    ranks: list[Term]
    values: list[Term]
    counts: list[Term]
    conds: list[Term]


def domain(loops: list[s.For], words: Words, ranks: list[Term]) -> Domain:
    """The domain of `loops` at `ranks`; `words` learn the variables."""
    import z3

    out = Domain(ranks, [], [], [])
    for loop, k in zip(loops, ranks, strict=True):
        lo, hi, step = (words.number(x) for x in (loop.lo, loop.hi, loop.step))
        span = z3.If(hi > lo, hi - lo, 0)
        out.counts.append((span + step - 1) / step)
        out.conds += [k >= 0, lo + k * step < hi]
        out.values.append(lo + k * step)
        words.defined[loop.var.name] = out.values[-1]
    return out


def _rank_names(loops: list[s.For], mark: str = "") -> list[Term]:
    import z3

    return [z3.Int(f"{loop.var.name}#{mark}") for loop in loops]


def _renumbered(one: Domain, counts: list[Term]) -> list[Term]:
    """The iteration of the same number in loops with other counts."""
    number = one.ranks[0]
    for rank, count in zip(one.ranks[1:], one.counts[1:], strict=True):
        number = number * count + rank
    out: list[Term] = []
    for count in reversed(counts[1:]):
        out.insert(0, number % count)
        number = number / count
    return [number, *out]


def reached(program: Program, names: tuple[str, ...]) -> _Way | None:
    """The way to the declarations of `names`, which stand together at the start of a body."""

    def go(body: s.Body, way: list[s.For]) -> _Way | None:
        first = body[0] if body else None
        if isinstance(first, s.Decl) and first.var.name == names[0]:
            return _Way(way, first, body)
        for st in body:
            inner = [getattr(st, k, ()) for k in ("body", "then", "orelse")]
            for x in inner:
                found = go(x, [*way, st] if isinstance(st, s.For) else way)
                if found is not None:
                    return found
        return None

    return next((w for f in program.functions if (w := go(f.body, [])) is not None), None)


def same_values(loops: tuple[s.For, ...], after: Program) -> Check:
    """Whether the variables of nested `loops`, now declared from other loops, run as before."""
    names = tuple(loop.var.name for loop in loops)
    way = reached(after, names)
    if way is None:
        return Check("test", f"the index {names[0]} could not be found")
    around = [lp for lp in way.loops if lp.var.name not in names][-2:]
    body, guard, values = _opened(way.rest, len(names))
    if body != loops[-1].body:
        return Check("test", "the body is written in another way")
    if _proved(loops, around, guard, values):
        return Check("solver", f"{', '.join(names)} take the same values in the same order")
    return Check("test", f"the values of {', '.join(names)} could not be compared")


def _opened(rest: s.Body, count: int) -> tuple[s.Body, e.Expr | None, list[e.Expr]]:
    """The body behind the declarations and a guard around all of it."""
    values = [d.init for d in rest[:count] if isinstance(d, s.Decl) and d.init is not None]
    body = rest[count:]
    if len(body) == 1 and isinstance(body[0], s.If) and not body[0].orelse:
        return body[0].then, body[0].cond, values
    return body, None, values


def _proved(
    old: tuple[s.For, ...], new: list[s.For], guard: e.Expr | None, values: list[e.Expr]
) -> bool:
    if len(values) != len(old):
        return False
    rules = _New(new, guard, values, old)
    was = domain(list(old), Words(), _rank_names(list(old)))
    here, there = rules.at(_rank_names(new)), rules.at(_rank_names(new, "'"))
    back = domain(list(old), Words(), _renumbered(here.own, was.counts))
    forth = rules.at(_renumbered(was, here.own.counts))
    earlier = _before(here.own.ranks, there.own.ranks)
    return (
        valid(here.conds, _all(back.conds, back.values, here.values))
        and valid(was.conds, _all(forth.conds, forth.values, was.values))
        and valid([*here.conds, *there.conds, earlier], _before(here.values, there.values))
    )


def _all(conds: list[Term], a: list[Term], b: list[Term]) -> Term:
    import z3

    return z3.And(*conds, *(x == y for x, y in zip(a, b, strict=True)))


def _before(a: list[Term], b: list[Term]) -> Term:
    """The lexicographic order of two index vectors."""
    import z3

    out: Term = z3.BoolVal(False)
    for x, y in zip(reversed(a), reversed(b), strict=True):
        out = z3.Or(x < y, z3.And(x == y, out))
    return out


@dataclass
class _At:
    """An iteration of the new loops: its own domain, when it runs, the values it computes."""

    own: Domain
    conds: list[Term]
    values: list[Term]


@dataclass
class _New:
    """The new loops, the guard, and what the old variables are declared as."""

    loops: list[s.For]
    guard: e.Expr | None
    inits: list[e.Expr]
    old: tuple[s.For, ...]

    def at(self, ranks: list[Term]) -> _At:
        words = Words()
        own = domain(self.loops, words, ranks)
        values: list[Term] = []
        for loop, x in zip(self.old, self.inits, strict=True):
            values.append(words.number(x))
            words.defined[loop.var.name] = values[-1]
        guard = [words.truth(self.guard)] if self.guard is not None else []
        return _At(own, [*own.conds, *guard], values)
