"""Loops: `for`, `while`, `do`; a counting loop becomes `For`, any other a `While`.

A loop is first read as `while` with its step; `counting` then says whether it keeps the rule of
`For`. Loops whose condition needs statements become `while (true)` with a `break`.
"""

from __future__ import annotations

import re
from dataclasses import replace

from xpiler.frontend.convert import const, convert, negate
from xpiler.frontend.counting import counting
from xpiler.frontend.cursor import Node
from xpiler.frontend.operators import effect
from xpiler.frontend.reader import FunctionReader, statement
from xpiler.frontend.types import is_reference
from xpiler.ir.expr import Aggregate, Const, Expr, Index, Var
from xpiler.ir.rewrite import walk
from xpiler.ir.stmt import Assign, Body, Break, Decl, For, If, Scope, Stmt, While
from xpiler.ir.types import BOOL, I32, U64, Array, Scalar, element

_UNROLL = re.compile(r"#?\s*pragma\s+(?:GCC\s+)?unroll\s*\(?\s*([^)\n]*)")
_SHARED_OUT = re.compile(
    r"#[ \t]*pragma[ \t]+omp[ \t]+((?:[^\n\\]|\\\r?\n)*)\s*(?:#[ \t]*endif[^\n]*\s*)?\Z"
)
TRUE = Const(True, BOOL)


def with_unroll(r: FunctionReader, n: Node, text: str) -> None:
    """A loop under `#pragma unroll`."""
    mark = len(r.out)
    r.statement(n)
    factor = unroll_factor(r, text)
    for i in range(mark, len(r.out)):
        r.out[i] = _unrolled(r.out[i], factor)


def unroll_factor(r: FunctionReader, text: str) -> int:
    """The factor that the pragma asks for; -1 for whole, 0 for none."""
    if "nounroll" in text:
        return 1
    match = _UNROLL.search(text) or re.search(r"unroll\s*\(?\s*(\w*)", text)
    if not match:
        return 0
    words = match[1].split("\n")[0].strip()
    value = r.unit.source.macros.evaluate(words) if words else None
    return int(value) if value is not None and value > 0 else -1


def _unrolled(st: Stmt, factor: int) -> Stmt:
    if isinstance(st, (For, While)):
        return replace(st, unroll=factor)
    if isinstance(st, Scope):
        return replace(st, body=tuple(_unrolled(x, factor) for x in st.body))
    return st


def claimed_loops(before: str) -> int:
    """How many nested loops an OpenMP pragma at the end of `before` shares out among threads."""
    match = _SHARED_OUT.search(before)
    words = match[1] if match else ""
    if not re.search(r"\b(for|distribute|taskloop)\b", words) or "ordered" in words:
        return 0
    collapsed = re.search(r"\bcollapse\s*\(\s*(\d+)", words)
    return int(collapsed[1]) if collapsed else 1


def _claimed(st: Stmt, depth: int) -> Stmt:
    if isinstance(st, For):
        inner = st.body
        if depth > 1 and len(inner) == 1:
            inner = (_claimed(inner[0], depth - 1),)
        return replace(st, body=inner, claimed=True)
    if isinstance(st, Scope):
        return replace(st, body=tuple(_claimed(x, depth) for x in st.body))
    return st


@statement("WHILE_STMT")
def _while(r: FunctionReader, n: Node) -> None:
    if n.kids[0].kind == "DECL_STMT":
        r.fail("XP0201", "a declaration in the condition of `while` is not understood")
    emit_loop(r, n.kids[0], n.kids[1], None, ())


@statement("DO_STMT")
def _do(r: FunctionReader, n: Node) -> None:
    body_node, cond_node = n.kids
    body = loop_body(r, body_node)
    with r.capture() as effects:
        cond = r.condition(cond_node)
    if isinstance(cond, Const) and not cond.value and not effects and not jumps(body):
        r.out.extend(body)
        return
    if not effects:
        r.emit(While(cond, body, do=True))
        return
    again = r.temp(None, BOOL, "again")
    r.emit(While(again, body, (*effects, Assign(again, cond)), do=True))


def jumps(body: Body) -> bool:
    """Whether a `break` or `continue` in `body` belongs to the loop around it."""
    from xpiler.ir.stmt import Continue, Switch

    for st in body:
        if isinstance(st, (Break, Continue)):
            return True
        if isinstance(st, If) and (jumps(st.then) or jumps(st.orelse)):
            return True
        if isinstance(st, Scope) and jumps(st.body):
            return True
        if isinstance(st, Switch) and any(_continues(c.body) for c in st.cases):
            return True
    return False


def _continues(body: Body) -> bool:
    from xpiler.ir.stmt import Continue

    return any(
        isinstance(st, Continue)
        or (isinstance(st, If) and (_continues(st.then) or _continues(st.orelse)))
        or (isinstance(st, Scope) and _continues(st.body))
        for st in body
    )


def _of_elements(r: FunctionReader, st: Stmt) -> Stmt:
    """A loop over elements, where cores work in memories of their own, as a vector's loop."""
    if not isinstance(st, For) or r.unit.words.launch != "tasks" or r.role == "host":
        return st
    nested = any(isinstance(n, (For, While)) for n in walk(st.body))
    return st if nested else replace(st, kind="vectorised")


@statement("FOR_STMT")
def _for(r: FunctionReader, n: Node) -> None:
    init, cond, step, body = for_parts(r, n)
    with r.capture() as inner:
        above, r.above = r.above, ()
        if init is not None:
            r.statement(init) if init.kind == "DECL_STMT" else effect(r, init)
        before = tuple(inner)
        emit_loop(r, cond, body, step, before)
        r.above = above
    declares = any(isinstance(st, Decl) for st in before)
    whole = _as_for(r, before, inner)
    depth = claimed_loops(_above(r, n)) if whole is not None else 0
    if whole is not None and depth:
        whole = [_claimed(st, depth) for st in whole]
    if whole is not None:
        for st in whole:
            r.emit(_of_elements(r, st))
    elif declares:
        r.emit(Scope(tuple(inner)))
    else:
        for st in inner:
            r.emit(st)


def _above(r: FunctionReader, n: Node) -> str:
    """The text right above a statement of this file."""
    source = r.unit.source
    return source.slice(max(0, n.start - 400), n.start) if n.file == source.path else ""


def _as_for(r: FunctionReader, before: Body, inner: list[Stmt]) -> list[Stmt] | None:
    """The counting loop that `before` and the loop after it make, with what else stood before."""
    if len(inner) != len(before) + 1 or not before:
        return None
    loop, decl = inner[-1], before[-1]
    if not isinstance(loop, While) or not isinstance(decl, Decl):
        return None
    if any(isinstance(st, Decl) and st.var.name not in r.temps for st in before[:-1]):
        return None
    found = counting(decl, loop, r.memory)
    return [*before[:-1], found] if found is not None else None


def for_parts(r: FunctionReader, n: Node) -> tuple[Node | None, Node | None, Node | None, Node]:
    """Initialisation, condition, step and body; which of the three stand there, the text tells."""
    *parts, body = n.kids
    if len(parts) == 3:
        return parts[0], parts[1], parts[2], body
    first, second = _semicolons(r, n, body)
    slots: list[Node | None] = [None, None, None]
    for p in parts:
        at = p.start
        slots[
            0 if (at <= first and p.kind == "DECL_STMT") or at < first else 1 if at <= second else 2
        ] = p
    return slots[0], slots[1], slots[2], body


def _semicolons(r: FunctionReader, n: Node, body: Node) -> tuple[int, int]:
    tokens = list(n.c.get_tokens())
    depth, found = 0, []
    for t in tokens:
        depth += t.spelling in ("(", "[", "{")
        depth -= t.spelling in (")", "]", "}")
        if t.spelling == ";" and depth == 1:
            found.append(int(t.extent.start.offset))
        if len(found) == 2:
            return found[0], found[1]
    r.fail("XP0201", "the parts of this `for` could not be told apart")


def emit_loop(
    r: FunctionReader, cond: Node | None, body: Node, step: Node | None, before: Body
) -> None:
    """Emits the loop as `While`."""
    guard: Expr = TRUE
    effects: list[Stmt] = []
    if cond is not None:
        with r.capture() as effects:
            guard = r.condition(cond)
    inside = loop_body(r, body)
    with r.capture() as after:
        if step is not None:
            effect(r, step)
    if effects:
        inside = (*effects, If(negate(guard), (Break(),)), *inside)
        guard = TRUE
    r.emit(While(guard, inside, tuple(after)))


def loop_body(r: FunctionReader, n: Node) -> Body:
    r.frame.depth += 1
    try:
        return r.body(n)
    finally:
        r.frame.depth -= 1


@statement("CXX_FOR_RANGE_STMT")
def _for_each(r: FunctionReader, n: Node) -> None:
    """`for (T x : items)` over an array, or over a host object that owns memory."""
    variable, items, body = n.kids[0], n.kids[-2], n.kids[-1]
    values = r.expr(items)
    if isinstance(values, Aggregate) and len(values.items) == 2:
        base, count = values.items
        index_type: Scalar = U64
    elif isinstance(values.type, Array) and values.type.size is not None:
        base, count, index_type = values, const(values.type.size, I32), I32
    else:
        r.fail("XP0201", "a loop over these items is not understood")
    index = Var(r.fresh("i"), index_type)
    place = Index(base, index, element(base.type))
    above, r.above = r.above, ()
    with r.capture() as inside:
        if is_reference(variable.type):
            r.bind(variable, place)
        else:
            var = r.declare(variable, r.unit.types(variable.type))
            r.emit(Decl(var, convert(place, var.type)))
        inside.extend(loop_body(r, body))
    r.above = above
    zero, one = const(0, index_type), const(1, index_type)
    r.emit(For(index, zero, convert(count, index_type), one, tuple(inside)))
