"""`while` loops that count become counting loops; pointers that walk along become sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from xpiler.analysis.effects import assigned, escapes, is_memory, names_in, of_expr
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function
from xpiler.ir.rewrite import map_body, map_children, substitute, walk
from xpiler.ir.types import I64, Pointer, Scalar
from xpiler.passes.lowering.simt import words as w
from xpiler.passes.lowering.simt.inline import folded


def counted(f: Function) -> Function:
    """`f` with its `while (i < n)` loops as counting loops wherever that is the same."""
    body = _body(f.body, last=True)
    return f if body is f.body else f.with_body(body)


def _body(body: s.Body, last: bool = False) -> s.Body:
    """Innermost loops first; a loop takes the declaration of its counter along.

    `last`: nothing comes after these statements.
    """
    body = map_body(body, _inside)
    for k, st in enumerate(body):
        if not isinstance(st, s.While):
            continue
        found = _loop(st, body[:k], body[k + 1 :], last)
        if found is not None:
            index, new = found
            before = tuple(x for n, x in enumerate(body[:k]) if n != index)
            return _body((*before, *new, *body[k + 1 :]), last)
    return body


def _inside(st: s.Stmt) -> s.Stmt:
    if not isinstance(st, (s.For, s.While, s.If, s.Scope)):
        return st
    parts = {key: _body(getattr(st, key)) for key in ("body", "then", "orelse") if hasattr(st, key)}
    same = all(getattr(st, key) is value for key, value in parts.items())
    return st if same else replace(st, **parts)  # type: ignore[arg-type]


@dataclass(frozen=True)
class _Counter:
    """A variable that grows by `by` at the end of every iteration."""

    var: e.Var
    by: e.Expr


def _loop(st: s.While, before: s.Body, after: s.Body, last: bool) -> tuple[int, s.Body] | None:
    """The place of the counter's declaration in `before`, and the counting loop.

    Pointers that walked along go their whole way behind it, where somebody may ask for them: code
    that follows, or an outer loop's next turn.
    """
    c = st.cond
    if st.do or not (isinstance(c, e.Binary) and c.op == "<" and isinstance(c.a, e.Var)):
        return None
    split = _tail(st)
    if split is None or escapes(st.body, in_loop=True):
        return None
    body, counters = split
    i = next((x for x in counters if x.var == c.a), None)
    if i is None or not isinstance(i.by, e.Const) or i.by.value < 1 or not _is_int(i.var):
        return None
    index = next(
        (k for k, d in enumerate(before) if isinstance(d, s.Decl) and d.var == i.var), None
    )
    if index is None:
        return None
    decl = before[index]
    assert isinstance(decl, s.Decl)
    inner = assigned(body) | {x.var.name for x in counters}
    if decl.init is None or not _steady(c.b, inner) or not _steady(decl.init, inner):
        return None
    if names_in(decl.init) & assigned(before[index + 1 :]):
        return None
    if i.var.name in names_in(after) | names_in(before[index + 1 :]) | assigned(body):
        return None
    mapping = _walkers(counters, i, decl.init, body)
    if mapping is None:
        return None
    new = folded(substitute(body, mapping))
    loop = s.For(i.var, decl.init, c.b, i.by, new, loc=st.loc, comments=st.comments)
    own = {x.var.name for x in before if isinstance(x, s.Decl)}
    done = {x.var.name for x in counters if last or x.var.name in own} - names_in(after)
    left = [x for x in counters if x is not i and x.var.name not in done]
    return index, (loop, *(_whole_way(x, decl.init, c.b) for x in left))


def _is_int(v: e.Var) -> bool:
    return isinstance(v.type, Scalar) and v.type.is_integer


def _tail(st: s.While) -> tuple[s.Body, list[_Counter]] | None:
    """The body without the steps at its end, and those steps."""
    body, steps = st.body, list(st.step)
    continues = any(isinstance(n, s.Continue) for n in walk(st.body))
    while not continues and body and _counter(body[-1]) is not None:
        steps.insert(0, body[-1])
        body = body[:-1]
    found = [_counter(x) for x in steps]
    if not found or None in found:
        return None
    counters = [x for x in found if x is not None]
    names = [x.var.name for x in counters]
    if len(set(names)) != len(names) or set(names) & assigned(body):
        return None
    return body, counters


def _counter(st: s.Stmt) -> _Counter | None:
    if not isinstance(st, s.Assign) or st.op != "+" or not isinstance(st.target, e.Var):
        return None
    counts = isinstance(st.target.type, Pointer) or _is_int(st.target)
    return _Counter(st.target, st.value) if counts else None


def _steady(x: e.Expr, changing: frozenset[str] | set[str]) -> bool:
    memory = any(isinstance(n, e.Index) and is_memory(n) for n in walk(x))
    return not memory and not of_expr(x).other and not names_in(x) & changing


def _walkers(
    counters: list[_Counter], i: _Counter, start: e.Expr, body: s.Body
) -> Mapping[str, e.Expr] | None:
    """What stands for the pointers that walk along with `i`; None where one does something else."""
    changing = assigned(body) | {x.var.name for x in counters}
    out: dict[str, e.Expr] = {}
    for x in counters:
        if x is i:
            continue
        walks = isinstance(x.var.type, Pointer) and w.is_const(i.by, 1)
        if not walks or not _steady(x.by, changing):
            return None
        turns = w.cast(w.binary("-", i.var, start), I64)  # as far as a pointer may walk
        way = w.binary("*", turns, w.cast(x.by, I64))
        out[x.var.name] = e.Binary("+", x.var, way, x.var.type)
    return out


def _whole_way(x: _Counter, start: e.Expr, end: e.Expr) -> s.Stmt:
    """The steps of a pointer in all turns at once."""
    turns = w.cast(w.binary("-", w.cast(end, I64), w.cast(start, I64)), I64)
    any_ = e.compare("<", start, end)
    turns = e.Select(any_, turns, w.const(0, I64), I64)
    return s.Assign(x.var, w.binary("*", turns, w.cast(x.by, I64)), "+")


__all__ = ["counted", "map_children"]
