"""File-scope variables that kernels use: where they lie, and how host code reaches them.

A device variable has no address in host code: the runtimes copy to and from it by its symbol.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from xpiler.analysis.effects import names_in, root, stored
from xpiler.diagnostics import Diagnostic
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Global, Program
from xpiler.ir.rewrite import rewrite_stmts, walk
from xpiler.ir.types import U64, Array, Scalar
from xpiler.passes.recovery.launch import size_of


def on_device(program: Program) -> tuple[Program, tuple[Diagnostic, ...]]:
    """`program` with the variables that its kernels use in the device's memory.

    Those that no kernel writes lie in constant memory. Host functions that use one in another way
    than by copies are left out, with an error (XP1103).
    """
    device = [f for f in program.functions if f.role in ("kernel", "device")]
    used = frozenset(n for f in device for n in names_in(f.body))
    written = frozenset(n for f in device for n in stored(f.body))
    moved = {g.var.name: g for g in program.globals if g.var.name in used and _may_move(g)}
    if not moved or not any(f.role == "kernel" for f in device):
        return program, ()
    places = tuple(
        replace(g, space="global" if g.var.name in written else "constant")
        if g.var.name in moved
        else g
        for g in program.globals
    )
    hosts = {f.name: _by_symbols(program, f, moved) for f in program.functions if f not in device}
    wrong = {f.name: (f, x) for f in hosts.values() if (x := _left(f, moved))}
    said = tuple(
        Diagnostic("XP1103", f"{name} could not be brought to the device", "error", f.loc,
                   reason=f"{x}, a variable of the kernels, is used on the host as well")
        for name, (f, x) in wrong.items()
    )  # fmt: skip
    lost = _with_callers(program, set(wrong))
    functions = tuple(hosts.get(f.name, f) for f in program.functions if f.name not in lost)
    return replace(program, globals=places, functions=functions), said


def _may_move(g: Global) -> bool:
    """Constants that compilers fold may be used on both sides."""
    return g.space == "local" and not (g.const and isinstance(g.var.type, Scalar))


def _by_symbols(program: Program, f: Function, moved: Iterable[str]) -> Function:
    """`f` with copies to and from the variables `moved` by their symbols."""
    names = frozenset(moved)

    def one(st: s.Stmt) -> s.Stmt:
        if not isinstance(st, s.Instr) or st.name != "host.copy":
            return st
        to, source, size = st.ins[:3]
        for symbol, other, name in ((to, source, "to"), (source, to, "from")):
            offset = _offset(program, symbol, names)
            if offset is not None and root(other) not in names:
                at = _variable(symbol)
                ends = (at, other) if name == "to" else (other, at)
                return replace(st, name=f"host.{name}_symbol", ins=(*ends, size, offset), attrs=())
        return st

    return f.with_body(rewrite_stmts(f.body, one))


def _variable(x: e.Expr) -> e.Expr:
    """The variable that a place in it is reached through."""
    return next(n for n in walk(x) if isinstance(n, e.Var) and n.name == root(x))


def _offset(program: Program, x: e.Expr, names: frozenset[str]) -> e.Expr | None:
    """Where in a variable among `names` the address `x` lies, in bytes; None if in none of them."""
    if isinstance(x, e.Cast):
        return _offset(program, x.x, names)
    if isinstance(x, e.AddressOf) and isinstance(x.x, e.Index):
        start = _offset(program, x.x.base, names)
        return None if start is None else _plus(start, x.x.index, size_of(x.x.type, program))
    if isinstance(x, e.AddressOf):
        return _offset(program, x.x, names)
    if isinstance(x, e.Binary) and x.op == "+" and isinstance(x.a.type, Array):
        start = _offset(program, x.a, names)
        return None if start is None else _plus(start, x.b, size_of(x.a.type.elem, program))
    return e.Const(0, U64) if isinstance(x, e.Var) and x.name in names else None


def _plus(start: e.Expr, index: e.Expr, size: int) -> e.Expr:
    if isinstance(index, e.Const) and isinstance(start, e.Const):
        return e.Const(int(start.value) + int(index.value) * size, U64)
    bytes_ = e.Binary("*", e.Cast(index, U64), e.Const(size, U64), U64)
    zero = isinstance(start, e.Const) and start.value == 0
    return bytes_ if zero else e.Binary("+", start, bytes_, U64)


def _left(f: Function, moved: Iterable[str]) -> str:
    """A variable among `moved` that `f` uses otherwise than as a symbol ("" for none)."""
    by_symbol = {
        id(x)
        for n in walk(f.body)
        if isinstance(n, s.Instr) and n.name in ("host.to_symbol", "host.from_symbol")
        for x in n.ins[:2]
    }
    names = frozenset(moved)
    found = (
        n.name
        for n in walk(f.body)
        if isinstance(n, e.Var) and n.name in names and id(n) not in by_symbol
    )
    return next(found, "")


def _with_callers(program: Program, lost: set[str]) -> set[str]:
    """`lost` and all functions that call one of them, directly or not."""
    while True:
        more = {
            f.name
            for f in program.functions
            if any(isinstance(n, e.Call) and n.func in lost for n in walk(f.body))
        }
        if more <= lost:
            return lost
        lost = lost | more
