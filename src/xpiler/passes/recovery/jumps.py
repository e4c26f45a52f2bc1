"""Turns jumps over synchronisation into guards, so that only structured control is left to split.

`return`, and `break` and `continue` that some units make and others do not, become flags (or, where
the jump ends a branch, nesting in the other branch); uniform `break` and `continue` stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import fresh_name
from xpiler.ir.types import BOOL
from xpiler.passes.recovery import nodes as n
from xpiler.passes.recovery.levels import has_sync

Target = tuple[str, int]
RETURN: Target = ("done", 0)


def flatten_scopes(body: s.Body) -> s.Body:
    """`body` without `Scope`: names are unique, so braces carry nothing."""
    return n.edit(body, lambda st: st.body if isinstance(st, s.Scope) else st)


def switches_to_ifs(body: s.Body, level: n.LevelName, taken: set[str]) -> s.Body:
    """`body` in which each switch that synchronises is a chain of `if`s; no `break` may be left."""

    def one(st: s.Stmt) -> s.Stmt | s.Body:
        if not isinstance(st, s.Switch) or not has_sync(st, level):
            return st
        value = e.Var(fresh_name("choice", taken), st.value.type)
        chain: s.Body = next((c.body for c in st.cases if not c.values), ())
        for case in reversed([c for c in st.cases if c.values]):
            cond: e.Expr | None = None
            for v in case.values:
                test = e.Binary("==", value, e.Const(v, value.type), BOOL)
                cond = test if cond is None else e.Binary("||", cond, test, BOOL)
            assert cond is not None
            chain = (s.If(cond, case.body, chain),)
        return (s.Decl(value, st.value, loc=st.loc, comments=st.comments), *chain)

    return n.edit(body, one)


@dataclass
class JumpLowering:
    """One run over a body; `divergent` holds the identities of jumps that not all units make."""

    level: n.LevelName
    divergent: set[int]
    taken: set[str]
    flags: dict[Target, e.Var] = field(default_factory=dict)
    lowered: dict[int, Target] = field(default_factory=dict)

    def run(self, body: s.Body) -> s.Body:
        """`body` without the jumps that may not stay."""
        self.select(body, [])
        if not self.lowered:
            return body
        new = self.items(body, frozenset([RETURN]))
        if RETURN in self.flags:
            new = (s.Decl(self.flags[RETURN], n.FALSE), *new)
        return new

    def select(self, body: s.Body, around: list[s.Stmt]) -> None:
        """Finds the jumps to lower."""
        for st in body:
            if isinstance(st, (s.Return, s.Break, s.Continue)):
                self.consider(st, around)
            exits = isinstance(st, (s.For, s.While, s.Switch))
            for inner in n.bodies(st):
                self.select(inner, [*around, st] if exits else around)

    def consider(self, st: s.Stmt, around: list[s.Stmt]) -> None:
        if isinstance(st, s.Return):
            self.lowered[id(st)] = RETURN
            return
        loops = [x for x in around if not isinstance(x, s.Switch)]
        target = loops[-1] if isinstance(st, s.Continue) else around[-1]
        kind = "skip" if isinstance(st, s.Continue) else "stop"
        always = isinstance(target, s.Switch)
        if has_sync(target, self.level) and (id(st) in self.divergent or always):
            self.lowered[id(st)] = (kind, id(target))

    def flag(self, target: Target) -> e.Var:
        if target not in self.flags:
            self.flags[target] = e.Var(fresh_name(target[0], self.taken), BOOL)
        return self.flags[target]

    def leaving(self, st: s.Stmt) -> list[Target]:
        """Targets of the lowered jumps that leave `st`, without repetition."""
        found = [self.lowered[id(j)] for j in n.escaping(st) if id(j) in self.lowered]
        return list(dict.fromkeys(found))

    def items(self, body: s.Body, tail: frozenset[Target]) -> s.Body:
        """A list; at its end control arrives at the targets in `tail` by itself."""
        out: list[s.Stmt] = []
        for k, st in enumerate(body):
            rest = body[k + 1 :]
            left = self.leaving(st)
            if not left:
                out += self.inside(st)
            elif id(st) in self.lowered:
                return (*out, *self.set_flag(st, tail))
            elif isinstance(st, s.If) and (nested := self.nest(st, rest, tail)) is not None:
                return (*out, *nested)
            else:
                out += self.inside(st, tail if not rest else frozenset())
                if rest:
                    out.append(s.If(self.none_of(left), self.items(rest, tail)))
                return tuple(out)
        return tuple(out)

    def none_of(self, targets: list[Target]) -> e.Expr:
        cond: e.Expr | None = None
        for t in targets:
            cond = n.both(cond, e.Unary("!", self.flag(t), BOOL))
        assert cond is not None
        return cond

    def set_flag(self, st: s.Stmt, tail: frozenset[Target]) -> s.Body:
        target = self.lowered[id(st)]
        return () if target in tail else (s.Assign(self.flag(target), n.TRUE, loc=st.loc),)

    def nest(self, st: s.If, rest: s.Body, tail: frozenset[Target]) -> s.Body | None:
        """`if (c) { ..; return; } rest` as `if (c) {..} else { rest }`; None where it is not so."""
        arms = (st.then, st.orelse)
        for k, arm in enumerate(arms):
            other = arms[1 - k]
            if not arm or id(arm[-1]) not in self.lowered:
                continue
            if any(self.leaving(x) for x in (*arm[:-1], *other)):
                continue
            done = self.items(arm, tail)
            cont = self.items((*other, *rest), tail)
            cond = st.cond if k == 0 else n.negate(st.cond)
            if not done:
                return (replace(st, cond=n.negate(cond), then=cont, orelse=()),) if cont else ()
            return (replace(st, cond=cond, then=done, orelse=cont),)
        return None

    def inside(self, st: s.Stmt, tail: frozenset[Target] = frozenset()) -> s.Body:
        """A statement with the jumps in it lowered; flags of jumps that leave it get set."""
        if isinstance(st, (s.For, s.While, s.Switch)):
            if has_sync(st, self.level):
                return self.switch(st) if isinstance(st, s.Switch) else self.loop(st)
            return (self.leaf(st),) if self.leaving(st) else (st,)
        new = [self.items(b, tail) for b in n.bodies(st)]
        return (n.with_bodies(st, new),) if new else (st,)

    def switch(self, st: s.Switch) -> s.Body:
        stop: Target = ("stop", id(st))
        new = n.with_bodies(st, [self.items(b, frozenset([stop])) for b in n.bodies(st)])
        return (s.Decl(self.flags[stop], n.FALSE), new) if stop in self.flags else (new,)

    def loop(self, st: s.For | s.While) -> s.Body:
        skip: Target = ("skip", id(st))
        stop: Target = ("stop", id(st))
        body = self.items(st.body, frozenset([skip]))
        if skip in self.flags:
            body = (s.Decl(self.flags[skip], n.FALSE), *body)
        exits = [t for x in st.body for t in self.leaving(x) if t != skip]
        exits = list(dict.fromkeys(exits))
        head = (s.Decl(self.flag(stop), n.FALSE),) if stop in exits else ()
        if not exits:
            return (replace(st, body=body),)
        go_on = self.none_of(exits)
        if isinstance(st, s.For):
            return (*head, replace(st, body=(s.If(go_on, body),)))
        step = (s.If(go_on, st.step),) if st.step else ()
        cond = go_on if st.cond == n.TRUE else n.both(go_on, st.cond)
        return (*head, replace(st, cond=cond, body=body, step=step))

    def leaf(self, st: s.Stmt) -> s.Stmt:
        """A loop or switch that does not synchronise: a jump out of it sets its flag and breaks."""

        def items(body: s.Body) -> Iterator[s.Stmt]:
            for x in body:
                if id(x) in self.lowered:
                    yield s.Assign(self.flag(self.lowered[id(x)]), n.TRUE, loc=x.loc)
                    yield s.Break()
                    return
                left = self.leaving(x)
                yield n.with_bodies(x, [tuple(items(b)) for b in n.bodies(x)]) if left else x
                if left and isinstance(x, (s.For, s.While, s.Switch)):
                    yield s.If(n.negate(self.none_of(left)), (s.Break(),))

        return n.with_bodies(st, [tuple(items(b)) for b in n.bodies(st)])
