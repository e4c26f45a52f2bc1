"""Splits a parallel loop over its statements where the parts then become simpler loops.

Iterations of a parallel loop do not depend on each other, so all may do their first statement
before any does its second. Worth it where a part deals out work with a stride, or where every part
has a guard of its own that becomes a loop bound, or is the business of one block only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from xpiler.analysis.effects import declared, escapes, names_in, of_body
from xpiler.analysis.ranges import Facts
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import fresh_name, rewrite_stmts, substitute
from xpiler.passes.cleanup.base import Context, Walker, each_function
from xpiler.passes.cleanup.guards import conjuncts, lifted
from xpiler.passes.cleanup.nests import Nest, chain, movable, rebuilt
from xpiler.passes.cleanup.strides import unstrided


@dataclass(frozen=True)
class Distribute:
    """Loop distribution (the inverse of fusion), only where it pays."""

    name: str = "distribute"

    def apply(self, program: Program, ctx: Context) -> Program:
        def one(f: Function) -> Function:
            taken = {p.name for p in f.params} | names_in(f.body)
            new = _Distributor(set(taken)).run(f, ctx.facts(f))
            return new

        return each_function(program, one)


@dataclass
class _Distributor(Walker):
    taken: set[str]

    def stmt(self, st: s.Stmt, facts: Facts) -> s.Body:
        new = self.descend(st, facts)
        if not isinstance(new, s.For) or new.kind != "parallel":
            return (new,)
        return self._split(new, facts) or (new,)

    def _split(self, loop: s.For, facts: Facts) -> s.Body | None:
        nest = chain(loop)
        decls, parts = _parts(nest.body)
        if len(parts) < 2 or not _separate(parts):
            return None
        taken = set(self.taken)
        loops = [self._alone(nest, decls, part, k, taken) for k, part in enumerate(parts)]
        if any(_strided(lp, facts) for lp in loops) or _one_at_once(nest, parts):
            new: s.Body = tuple(loops)
        elif all(_narrows(lp, facts) for lp in loops):
            new = tuple(st for lp in loops for st in lifted(lp, facts))
        else:
            return None
        self.taken = taken
        return (*nest.before, *new)

    def _alone(self, nest: Nest, decls: s.Body, part: s.Stmt, k: int, taken: set[str]) -> s.For:
        """The nest around one part; all but the first get new names."""
        body = (*_needed(decls, part), part)
        out = rebuilt(nest.loops, body)[0]
        assert isinstance(out, s.For)
        if k == 0:
            return out
        shared = [lp.var for lp in nest.loops]
        shared += [d.var for d in body[:-1] if isinstance(d, s.Decl)]
        fresh = {v.name: e.Var(fresh_name(v.name, taken), v.type) for v in shared}
        renamed = substitute(rewrite_stmts(out, lambda st: _renamed(st, fresh)), fresh)
        assert isinstance(renamed, s.For)
        return renamed


def _renamed(st: s.Stmt, fresh: dict[str, e.Var]) -> s.Stmt:
    if isinstance(st, (s.For, s.Decl)) and st.var.name in fresh:
        return replace(st, var=fresh[st.var.name])
    return st


def _parts(body: s.Body) -> tuple[s.Body, s.Body]:
    """Declarations that every part may repeat for itself, and the other statements."""
    decls = tuple(st for st in body if isinstance(st, s.Decl) and movable(st, body))
    chosen = set(map(id, decls))
    return decls, tuple(st for st in body if id(st) not in chosen)


def _needed(decls: s.Body, part: s.Stmt) -> s.Body:
    wanted = set(names_in(part))
    out: list[s.Stmt] = []
    for d in reversed(decls):
        if isinstance(d, s.Decl) and d.var.name in wanted:
            out.append(d)
            wanted |= names_in(d)
    return tuple(reversed(out))


def _separate(parts: s.Body) -> bool:
    """Whether no value goes from one part to the next except through memory."""
    effects = of_body(parts)
    if effects.other or escapes(parts):
        return False
    for k, part in enumerate(parts):
        if isinstance(part, s.Decl):
            return False
        local = declared((part,)).keys()
        if any(local & names_in(other) for other in parts[k + 1 :]):
            return False
    return True


def _strided(loop: s.For, facts: Facts) -> bool:
    mark = facts.mark()
    found = unstrided(loop, facts, set())
    facts.forget(mark)
    return found is not None


def _one_at_once(nest: Nest, parts: s.Body) -> bool:
    """Whether every part is guarded, and one is only for one turn of a loop: the first block."""
    turns = {lp.var for lp in nest.loops}
    guards = [st for st in parts if isinstance(st, s.If) and not st.orelse]
    return len(guards) == len(parts) and any(
        isinstance(c, e.Binary) and c.op == "==" and _bare(c.a) in turns and _is_number(c.b)
        for st in guards
        for c in conjuncts(st.cond)
    )


def _bare(x: e.Expr) -> e.Expr:
    return _bare(x.x) if isinstance(x, e.Cast) else x


def _is_number(x: e.Expr) -> bool:
    return isinstance(_bare(x), e.Const)


def _narrows(loop: s.For, facts: Facts) -> bool:
    """Whether a guard of the loop's body becomes its bound."""
    (first, *_) = lifted(loop, facts)
    return isinstance(first, s.For) and (first.lo, first.hi) != (loop.lo, loop.hi)
