"""Calls of the program's own functions inside loops, replaced by what they do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from typing import TypeVar, cast

from xpiler.analysis.effects import assigned, names_in
from xpiler.analysis.walker import always_leaves
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.intrinsics import math_functions
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import fresh_name, map_body, map_children, rewrite_exprs, substitute, walk
from xpiler.ir.types import I64, VOID, Array, Pointer
from xpiler.passes.lowering.simt import words as w
from xpiler.passes.lowering.simt.flat import array_of_rows, in_rows

T = TypeVar("T")

LARGEST = 600
"""Nodes of a function that is still inlined."""


def inlined(program: Program, readers: frozenset[str]) -> Program:
    """`program` with functions that write memory inlined where loops call them.

    Functions that only compute stay calls; what can only be called stays a call, too.
    """
    done: dict[str, Function] = {}
    for f in callees_first(program):
        taken = {p.name for p in f.params} | set(names_in(f.body))
        body = Inliner(done, readers, taken).body(f.body)
        done[f.name] = f if body is f.body else f.with_body(body)
    return program.with_functions(tuple(done[f.name] for f in program.functions))


def calls_in(node: s.Body | e.Expr | s.Stmt) -> set[str]:
    """Names of the functions, not of mathematics, that are called."""
    known = math_functions()
    return {n.func for n in walk(node) if isinstance(n, e.Call) and n.func not in known}


def reached(program: Program, bodies: Iterable[s.Body]) -> set[str]:
    """Names of the program's functions that `bodies` call, directly or not."""
    own = {f.name: f for f in program.functions}
    todo = [n for b in bodies for n in calls_in(b)]
    out: set[str] = set()
    while todo:
        name = todo.pop()
        if name in own and name not in out:
            out.add(name)
            todo += calls_in(own[name].body)
    return out


def callees_first(program: Program) -> list[Function]:
    """The functions in an order in which each comes after those that it calls."""
    own = {f.name: f for f in program.functions}
    graph = {f.name: calls_in(f.body) & set(own) - {f.name} for f in program.functions}
    try:
        return [own[n] for n in TopologicalSorter(graph).static_order()]
    except CycleError:
        return list(program.functions)


@dataclass
class Inliner:
    """Replaces calls of functions of `done`; `readers` only compute, `taken` are names in use."""

    done: Mapping[str, Function]
    readers: frozenset[str]
    taken: set[str]

    def body(self, body: s.Body, in_loop: bool = False) -> s.Body:
        """`body` without the calls; outside of loops only small functions are inlined."""
        return map_body(body, lambda st: self._stmt(st, in_loop))

    def _stmt(self, st: s.Stmt, in_loop: bool) -> s.Stmt | s.Body:
        loop = in_loop or isinstance(st, (s.For, s.While))
        if loop or isinstance(st, (s.If, s.Scope, s.Switch)):
            st = self.inner(st, loop)
        if isinstance(st, s.Decl) and isinstance(st.init, e.Call):
            value = self._made(st.init)
            if value is not None:
                return replace(st, init=value)
        call = _called(st)
        if call is None:
            return st
        g = self.done.get(call.func)
        if g is None or not _fits(g) or (g.name in self.readers and not isinstance(st, s.Eval)):
            return st
        if not in_loop and not _small(g, call):
            return st
        return self._expanded(g, call, st)

    def inner(self, st: s.Stmt, loop: bool) -> s.Stmt:
        """`st` with the calls in the statements that it holds replaced."""

        def one(c: object) -> object:
            if isinstance(c, s.Case):
                return replace(c, body=self.body(c.body, loop))
            return self._stmt(c, loop) if isinstance(c, s.Stmt) else c

        return map_children(st, one)

    def _made(self, call: e.Call) -> e.Expr | None:
        """The value of a function that only puts its arguments together."""
        g = self.done.get(call.func)
        if g is None or len(g.body) != 1 or not isinstance(g.body[0], s.Return):
            return None
        value = g.body[0].value
        if not isinstance(value, e.Aggregate) or len(g.params) != len(call.args):
            return None
        mapping = {p.name: a for p, a in zip(g.params, call.args, strict=True)}
        out: e.Expr = substitute(value, mapping)
        return out

    def _expanded(self, g: Function, call: e.Call, st: s.Stmt) -> s.Stmt | s.Body:
        if g.ret != VOID and not (g.body and isinstance(g.body[-1], s.Return)):
            return st
        result = None if g.ret == VOID or isinstance(st, s.Eval) else self._result(g)
        plain = structured(g.body, result)
        if plain is None:
            return st
        bound = self._bound(g, call, st, assigned(plain))
        own = {n.var.name: n.var for n in walk(plain) if isinstance(n, (s.Decl, s.For))}
        self.taken |= set(own)  # so that no new name is an old one, too
        new = {n: e.Var(fresh_name(n, self.taken), v.type) for n, v in own.items()}
        out = folded(renamed(plain, new, {**bound.mapping, **new}))
        for name, rows in bound.arrays.items():
            out = in_rows(out, name, rows)
        return (*bound.front, *self._with_value(st, out, result))

    def _result(self, g: Function) -> e.Var:
        """What takes the values that a function returns."""
        taken = self.taken | names_in(g.body) | {p.name for p in g.params}
        name = fresh_name(f"{g.name}_result", taken)
        self.taken.add(name)
        return e.Var(name, g.ret)

    def _with_value(self, st: s.Stmt, body: s.Body, result: e.Var | None) -> s.Body:
        """`body`, which is done first, and `st` with what it leaves in `result`."""
        if result is None:
            return body
        assert isinstance(st, (s.Decl, s.Assign))
        last = body[-1]
        once = not any(isinstance(n, s.Assign) and n.target == result for n in walk(body[:-1]))
        if once and isinstance(last, s.Assign) and last.target == result:
            value = last.value
            whole = replace(st, init=value) if isinstance(st, s.Decl) else replace(st, value=value)
            return (*body[:-1], whole)
        if isinstance(st, s.Decl) and st.var.type == result.type:
            first = s.Decl(st.var, loc=st.loc)
            return (first, *substitute(body, {result.name: st.var}))
        whole = replace(st, init=result) if isinstance(st, s.Decl) else replace(st, value=result)
        return (s.Decl(result, loc=st.loc), *body, whole)

    def _bound(self, g: Function, call: e.Call, st: s.Stmt, changed: Set[str]) -> _Bound:
        """What stands for the parameters; arguments with effects or that change are kept first."""
        bound = _Bound([], {}, {})
        lent = _lent(call)
        for p, a in zip(g.params, call.args, strict=True):
            rows = array_of_rows(a)
            if p.name not in changed and rows is not None:
                flat = e.Var(fresh_name(p.name, self.taken), p.type)
                bound.mapping[p.name], bound.arrays[flat.name] = flat, rows
                continue
            steady = isinstance(a, e.AddressOf) or not names_in(a) & lent
            if p.name not in changed and steady and (isinstance(p.type, Pointer) or _simple(a)):
                bound.mapping[p.name] = a
                continue
            v = e.Var(fresh_name(p.name, self.taken), p.type)
            init = a if isinstance(p.type, Pointer) else w.cast(a, p.type)
            bound.front.append(s.Decl(v, init, const=p.name not in changed, loc=st.loc))
            bound.mapping[p.name] = v
        return bound


@dataclass(frozen=True)
class _Bound:
    """What goes before an inlined body, what replaces its parameters, and which are arrays."""

    front: list[s.Stmt]
    mapping: dict[str, e.Expr]
    arrays: dict[str, e.Expr]


def _called(st: s.Stmt) -> e.Call | None:
    x = st.call if isinstance(st, s.Eval) else None
    if isinstance(st, s.Decl):
        x = st.init
    elif isinstance(st, s.Assign):
        x = st.value
    return x if isinstance(x, e.Call) else None


def _fits(g: Function) -> bool:
    for size, n in enumerate(walk(g.body)):
        if isinstance(n, (s.Launch, s.Barrier, s.LeftOut)) or size > LARGEST:
            return False
        if isinstance(n, s.Instr) and n.name.startswith("host.") and not _of_own_memory(n):
            return False
    return True


def _of_own_memory(st: s.Instr) -> bool:
    """What C functions do with memory: allocate it for themselves, copy and fill it."""
    known = ("host.alloc", "host.free", "host.copy", "host.set")
    return st.name in known and dict(st.attrs).get("kind", "") in ("h2h", "host")


def _small(g: Function, call: e.Call) -> bool:
    """Whether it works on single elements or variables: no loops, or handed the address of one."""
    if any(isinstance(a, e.AddressOf) and isinstance(a.x, e.Var) for a in call.args):
        return True
    return not any(isinstance(n, (s.For, s.While)) for n in walk(g.body))


def _lent(call: e.Call) -> set[str]:
    """The variables whose addresses the call is given: it may change them."""
    places = (n.x for a in call.args for n in walk(a) if isinstance(n, e.AddressOf))
    return {x.name for x in places if isinstance(x, e.Var)}


def _simple(a: e.Expr) -> bool:
    return isinstance(a, (e.Var, e.Const))


def structured(body: s.Body, result: e.Var | None = None) -> s.Body | None:
    """`body` without returns: what follows one stands in the other branch.

    What they return is put into `result`; without one it is nothing or not used.
    """
    for k, st in enumerate(body):
        if isinstance(st, s.Return):
            if result is None or st.value is None:
                return body[:k]
            return (*body[:k], s.Assign(result, st.value, loc=st.loc))
        if not any(isinstance(n, s.Return) for n in walk(st)):
            continue
        if not isinstance(st, s.If):
            return None
        rest = body[k + 1 :]
        if always_leaves(st.then):
            then, orelse = structured(st.then, result), structured((*st.orelse, *rest), result)
        elif always_leaves(st.orelse):
            then, orelse = structured((*st.then, *rest), result), structured(st.orelse, result)
        else:
            return None
        if then is None or orelse is None:
            return None
        if not then:
            cond = e.Unary("!", st.cond, st.cond.type)
            return (*body[:k], replace(st, cond=cond, then=orelse, orelse=()))
        return (*body[:k], replace(st, then=then, orelse=orelse))
    return body


def renamed(body: s.Body, own: Mapping[str, e.Var], mapping: Mapping[str, e.Expr]) -> s.Body:
    """`body` with its own variables called otherwise and others replaced."""
    from xpiler.ir.rewrite import rewrite_stmts

    def one(st: s.Stmt) -> s.Stmt:
        if isinstance(st, (s.Decl, s.For)) and st.var.name in own:
            return replace(st, var=own[st.var.name])
        return st

    out: s.Body = substitute(rewrite_stmts(body, one), mapping)
    return out


def folded(node: T) -> T:
    """Elements of addresses and of moved pointers as elements of the arrays themselves."""
    return cast(T, rewrite_exprs(node, _fold))


def _fold(x: e.Expr) -> e.Expr:
    if not isinstance(x, e.Index):
        return x
    base = x.base
    if isinstance(base, e.AddressOf) and w.is_const(x.index, 0):
        return base.x
    if isinstance(base, e.AddressOf) and isinstance(base.x, e.Index):
        inner = base.x
        if isinstance(inner.base.type, (Pointer, Array)):
            return e.Index(inner.base, _sum(inner.index, x.index), x.type)
    if isinstance(base, e.Binary) and base.op == "+" and isinstance(base.a.type, (Pointer, Array)):
        return _fold(e.Index(base.a, _sum(base.b, x.index), x.type))
    return x


def _sum(a: e.Expr, b: e.Expr) -> e.Expr:
    if w.is_const(b, 0):
        return a
    if a.type != b.type:
        a, b = w.cast(a, I64), w.cast(b, I64)
    return w.binary("+", a, b)
