"""Inlines device functions in which threads act together or that ask which thread they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import (
    children,
    fresh_name,
    map_children,
    rewrite_exprs,
    substitute,
    variables,
    walk,
)  # fmt: skip
from xpiler.ir.types import BOOL, VOID, Array, Pointer
from xpiler.passes.onchip import touched_functions
from xpiler.passes.recovery import nodes as n
from xpiler.passes.recovery.flow import written
from xpiler.passes.recovery.jumps import JumpLowering
from xpiler.passes.recovery.levels import sync_level

DEEP = 64


class TooDeep(Exception):
    """A recursive device function would have to be inlined."""


def callees(body: s.Body) -> set[str]:
    """Names of the functions that `body` calls."""
    return {c.func for c in walk(body) if isinstance(c, e.Call)}


def must_inline(program: Program) -> set[str]:
    """Device functions that cannot stay functions, directly or through what they call."""
    device = {f.name: f for f in program.functions if f.role == "device"}
    found = {name for name, f in device.items() if _needs_threads(f)} | touched_functions(program)
    while True:
        more = {name for name, f in device.items() if callees(f.body) & found} - found
        if not more:
            return found
        found |= more


def _needs_threads(f: Function) -> bool:
    for node in walk(f.body):
        if isinstance(node, e.Axis) or (isinstance(node, s.Decl) and node.space == "shared"):
            return True
        if isinstance(node, s.Stmt) and sync_level(node) is not None:
            return True
    return any(n.is_fragment(p.type) or _points_to_fragment(p) for p in f.params)


def _points_to_fragment(p: e.Var) -> bool:
    return isinstance(p.type, Pointer) and n.is_fragment(p.type.elem)


@dataclass
class Inliner:
    """Inlines calls of `functions` into one kernel's body."""

    functions: Mapping[str, Function]
    taken: set[str]
    depth: int = 0
    head: list[s.Stmt] = field(default_factory=list)
    shared: dict[str, dict[str, e.Expr]] = field(default_factory=dict)
    """For each function its shared variables: one for the block, however often it is called."""

    def body(self, body: s.Body) -> s.Body:
        return tuple(x for st in body for x in self.statement(st))

    def statement(self, st: s.Stmt) -> s.Body:
        inner = [self.body(b) for b in n.bodies(st)]
        st = n.with_bodies(st, inner) if inner else st
        if not self.calls(st):
            return (st,)
        if isinstance(st, (s.While, s.For)):
            return self.loop(st)
        outer, self.head = self.head, []
        new = self.own(st)
        head, self.head = self.head, outer
        return (*head, *new)

    def calls(self, st: s.Stmt) -> bool:
        own = [*n.heads(st), *n.targets(st)]
        return any(c.func in self.functions for x in own for c in walk(x) if isinstance(c, e.Call))

    def own(self, st: s.Stmt) -> s.Body:
        """The statement with calls in its own expressions replaced; `head` gets their bodies."""
        if (
            isinstance(st, s.Eval)
            and isinstance(st.call, e.Call)
            and st.call.func in self.functions
        ):
            self.call(st.call)
            return ()
        bare = n.with_bodies(st, [() for _ in n.bodies(st)])
        new = n.edit_heads(bare, self.expr)
        return (n.with_bodies(new, n.bodies(st)) if n.bodies(st) else new,)

    def loop(self, st: s.While | s.For) -> s.Body:
        """A call in a loop's condition is evaluated where the condition is."""
        if isinstance(st, s.For):
            up = s.Assign(st.var, st.step, "+")
            test = e.Binary("<", st.var, st.hi, BOOL)
            head = s.Decl(st.var, st.lo, loc=st.loc, comments=st.comments)
            return self.body((head, s.While(test, st.body, (up,), loc=st.loc)))
        outer, self.head = self.head, []
        cond = self.expr(st.cond)
        before, self.head = tuple(self.head), outer
        if st.do:
            again = e.Var(fresh_name("again", self.taken), BOOL)
            last = (*st.step, *before, s.Assign(again, cond))
            return (s.Decl(again, n.TRUE), replace(st, cond=again, step=last))
        leave = s.If(n.negate(cond), (s.Break(),))
        return (replace(st, cond=n.TRUE, body=(*before, leave, *st.body)),)

    def expr(self, x: e.Expr) -> e.Expr:
        """`x` without inlined calls; order and short circuits are kept."""
        if not any(isinstance(c, e.Call) and c.func in self.functions for c in walk(x)):
            return x
        if isinstance(x, e.Select) or (isinstance(x, e.Binary) and x.op in e.LOGICAL):
            return self.lazily(x)
        if isinstance(x, e.Call):
            args = tuple(self.settled(a, x.args[k + 1 :]) for k, a in enumerate(x.args))
            x = replace(x, args=args)
            return self.call(x) if x.func in self.functions else x
        parts = [c for c in children(x) if isinstance(c, e.Expr)]
        kept = iter([self.settled(c, tuple(parts[k + 1 :])) for k, c in enumerate(parts)])
        new: e.Expr = map_children(x, lambda c: next(kept))
        return new

    def settled(self, x: e.Expr, later: tuple[e.Expr, ...]) -> e.Expr:
        """`x` evaluated before the calls in `later` change what it reads."""
        new = self.expr(x)
        calls = any(
            isinstance(c, e.Call) and c.func in self.functions for y in later for c in walk(y)
        )
        loads = any(isinstance(c, (e.Index, e.Var)) for c in walk(new))
        if not calls or not loads or isinstance(new.type, Array):
            return new
        if isinstance(new, (e.AddressOf, e.Const)):
            return new
        return self.kept(new)

    def kept(self, x: e.Expr) -> e.Expr:
        var = e.Var(fresh_name("value", self.taken), x.type)
        self.head.append(s.Decl(var, x))
        return var

    def lazily(self, x: e.Select | e.Binary) -> e.Expr:
        """A short circuit or a selection whose skipped side calls: an `if`."""
        result = e.Var(fresh_name("value", self.taken), x.type)
        first = self.expr(x.cond if isinstance(x, e.Select) else x.a)
        sides = []
        for side in (x.a, x.b) if isinstance(x, e.Select) else (x.b,):
            outer, self.head = self.head, []
            value = self.expr(side)
            sides.append((*self.head, s.Assign(result, value)))
            self.head = outer
        if isinstance(x, e.Select):
            self.head += [s.Decl(result), s.If(first, sides[0], sides[1])]
        else:
            test = result if x.op == "&&" else e.Unary("!", result, BOOL)
            self.head += [s.Decl(result, first), s.If(test, sides[0])]
        return result

    def call(self, x: e.Call) -> e.Expr:
        """Puts the body of the function into `head`; the value is a variable."""
        if self.depth > DEEP:
            raise TooDeep(x.func)
        f = self.functions[x.func]
        body = renamed(f.body, self.taken, self.shared.setdefault(f.name, {}))
        mapping: dict[str, e.Expr] = {}
        changed = written(f.body)
        for p, a in zip(f.params, x.args, strict=True):
            if p.name not in changed and _simple(a, x.args):
                mapping[p.name] = a
            else:
                var = e.Var(fresh_name(p.name, self.taken), p.type)
                self.head.append(s.Decl(var, a))
                mapping[p.name] = var
        body = dereferenced(substitute(body, mapping))
        result = e.Var(fresh_name(f"{f.name}_result", self.taken), f.ret)
        new = returns_to(body, None if f.ret == VOID else result, self.taken)
        if f.ret != VOID:
            new, value = _single_result(new, result)
            self.head += [] if value is not None else [s.Decl(result)]
        else:
            value = None
        deeper = Inliner(self.functions, self.taken, self.depth + 1, shared=self.shared)
        self.head += deeper.body(new)
        if value is None:
            return result
        deeper.head = []
        value = deeper.expr(value)
        self.head += deeper.head
        return value


def _simple(a: e.Expr, args: tuple[e.Expr, ...]) -> bool:
    """Whether an argument may stand for the parameter wherever it is read."""
    if isinstance(a, e.Cast):
        return _simple(a.x, args)
    if isinstance(a, e.AddressOf):
        return not any(map(_loads, walk(a)))
    if isinstance(a, e.Var):
        lends = any(isinstance(y, e.AddressOf) for x in args for y in walk(x))
        return isinstance(a.type, Array) or not lends
    return isinstance(a, (e.Const, e.Axis))


def _loads(x: object) -> bool:
    if isinstance(x, e.Call):
        return True
    return isinstance(x, e.Index) and isinstance(x.base.type, Pointer)


def renamed(body: s.Body, taken: set[str], shared: dict[str, e.Expr]) -> s.Body:
    """`body` with its own variables under free names; `shared` keeps those of the block."""
    names: dict[str, e.Expr] = {}
    for st in n.statements(body):
        if isinstance(st, (s.Decl, s.For)) and st.var.name not in shared:
            var = replace(st.var, name=fresh_name(st.var.name, taken))
            block = isinstance(st, s.Decl) and st.space in ("shared", "nram", "wram")
            (shared if block else names)[st.var.name] = var
    names |= shared

    def one(x: e.Expr) -> e.Expr:
        return names.get(x.name, x) if isinstance(x, e.Var) else x

    new: s.Body = rewrite_exprs(body, one)
    return new


def dereferenced(body: s.Body) -> s.Body:
    """`body` with `*&x` written as `x`."""

    def one(x: e.Expr) -> e.Expr:
        if isinstance(x, e.Index) and isinstance(x.base, e.AddressOf):
            zero = isinstance(x.index, e.Const) and x.index.value == 0
            return x.base.x if zero and x.base.x.type == x.type else x
        return x

    new: s.Body = rewrite_exprs(body, one)
    return new


def returns_to(body: s.Body, result: e.Var | None, taken: set[str]) -> s.Body:
    """`body` as statements that go on at their end; a returned value is assigned to `result`."""

    def one(st: s.Stmt) -> s.Stmt | s.Body:
        if not isinstance(st, s.Return) or result is None or st.value is None:
            return st
        return (s.Assign(result, st.value, loc=st.loc), s.Return())

    body = n.fresh_statements(n.edit(n.edit(body, one), _spliced))
    return JumpLowering("grid", set(), taken).run(body)


def _spliced(st: s.Stmt) -> s.Stmt | s.Body:
    return st.body if isinstance(st, s.Scope) else st


def _single_result(body: s.Body, result: e.Var) -> tuple[s.Body, e.Expr | None]:
    """If the value is set once, by the last statement: the body without it, and the value."""
    last = body[-1] if body else None
    if isinstance(last, s.Assign) and last.target == result:
        elsewhere = variables(body[:-1]) | variables(last.value)
        if result.name not in elsewhere:
            return body[:-1], last.value
    return body, None


def inline(body: s.Body, functions: Mapping[str, Function], taken: set[str]) -> s.Body:
    """`body` with all calls of `functions` inlined; raises TooDeep for recursion."""
    return Inliner(functions, taken).body(body) if functions else body
