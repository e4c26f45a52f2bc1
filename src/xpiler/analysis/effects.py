"""What statements read, write and otherwise do; which variables change; what is still needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeGuard

from xpiler.analysis.memo import by_identity
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.intrinsics import math_functions
from xpiler.ir.program import Function
from xpiler.ir.rewrite import children, walk, walk_exprs
from xpiler.ir.types import I32, I64, U32, U64, Array, Pointer

ANY = "*"  # memory that cannot be named: behind computed pointers, in callees


def root(place: e.Expr) -> str:
    """The variable through which `place` is reached; `ANY` where that is not one variable.

    Behind a pointer that is itself loaded (`table[i][j]` with an array of pointers) lies anything.
    """
    behind = False
    while True:
        if isinstance(place, (e.Index, e.Field)):
            if behind and isinstance(place.type, Pointer):
                return ANY
            behind = isinstance(place, e.Index) and isinstance(place.base.type, Pointer)
            place = place.base
        elif isinstance(place, e.AddressOf):
            behind, place = False, place.x
        elif _is_pointer_cast(place):
            place = place.x
        elif isinstance(place, e.Binary) and isinstance(place.type, Pointer):
            place = place.a if isinstance(place.a.type, (Pointer, Array)) else place.b
        else:
            return place.name if isinstance(place, e.Var) else ANY


def pointee(x: e.Expr) -> str:
    """The variable through which what the pointer (or array) `x` points to is reached, or `ANY`."""
    t = x.type
    return root(e.Index(x, e.Const(0, I32), t.elem)) if isinstance(t, (Pointer, Array)) else root(x)


def _is_pointer_cast(x: e.Expr) -> TypeGuard[e.Cast]:
    return isinstance(x, e.Cast) and isinstance(x.type, Pointer)


def indices(place: e.Expr) -> tuple[e.Expr, ...]:
    """The subscripts from the outermost dimension inwards (fields are passed over)."""
    out: list[e.Expr] = []
    while isinstance(place, (e.Index, e.Field)):
        if isinstance(place, e.Index):
            out.append(place.index)
        place = place.base
    return tuple(reversed(out))


def is_memory(place: e.Expr) -> bool:
    """Whether `place` lies in an array or behind a pointer (not in a scalar, vector or struct)."""
    while isinstance(place, (e.Index, e.Field)):
        if isinstance(place, e.Index) and isinstance(place.base.type, (Pointer, Array)):
            return True
        place = place.base
    return False


@dataclass(frozen=True, slots=True)
class Effects:
    """Names read and written (scalars, or arrays and pointers for what lies behind them).

    `other`: input/output, traps, host calls, unknown callees. `jumps`: leaves by return, break or
    continue that belongs to an enclosing loop.
    """

    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    other: bool = False
    jumps: bool = False

    def __or__(self, o: Effects) -> Effects:
        return Effects(
            self.reads | o.reads, self.writes | o.writes, self.other or o.other,
            self.jumps or o.jumps,
        )  # fmt: skip


NONE = Effects()


@by_identity
def of_expr(x: e.Expr) -> Effects:
    """Effects of evaluating `x`; a call of a user's function may do anything."""
    reads: set[str] = set()
    other = False
    for n in walk_exprs(x):
        if isinstance(n, e.Var):
            reads.add(n.name)
        elif isinstance(n, e.Index) and root(n) == ANY:
            reads.add(ANY)
        elif isinstance(n, e.Call) and n.func not in math_functions():
            other = True
    return Effects(frozenset(reads), frozenset((ANY,)) if other else frozenset(), other)


def of_place(x: e.Expr, also_read: bool) -> Effects:
    """Effects of storing to `x`: its indices (and pointers on the way) are read."""
    name = root(x)
    out = Effects(writes=frozenset((name,)))
    for child in _address_parts(x):
        out |= of_expr(child)
    return out | Effects(reads=frozenset((name,))) if also_read else out


def _address_parts(x: e.Expr) -> Iterator[e.Expr]:
    """What is evaluated to find a place: subscripts, and a pointer that is not just a variable."""
    while isinstance(x, (e.Index, e.Field)):
        if isinstance(x, e.Index):
            yield x.index
            if isinstance(x.base.type, Pointer) and not isinstance(x.base, e.Var):
                yield x.base
                return
        x = x.base
    if not isinstance(x, e.Var):
        yield x


def of_body(body: Iterable[s.Stmt]) -> Effects:
    out = NONE
    for st in body:
        out |= of_stmt(st)
    return out


@by_identity
def of_stmt(st: s.Stmt) -> Effects:
    """Effects of a statement, everything nested included."""
    if isinstance(st, s.Decl):
        out = of_expr(st.init) if st.init is not None else NONE
        return out | Effects(writes=frozenset((st.var.name,)))
    if isinstance(st, s.Assign):
        return of_expr(st.value) | of_place(st.target, also_read=bool(st.op))
    if isinstance(st, (s.Break, s.Continue, s.Return)):
        value = st.value if isinstance(st, s.Return) else None
        return (of_expr(value) if value is not None else NONE) | Effects(jumps=True)
    if isinstance(st, s.Instr):
        return _of_instr(st)
    if isinstance(st, (s.Barrier, s.Launch, s.LeftOut)):
        return Effects(frozenset((ANY,)), frozenset((ANY,)), other=True)
    return _of_compound(st)


def _of_compound(st: s.Stmt) -> Effects:
    out = NONE
    for child in children(st):
        if isinstance(child, e.Expr):
            out |= of_expr(child)
        elif isinstance(child, s.Case):
            out |= of_body(child.body)
        else:
            assert isinstance(child, s.Stmt)
            out |= of_stmt(child)
    if out.jumps and not escapes((st,)):
        out = Effects(out.reads, out.writes, out.other, jumps=False)
    return out


def escapes(node: object, in_loop: bool = False, in_break: bool = False) -> bool:
    """Whether a jump in the statements `node` leaves them (`in_*`: what encloses them)."""
    if isinstance(node, tuple):
        return any(escapes(n, in_loop, in_break) for n in node)
    if isinstance(node, s.Return):
        return True
    if isinstance(node, s.Break):
        return not in_break
    if isinstance(node, s.Continue):
        return not in_loop
    if isinstance(node, e.Expr) or not isinstance(node, (s.Stmt, s.Case)):
        return False
    loop = isinstance(node, (s.For, s.While))
    inner = (in_loop or loop, in_break or loop or isinstance(node, s.Switch))
    return any(escapes(c, *inner) for c in children(node))


def _of_instr(st: s.Instr) -> Effects:
    out = NONE
    for x in st.ins:
        out |= of_expr(x)
        if isinstance(x.type, (Pointer, Array)):
            out |= Effects(frozenset((pointee(x),)), frozenset((pointee(x),)))
    for x in st.outs:
        out |= of_place(x, also_read=False)
    return out | Effects(other=True)


def mutable_names(function: Function) -> frozenset[str]:
    """Variables whose value may change after their declaration (or that start undefined)."""
    return assigned(function.body) | frozenset(
        n.var.name for n in walk(function.body) if isinstance(n, s.Decl) and n.init is None
    )


@by_identity
def assigned(body: s.Body) -> frozenset[str]:
    """Variables that are assigned, written by an instruction, or whose address is taken."""
    out: set[str] = set()
    for n in walk(body):
        if isinstance(n, s.Assign) and not is_memory(n.target):
            out.add(root(n.target))
        elif isinstance(n, s.Instr):
            out |= {root(o) for o in n.outs if not is_memory(o)}
        elif isinstance(n, e.AddressOf) and not is_memory(n.x):
            out.add(root(n.x))
    return frozenset(out)


def unchanging(f: Function) -> set[str]:
    """Parameters, loop variables and initialised locals that have one value while they live."""
    names = {p.name for p in f.params} | loop_vars(f.body)
    names |= {n for n, d in declared(f.body).items() if d.init is not None}
    return names - assigned(f.body)


def stored(body: s.Body) -> frozenset[str]:
    """Roots of everything written in `body`, memory included."""
    return of_body(body).writes


@by_identity
def bounded(body: s.Body) -> dict[str, tuple[int, int]]:
    """Ranges of integers that only take constants >= 0 and are scaled up or down by constants.

    `for (w = 64; w > 0; w >>= 1)`: w is never negative and never above 64. What only grows is
    never below its first value (signed overflow is undefined). Parameters and what is declared
    elsewhere have a value already: nothing is said of those.
    """
    found: dict[str, tuple[int, int]] = {}
    lost = {root(n.x) for n in walk(body) if isinstance(n, e.AddressOf)}
    for n in walk(body):
        if isinstance(n, s.Instr):
            lost |= {root(o) for o in n.outs}
        elif isinstance(n, s.Decl) and n.init is not None:
            _note_value(n.var, n.init, found, lost)
        elif isinstance(n, s.Assign) and isinstance(n.target, e.Var):
            value = e.Binary(n.op, n.target, n.value, n.target.type) if n.op else n.value
            _note_value(n.target, value, found, lost)
    own = declared(body)
    return {n: r for n, r in found.items() if n in own and n not in lost}


def _note_value(v: e.Var, x: e.Expr, found: dict[str, tuple[int, int]], lost: set[str]) -> None:
    span = None
    if isinstance(x, e.Const) and isinstance(x.value, int) and x.value >= 0:
        span = (int(x.value), int(x.value))
    elif isinstance(x, e.Binary) and x.a == v and isinstance(x.b, e.Const):
        if x.op in (">>", "/") and x.b.value >= 1 and v.type in (I32, U32, I64, U64):
            span = (0, 0)
        elif x.op in ("<<", "*", "+") and x.b.value >= (x.op == "*") and v.type == I32:
            span = ((1 << 31) - 1, (1 << 31) - 1)
    if span is None:
        lost.add(v.name)
        return
    old = found.get(v.name, span)
    found[v.name] = (min(old[0], span[0]), max(old[1], span[1]))


@by_identity
def written_once(body: s.Body) -> frozenset[str]:
    """Variables that exactly one instruction writes, and nothing else."""
    counts: dict[str, int] = {}
    for n in walk(body):
        if isinstance(n, s.Instr):
            for out in n.outs:
                counts[root(out)] = counts.get(root(out), 0) + (1 if isinstance(out, e.Var) else 9)
        elif isinstance(n, s.Assign) and not is_memory(n.target):
            counts[root(n.target)] = 9
        elif isinstance(n, e.AddressOf) or (isinstance(n, s.Decl) and n.init is not None):
            name = root(n.x) if isinstance(n, e.AddressOf) else n.var.name
            counts[name] = counts.get(name, 0) + 9
    return frozenset(n for n, k in counts.items() if k == 1)


@by_identity
def unshared(body: s.Body) -> frozenset[str]:
    """Local scalars whose address nobody takes: no callee and no pointer changes them."""
    lent = {root(n.x) for n in walk(body) if isinstance(n, e.AddressOf)}
    loops = {n.var.name for n in walk(body) if isinstance(n, s.For)}
    scalars = {n for n, d in declared(body).items() if not isinstance(d.var.type, Array)}
    return frozenset((scalars | loops) - lent)


@by_identity
def declared(body: s.Body) -> dict[str, s.Decl]:
    """Every declaration in `body`, by name."""
    return {n.var.name: n for n in walk(body) if isinstance(n, s.Decl)}


@by_identity
def own_values(body: s.Body) -> frozenset[str]:
    """Variables of `body` that nobody else sees: not what its own pointers point to."""
    kept = {n for n, d in declared(body).items() if not isinstance(d.var.type, Pointer)}
    return loop_vars(body) | kept


@by_identity
def names_in(node: s.Stmt | e.Expr | s.Body) -> frozenset[str]:
    """Names of all variables that occur in `node`."""
    return frozenset(n.name for n in walk(node) if isinstance(n, e.Var))


@by_identity
def loop_vars(body: s.Body) -> frozenset[str]:
    """Variables of all counting loops in `body`."""
    return frozenset(n.var.name for n in walk(body) if isinstance(n, s.For))


def has_jump(body: s.Body) -> bool:
    """Whether a break, continue or return leaves `body` early."""
    return any(of_stmt(st).jumps for st in body)


@by_identity
def read_names(body: s.Body) -> frozenset[str]:
    """Names whose value somebody reads in `body`; an address taken counts as a read."""
    out: set[str] = set()
    for n in walk(body):
        if isinstance(n, s.Assign):
            out |= _reads_of_assign(n)
        elif isinstance(n, s.Stmt):
            out |= _reads_of_head(n)
    return frozenset(out)


def _reads_of_assign(n: s.Assign) -> set[str]:
    out = set(of_expr(n.value).reads)
    for part in _address_parts(n.target):
        out |= of_expr(part).reads
    if isinstance(n.target, (e.Index, e.Field)) and isinstance(_base_var(n.target), Pointer):
        out.add(root(n.target))
    return out


def _base_var(place: e.Expr) -> object:
    while isinstance(place, (e.Index, e.Field)):
        place = place.base
    return place.type


def _reads_of_head(n: s.Stmt) -> set[str]:
    out: set[str] = set()
    skip = {id(n.var)} if isinstance(n, (s.Decl, s.For)) else set()
    if isinstance(n, s.Instr):
        skip |= {id(o) for o in n.outs if isinstance(o, e.Var)}
    for child in children(n):
        if isinstance(child, e.Expr) and id(child) not in skip:
            out |= of_expr(child).reads
    return out


def set_once(body: s.Body, d: s.Decl) -> bool:
    """Whether nothing but its declaration writes the array."""
    name = d.var.name
    for n in walk(body):
        if isinstance(n, s.Assign) and root(n.target) == name:
            return False
        if isinstance(n, s.Instr) and name in names_in(n):
            return False
        if isinstance(n, (e.AddressOf, e.Call)) and name in names_in(n):
            return False
    return True
