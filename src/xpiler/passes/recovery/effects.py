"""Instructions without a parallel meaning left: atomics, asynchronous copies, fences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Program
from xpiler.ir.rewrite import fresh_name, variables, walk
from xpiler.ir.types import BOOL, U8, U64, Pointer, Scalar, Type
from xpiler.passes.recovery import nodes as n

VANISHING = frozenset(("fence", "async.commit", "async.wait"))
ORDERED = frozenset(("print",))
ARITHMETIC: dict[str, e.BinaryOp] = {
    "add": "+", "sub": "-", "and": "&", "or": "|", "xor": "^",
}  # fmt: skip


def ordered_functions(program: Program) -> set[str]:
    """Functions whose calls do not commute: they hold, or call what holds, atomics or prints."""
    found: set[str] = set()
    while True:
        new = {f.name for f in program.functions if _is_ordered(f.body, found)}
        if new <= found:
            return found
        found |= new


def _is_ordered(body: s.Body, functions: set[str]) -> bool:
    for st in n.statements(body):
        if isinstance(st, s.Instr) and (st.name.startswith("atomic.") or st.name in ORDERED):
            return True
        calls = (c for x in n.heads(st) for c in walk(x) if isinstance(c, e.Call))
        if any(c.func in functions for c in calls):
            return True
    return False


def commutes(body: s.Body, functions: set[str]) -> bool:
    """Whether iterations over `body` may run in any order, if the source has no race."""
    accumulates = any(isinstance(st, n.Accumulate) for st in n.statements(body))
    return not accumulates and not _is_ordered(body, functions)


def sequential(body: s.Body, taken: set[str]) -> s.Body:
    """`body` with atomics as read-modify-write and asynchronous copies done at their issue.

    Copying at once is one of the orders that the source allows: what is read before the wait
    may not depend on the copy, and its source may not change meanwhile.
    """

    def one(st: s.Stmt) -> s.Stmt | s.Body:
        if not isinstance(st, s.Instr):
            return st
        if st.name in VANISHING:
            return ()
        if st.name.startswith("atomic."):
            return _atomic(st, taken)
        return _copy(st, taken) if st.name == "async.copy" else st

    return n.edit(body, one)


def deref(pointer: e.Expr) -> e.Expr:
    """The place that `pointer` points at."""
    if isinstance(pointer, e.AddressOf):
        return pointer.x
    assert isinstance(pointer.type, Pointer)
    return e.Index(pointer, n.const(0), pointer.type.elem)


def _atomic(st: s.Instr, taken: set[str]) -> s.Body:
    op = st.name.split(".", 1)[1].split("_")[0]
    place = deref(st.ins[0])
    note = {"loc": st.loc, "comments": st.comments}
    if not st.outs and op in ARITHMETIC and st.ins[1].type == place.type:
        return (s.Assign(place, st.ins[1], ARITHMETIC[op], **note),)  # type: ignore[arg-type]
    old: e.Expr = place
    out: list[s.Stmt] = []
    if st.outs:
        kept = st.outs[0]
        mentioned = variables(st.ins[0]) | {v for x in st.ins[1:] for v in variables(x)}
        simple = isinstance(kept, e.Var) and kept.name not in mentioned
        old = kept if simple else e.Var(fresh_name("old", taken), place.type)
        out.append(s.Assign(kept, place) if simple else s.Decl(old, place))  # type: ignore[arg-type]
    new = updated(op, old, st.ins[1:])
    out.append(s.Assign(place, new))
    if st.outs and old is not st.outs[0]:
        out.append(s.Assign(st.outs[0], old))
    out[0] = replace(out[0], loc=st.loc, comments=st.comments)
    return tuple(out)


def updated(op: str, old: e.Expr, operands: tuple[e.Expr, ...]) -> e.Expr:
    """What an atomic operation leaves in memory (CUDA C++ Programming Guide, atomic functions)."""
    t, v = old.type, operands[0]
    if op in ARITHMETIC:
        return e.Binary(ARITHMETIC[op], old, v, t)
    if op == "exch":
        return v
    if op in ("min", "max"):
        return _extreme(op, old, v, t)
    if op == "cas":
        return e.Select(e.Binary("==", old, v, BOOL), operands[1], old, t)
    one, zero = e.Const(1, t), e.Const(0, t)
    above = e.Binary(">=" if op == "inc" else ">", old, v, BOOL)
    if op == "inc":
        return e.Select(above, zero, e.Binary("+", old, one, t), t)
    if op == "dec":
        wraps = e.Binary("||", e.Binary("==", old, zero, BOOL), above, BOOL)
        return e.Select(wraps, v, e.Binary("-", old, one, t), t)
    raise KeyError(op)


def _extreme(op: str, a: e.Expr, b: e.Expr, t: Type) -> e.Expr:
    return e.Call(op, (a, b), t)


def _copy(st: s.Instr, taken: set[str]) -> s.Body:
    """A copy of `bytes` through pointers; element by element where both point at one type."""
    target, source = _typed(st.ins[0], st.ins[1])
    size = st.ins[2]
    t, u = target.type, source.type
    assert isinstance(t, Pointer)
    width = t.elem.bits // 8 if isinstance(t.elem, Scalar) else 0
    same = isinstance(u, Pointer) and u.elem == t.elem and width > 0
    count = int(size.value) if isinstance(size, e.Const) else 0
    if not same or not count or count % width:
        return (_bytes(st),)
    if count == width:
        return (s.Assign(deref(target), deref(source), loc=st.loc, comments=st.comments),)
    i = e.Var(fresh_name("i", taken), size.type)
    place = e.Index(target, i, t.elem)
    body = (s.Assign(place, e.Index(source, i, t.elem)),)
    zero, end = e.Const(0, size.type), e.Const(count // width, size.type)
    return (s.For(i, zero, end, e.Const(1, size.type), body, loc=st.loc, comments=st.comments),)


def _typed(target: e.Expr, source: e.Expr) -> tuple[e.Expr, e.Expr]:
    """The two pointers before both were made pointers to bytes, where they had one type then."""
    pair = (target, source)
    if not all(isinstance(x, e.Cast) and _width(x.type) == 1 for x in pair):
        return pair
    a, b = (x.x for x in pair)  # type: ignore[attr-defined]
    alike = isinstance(a.type, Pointer) and isinstance(b.type, Pointer) and _width(a.type)
    return (a, b) if alike and a.type.elem == b.type.elem else pair


def _width(t: Type) -> int:
    """Bytes of what a pointer points to; 0 for other types, and where that is no number."""
    return t.elem.bits // 8 if isinstance(t, Pointer) and isinstance(t.elem, Scalar) else 0


def _bytes(st: s.Instr) -> s.Stmt:
    size = st.ins[2] if st.ins[2].type == U64 else e.Cast(st.ins[2], U64)
    return s.Instr(
        "host.copy", (), (st.ins[0], st.ins[1], size), (("kind", "h2h"),), loc=st.loc,
        comments=st.comments,
    )  # fmt: skip


def byte_pointer(x: e.Expr, const: bool = False) -> e.Expr:
    """`x` as a pointer to bytes."""
    return e.Cast(x, Pointer(U8, const))


Rewrite = Callable[[e.Expr], e.Expr]
