"""Results of collective instructions that are used once, at once: written where they are used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import walk

_FOLDED = ("warp.shfl", "warp.any", "warp.all", "warp.reduce_", "block.")


def occurrences(body: s.Body) -> Counter[str]:
    """How often each variable is named in a body, its declaration among them."""
    return Counter(n.name for n in walk(body) if isinstance(n, e.Var))


def foldable(body: s.Body, k: int, counts: Counter[str]) -> s.Instr | None:
    """The instruction at `k + 1` whose result only the statement at `k + 2` uses, or None.

    At `k` stands the declaration of the result. The use is evaluated once, whatever is decided.
    """
    if k + 2 >= len(body):
        return None
    decl, made, user = body[k : k + 3]
    if not isinstance(decl, s.Decl) or decl.init is not None or not isinstance(made, s.Instr):
        return None
    if made.outs != (decl.var,) or not made.name.startswith(_FOLDED):
        return None
    name = decl.var.name
    if counts[name] != 3 or any(name == n.name for i in made.ins for n in _vars(i)):
        return None
    used = [n for value in _values(user) for n in _certain(value) if n == decl.var]
    return made if len(used) == 1 else None


def _vars(n: e.Expr) -> Iterator[e.Var]:
    return (x for x in walk(n) if isinstance(x, e.Var))


def _values(st: s.Stmt) -> tuple[e.Expr, ...]:
    """What a statement evaluates exactly once and first."""
    if isinstance(st, s.Assign):
        return (st.value,)
    if isinstance(st, s.Decl):
        return () if st.init is None else (st.init,)
    if isinstance(st, s.If):
        return (st.cond,)
    if isinstance(st, s.Return):
        return () if st.value is None else (st.value,)
    return ()


def _certain(n: e.Expr) -> Iterator[e.Expr]:
    """The parts of an expression that are evaluated whatever the others give."""
    yield n
    if isinstance(n, e.Select):
        yield from _certain(n.cond)
    elif isinstance(n, e.Binary):
        yield from _certain(n.a)
        if n.op not in e.LOGICAL:
            yield from _certain(n.b)
    elif isinstance(n, (e.Unary, e.Cast, e.Bits)):
        yield from _certain(n.x)
    elif isinstance(n, e.Call):
        for a in n.args:
            yield from _certain(a)
    elif isinstance(n, e.Aggregate):
        for a in n.items:
            yield from _certain(a)
