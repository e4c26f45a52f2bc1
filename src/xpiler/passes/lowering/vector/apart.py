"""What keeps a loop out of lanes, taken apart: calls with effects, short vectors, own structs."""

from __future__ import annotations

from collections.abc import Collection

from xpiler.analysis.effects import names_in
from xpiler.analysis.ranges import is_int
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import rewrite_exprs, rewrite_stmts, substitute, walk
from xpiler.ir.types import Scalar, Struct, Vector
from xpiler.passes.lowering.simt.inline import Inliner, callees_first
from xpiler.passes.lowering.tasks.fields import in_fields
from xpiler.passes.lowering.tasks.short_vectors import in_lanes


def taken_apart(f: Function, program: Program, kept: Collection[str]) -> Function:
    """`f` with its innermost loops in plain statements on numbers.

    Calls that they make are replaced by what they do (those of `kept` are not), and what loops use
    of short vectors and structs of the function's own by variables for the parts. `f` itself where
    there is nothing of the kind.
    """
    kept = {g.name for g in program.functions if g.name in kept and not _hands_on(g)}
    known = straight_functions(program, kept)
    taken = {p.name for p in f.params} | set(names_in(f.body))
    body = _opened(f.body, Inliner(known, frozenset(kept), taken))
    body = _put_together(body, program)
    body = in_lanes(body, f.params, taken)
    body = in_fields(body, program.structs, taken, only=_used_in_loops(body))
    return f if body == f.body else f.with_body(body)


def _hands_on(g: Function) -> bool:
    """Whether a function is given, or gives back, a struct or a short vector."""
    return any(isinstance(t, (Struct, Vector)) for t in (g.ret, *(p.type for p in g.params)))


def given(f: Function, program: Program) -> dict[e.Var, e.Const]:
    """Whole numbers that every call of `f`, which nobody outside calls, gives as a parameter."""
    if not f.static:
        return {}
    calls = [
        n for g in program.functions for n in walk(g.body)
        if isinstance(n, e.Call) and n.func == f.name
    ]  # fmt: skip
    found: dict[e.Var, e.Const] = {}
    for k, p in enumerate(f.params):
        args = {n.args[k] for n in calls if k < len(n.args)}
        x = args.pop() if len(args) == 1 else None
        if isinstance(x, e.Const) and is_int(p.type) and p.type == x.type:
            found[p] = x
    return found


def straight_functions(program: Program, kept: Collection[str]) -> dict[str, Function]:
    """Functions without loops, with the calls of such functions that they make replaced."""
    done: dict[str, Function] = {}
    for g in callees_first(program):
        rolls = any(isinstance(n, (s.For, s.While, s.Instr)) for n in walk(g.body))
        if g.name not in kept and not rolls:
            taken = {p.name for p in g.params} | set(names_in(g.body))
            done[g.name] = g.with_body(Inliner(done, frozenset(kept), taken).body(g.body, True))
    return done


def _opened(body: s.Body, work: Inliner) -> s.Body:
    """`body` with the calls in its innermost loops replaced."""

    def one(st: s.Stmt) -> s.Stmt:
        if not isinstance(st, (s.For, s.While)):
            return st
        if any(isinstance(n, (s.For, s.While)) for n in walk(st.body)):
            return st
        return work.inner(st, True)

    done: s.Body = rewrite_stmts(body, one)
    return done


def _put_together(body: s.Body, program: Program) -> s.Body:
    """`body` with `{x, y}` for calls of functions that only make a struct or vector of that."""
    makers = {f.name: f for f in program.functions if _made(f) is not None}

    def one(x: e.Expr) -> e.Expr:
        f = makers.get(x.func) if isinstance(x, e.Call) else None
        if f is None or not isinstance(x, e.Call) or len(x.args) != len(f.params):
            return x
        value = _made(f)
        given = {p.name: a for p, a in zip(f.params, x.args, strict=True)}
        out: e.Expr = substitute(value, given)
        return out

    if not makers:
        return body
    done: s.Body = rewrite_exprs(body, one)
    return done


def _made(f: Function) -> e.Aggregate | None:
    """`{a, b}` of `return {a, b};`, where each parameter occurs once at most."""
    st = f.body[0] if len(f.body) == 1 else None
    if not isinstance(st, s.Return) or not isinstance(st.value, e.Aggregate):
        return None
    if not isinstance(st.value.type, (Struct, Vector)):
        return None
    if not all(isinstance(p.type, Scalar) for p in f.params):
        return None
    names = [n.name for n in walk(st.value) if isinstance(n, e.Var)]
    return st.value if len(names) == len(set(names)) else None


def _used_in_loops(body: s.Body) -> frozenset[str]:
    loops = (n for n in walk(body) if isinstance(n, (s.For, s.While)))
    return frozenset(name for loop in loops for name in names_in(loop.body))
