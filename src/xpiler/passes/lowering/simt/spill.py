"""Local arrays that a thread has no room for: pieces of a buffer that the launch allocates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from xpiler.analysis.effects import names_in, root
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import fresh_name, rewrite_exprs, rewrite_stmts, walk
from xpiler.ir.types import I64, U64, Array, Pointer, Type
from xpiler.passes.lowering.simt import words as w
from xpiler.passes.lowering.simt.context import Unfit
from xpiler.passes.lowering.simt.layout import byte_count, size_and_align

DIMS: tuple[w.Dim, ...] = ("x", "y", "z")


def spilled(program: Program, room: int) -> Program:
    """`program` with at most `room` bytes of local arrays for a thread of each kernel.

    The largest ones move to device memory; where a kernel is launched with one thread alone that
    is the whole buffer, else each thread has its piece.
    """
    launches: dict[str, list[s.Launch]] = {}
    for n in (n for f in program.functions for n in walk(f.body)):
        if isinstance(n, s.Launch):
            launches.setdefault(n.kernel, []).append(n)
    moved: dict[str, list[e.Var]] = {}
    for f in program.functions:
        chosen = _too_many(program, f, room) if f.name in launches else []
        if chosen:
            moved[f.name] = chosen
    if not moved:
        return program
    functions = []
    for f in program.functions:
        if f.name in moved:
            f = _with_buffers(f, moved[f.name], _number(launches[f.name]))
        functions.append(f.with_body(_launched(f, program, moved)))
    return program.with_functions(tuple(functions))


def _too_many(program: Program, f: Function, room: int) -> list[e.Var]:
    """The local arrays of a kernel to be moved, the largest ones."""
    sizes: list[tuple[int, e.Var]] = []
    for n in walk(f.body):
        if isinstance(n, s.Decl) and isinstance(n.var.type, Array) and n.space == "local":
            try:
                size = size_and_align(program, n.var.type)[0]
            except Unfit:
                continue
            sizes.append((size if n.init is None and not n.const else 0, n.var))
    left = sum(size for size, _ in sizes)
    found = []
    for size, v in sorted(sizes, key=lambda x: -x[0]):
        if left <= room or not size:
            break
        found.append(v)
        left -= size
    return found


def _with_buffers(f: Function, moved: list[e.Var], number: e.Expr | None) -> Function:
    """The kernel with parameters in the place of its arrays `moved`."""
    taken = {p.name for p in f.params} | set(names_in(f.body))
    new = {v.name: replace(v, type=Pointer(_flat(v.type)[0])) for v in moved}

    def one(x: e.Expr) -> e.Expr:
        if isinstance(x, e.Var):
            return new.get(x.name, x)
        return _place(x, new) if isinstance(x, e.Index) and root(x) in new else x

    def gone(st: s.Stmt) -> s.Stmt | s.Body:
        return () if isinstance(st, s.Decl) and st.var.name in new else st

    body: s.Body = rewrite_exprs(rewrite_stmts(f.body, gone), one)
    if number is None:
        return replace(f, params=(*f.params, *new.values()), body=body)
    params, pieces = [], []
    for v in moved:
        whole = e.Var(fresh_name(f"{v.name.split('.')[0]}_of_all", taken), new[v.name].type)
        place = w.binary("*", number, w.const(_flat(v.type)[1], I64))
        params.append(whole)
        pieces.append(s.Decl(new[v.name], e.Binary("+", whole, place, whole.type)))
    return replace(f, params=(*f.params, *params), body=(*pieces, *body))


def _flat(t: Type) -> tuple[Type, int]:
    """The elements of an array of arrays, and how many it has."""
    if not isinstance(t, Array):
        return t, 1
    elem, count = _flat(t.elem)
    return elem, count * (t.size or 0)


def _place(x: e.Index, moved: Mapping[str, e.Var]) -> e.Expr:
    """`a[i][j]` as `a[i * columns + j]`; a row alone is a pointer."""
    base, index = x.base, x.index
    if isinstance(base, (e.Index, e.Field)):
        return x  # an array in a struct, which keeps its rows
    if isinstance(x.type, Array):
        index = w.binary("*", index, w.const(_flat(x.type)[1], index.type))
    if isinstance(base, e.Binary) and isinstance(base.a, e.Var) and base.a.name in moved:
        row: e.Binary = base
        base, index = row.a, w.binary("+", row.b, index)
    if isinstance(x.type, Array):
        return e.Binary("+", base, index, base.type)
    return replace(x, base=base, index=index)


def _number(launches: Sequence[s.Launch]) -> e.Expr | None:
    """The number of a thread among all of its launch, i64; None where there is one alone."""
    out: e.Expr | None = None
    axes = [(e.Axis("block", d), e.Axis("grid_dim", d)) for d in DIMS]
    axes = [(e.Axis("thread", d), e.Axis("block_dim", d)) for d in DIMS] + axes
    for k, (at, extent) in reversed(tuple(enumerate(axes))):
        if all(w.is_const((*x.block, *x.grid)[k], 1) for x in launches):
            continue
        turn = w.cast(at, I64)
        rows = None if out is None else w.binary("*", out, w.cast(extent, I64))
        out = turn if rows is None else w.binary("+", rows, turn)
    return out


def _launched(f: Function, program: Program, moved: Mapping[str, list[e.Var]]) -> s.Body:
    """The body of a host function, with buffers around the launches of kernels that need some."""
    taken = {p.name for p in f.params} | set(names_in(f.body))

    def one(st: s.Stmt) -> s.Stmt | s.Body:
        if not isinstance(st, s.Launch) or st.kernel not in moved:
            return st
        counts = [w.cast(x, U64) for x in (*st.grid, *st.block) if not w.is_const(x, 1)]
        front: list[s.Stmt] = []
        buffers: list[e.Var] = []
        for v in moved[st.kernel]:
            elem, length = _flat(v.type)
            buffer = e.Var(fresh_name(f"d_{v.name.split('.')[0]}", taken), Pointer(elem))
            count: e.Expr = w.const(length, U64)
            for n in counts:
                count = w.binary("*", count, n)
            size = byte_count(program, elem, count)
            front += [s.Decl(buffer), s.Instr("host.alloc", (buffer,), (size,))]
            buffers.append(buffer)
        launch = replace(st, args=(*st.args, *buffers))
        return (*front, launch, *(s.Instr("host.free", (), (b,)) for b in buffers))

    done: s.Body = rewrite_stmts(f.body, one)
    return done
