"""`int i; for (i = 0; i < n; i++)`: a counting loop gets a variable of its own.

Allowed where nobody reads the outer variable afterwards before it is assigned again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from xpiler.frontend.counting import counting
from xpiler.ir.expr import Var
from xpiler.ir.rewrite import children, fresh_name, rewrite_stmts, substitute, walk
from xpiler.ir.stmt import Assign, Body, Decl, For, If, Scope, Stmt, Switch, While

Dead = Callable[[str], bool]


@dataclass
class OuterVariables:
    """Rewrites one function's body. `memory`: variables whose address is taken."""

    memory: set[str]
    taken: set[str]
    declared: set[str] = field(default_factory=set)

    def apply(self, body: Body) -> Body:
        """`body` with such loops rewritten and variables that became unused removed."""
        self.declared = {
            st.var.name for st in walk(body) if isinstance(st, Decl) and st.space == "local"
        } - self.memory
        result = self._body(body, lambda name: True)
        return result if result is body else _without_unused(result, body)

    def _body(self, body: Body, dead_at_end: Dead) -> Body:
        out: list[Stmt] = []
        for i, st in enumerate(body):
            dead = _dead_after(body, i, dead_at_end)
            st = self._inside(st, dead)
            own = self._own(out[-1], st, dead) if out else None
            if own is not None:
                out[-1] = own
            else:
                out.append(st)
        same = len(out) == len(body) and all(a is b for a, b in zip(out, body, strict=True))
        return body if same else tuple(out)

    def _inside(self, st: Stmt, dead: Dead) -> Stmt:
        if isinstance(st, If):
            then, orelse = self._body(st.then, dead), self._body(st.orelse, dead)
            same = then is st.then and orelse is st.orelse
            return st if same else replace(st, then=then, orelse=orelse)
        if isinstance(st, Scope):
            body = self._body(st.body, dead)
            return st if body is st.body else replace(st, body=body)
        if isinstance(st, (For, While)):
            body = self._body(st.body, _dead_at_loop_end(st, dead))
            return st if body is st.body else replace(st, body=body)
        if isinstance(st, Switch):
            cases = tuple(replace(c, body=self._body(c.body, dead)) for c in st.cases)
            return replace(st, cases=cases)
        return st

    def _own(self, before: Stmt, loop: Stmt, dead: Dead) -> For | None:
        """The loop with its own variable, when `before; loop` allows it."""
        if not (isinstance(before, Assign) and isinstance(loop, While) and not before.op):
            return None
        target = before.target
        if not isinstance(target, Var) or target.name not in self.declared or not dead(target.name):
            return None
        if counting(Decl(target, before.value), loop, self.memory) is None:
            return None
        var = Var(fresh_name(target.name, self.taken), target.type)
        decl = Decl(var, before.value, loc=before.loc, comments=before.comments)
        return counting(decl, substitute(loop, {target.name: var}), self.memory)


def _mentions(st: Stmt, name: str) -> bool:
    return any(isinstance(n, Var) and n.name == name for n in walk(st))


def _assigns_anew(st: Stmt, name: str) -> bool:
    """Whether `st` is `name = value` with a value that does not read it, or declares it."""
    if isinstance(st, Decl) and st.var.name == name:
        return True
    if not isinstance(st, Assign) or st.op or not isinstance(st.target, Var):
        return False
    return st.target.name == name and not any(
        isinstance(n, Var) and n.name == name for n in walk(st.value)
    )


def _dead_after(body: Body, i: int, dead_at_end: Dead) -> Dead:
    """Whether a variable's value is not needed after statement `i`."""

    def dead(name: str) -> bool:
        for st in body[i + 1 :]:
            if _mentions(st, name):
                return _assigns_anew(st, name)
        return dead_at_end(name)

    return dead


def _dead_at_loop_end(loop: For | While, dead_after: Dead) -> Dead:
    """At the end of a loop's body: the next round must assign it first, as must what follows."""

    def dead(name: str) -> bool:
        head = replace(loop, body=())
        if _mentions(head, name):
            return False
        first = next((st for st in loop.body if _mentions(st, name)), None)
        return (first is None or _assigns_anew(first, name)) and dead_after(name)

    return dead


def _without_unused(result: Body, before: Body) -> Body:
    """Without the declarations that only the rewritten loops used."""
    used_before = _uses(before)
    used = _uses(result)

    def drop(st: Stmt) -> Stmt | Body:
        gone = isinstance(st, Decl) and st.var.name in used_before and st.var.name not in used
        return () if gone else st

    changed: Body = rewrite_stmts(result, drop)
    return changed


def _uses(body: Body) -> set[str]:
    """Variables that occur outside their declarations."""
    found: set[str] = set()
    for n in walk(body):
        if isinstance(n, (Decl, For)):
            continue
        found |= {c.name for c in children(n) if isinstance(c, Var)}
    for n in walk(body):
        if isinstance(n, Decl) and n.init is not None:
            found |= {c.name for c in walk(n.init) if isinstance(c, Var)}
        if isinstance(n, For):
            for e in (n.lo, n.hi, n.step):
                found |= {c.name for c in walk(e) if isinstance(c, Var)}
    return found
