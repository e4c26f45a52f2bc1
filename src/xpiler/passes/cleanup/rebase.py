"""Arrays of which each turn of a loop uses a window of its own start at that window.

`for w { float a[64]; ... a[w*32 + t] ... }` is `for w { float a[32]; ... a[t] ... }`: the array
lives for one turn only, hence where in it the turn's elements are does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from xpiler.analysis.affine import to_expr
from xpiler.analysis.poly import Poly, atom
from xpiler.analysis.ranges import Facts
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import rewrite_exprs, rewrite_stmts, walk
from xpiler.ir.types import Array
from xpiler.passes.cleanup.base import Context, Walker, each_function


@dataclass(frozen=True)
class Rebase:
    """Subscripts without the part that a turn of the loop around the array fixes."""

    name: str = "rebase"

    def apply(self, program: Program, ctx: Context) -> Program:
        def one(f: Function) -> Function:
            found = _Windows()
            found.run(f, ctx.facts(f))
            for window in found.windows.values():
                if window.end is not None:
                    f = replace(f, body=_shifted(f.body, window))
            return f

        return each_function(program, one)


@dataclass
class _Window:
    """The subscripts of one array, and what they are without `factor` times the loop's variable."""

    decl: s.Decl
    loop: str
    factor: int = 0
    end: int | None = 0
    places: dict[int, tuple[e.Expr, e.Expr]] = field(default_factory=dict)


@dataclass
class _Windows(Walker):
    """Collects the arrays that loops declare, and every place in them."""

    windows: dict[str, _Window] = field(default_factory=dict)
    loops: list[str] = field(default_factory=list)

    def stmt(self, st: s.Stmt, facts: Facts) -> s.Body:
        own = isinstance(st, s.Decl) and isinstance(st.var.type, Array) and st.init is None
        if own and self.loops:
            assert isinstance(st, s.Decl)
            self.windows[st.var.name] = _Window(st, self.loops[-1])
        if isinstance(st, s.For):
            self.loops.append(st.var.name)
        new = self.descend(st, facts)
        if isinstance(st, s.For):
            self.loops.pop()
        return (new,)

    def expr(self, x: e.Expr, facts: Facts) -> e.Expr:
        self._look(x, facts)
        return x

    def place(self, x: e.Expr, facts: Facts) -> e.Expr:
        self._look(x, facts)
        return x

    def _look(self, x: e.Expr, facts: Facts) -> None:
        seen: set[int] = set()
        for n in walk(x):
            if isinstance(n, e.Index) and isinstance(n.base, e.Var):
                seen.add(id(n.base))
                if n.base.name in self.windows:
                    self._note(self.windows[n.base.name], n, facts)
            elif isinstance(n, e.Var) and n.name in self.windows and id(n) not in seen:
                self.windows[n.name].end = None

    def _note(self, window: _Window, x: e.Index, facts: Facts) -> None:
        if window.end is None:
            return
        p = facts.poly(x.index)
        parts = p.split(window.loop)
        factor = parts[0].constant if parts is not None else None
        rest = p - atom(window.loop) * (factor or 0)
        index = to_expr(facts, rest, x.index.type) if factor else None
        if not factor or factor < 2 or window.factor not in (0, factor) or index is None:
            window.end = None
            return
        if not _fits(x.index, atom(window.loop) * factor, factor, facts):
            window.end = None
            return
        window.factor, window.end = factor, factor
        if window.places.setdefault(id(x.index), (x.index, index))[1] != index:
            window.end = None


def _fits(x: e.Expr, start: Poly, end: int, facts: Facts) -> bool:
    """Whether the subscript `x` lies in the window, whichever way a choice in it goes."""
    choice = next((n for n in walk(x) if isinstance(n, e.Select)), None)
    if choice is None:
        return _within(facts, facts.poly(x) - start, end)
    return all(
        _fits(
            rewrite_exprs(x, lambda n, way=way: way if n == choice else n),  # type: ignore[misc]
            start,
            end,
            facts.with_cond(choice.cond, truth, momentary=True),
        )
        for truth, way in ((True, choice.a), (False, choice.b))
    )


def _within(facts: Facts, p: Poly, end: int) -> bool:
    lo, hi = facts.interval(p)
    return (lo >= 0 or facts.nonneg(p)) and (hi < end or facts.nonneg(-p + (end - 1)))


def _shifted(body: s.Body, window: _Window) -> s.Body:
    t = window.decl.var.type
    assert isinstance(t, Array)
    assert window.end is not None
    if not window.places:
        return body
    name = window.decl.var.name
    var = e.Var(name, Array(t.elem, window.end))

    def one(x: e.Expr) -> e.Expr:
        if isinstance(x, e.Index) and isinstance(x.base, e.Var) and x.base.name == name:
            return replace(x, base=var, index=window.places[id(x.index)][1])
        return x

    new: s.Body = rewrite_exprs(body, one)

    def declared(st: s.Stmt) -> s.Stmt:
        return replace(st, var=var) if isinstance(st, s.Decl) and st.var.name == name else st

    out: s.Body = rewrite_stmts(new, declared)
    return out
