"""Brings a kernel that works in a core's memories into the form that loop recovery takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Global, Program
from xpiler.ir.rewrite import rewrite_stmts, variables, walk
from xpiler.ir.types import Pointer
from xpiler.passes.onchip.carve import Carve
from xpiler.passes.onchip.pointers import Pointers

ON_CHIP = ("nram", "wram", "shared")


def is_on_chip(g: Global) -> bool:
    """Whether a file-scope variable lies in a memory that each core or cluster has for itself."""
    return g.space in ON_CHIP


def touched_functions(program: Program) -> set[str]:
    """Device functions that work in a core's memories: they have to become part of the kernel."""
    names = {g.var.name for g in program.globals if is_on_chip(g)}
    if not names and not any(_has_memory(f.body) for f in program.functions):
        return set()
    return {
        f.name
        for f in program.functions
        if f.role == "device" and (_has_memory(f.body) or _takes(f) or variables(f.body) & names)
    }


def _has_memory(body: s.Body) -> bool:
    return any(isinstance(st, s.Decl) and st.space in ("nram", "wram") for st in walk(body))


def _takes(f: Function) -> bool:
    return any(isinstance(p.type, Pointer) for p in f.params)


def prepare(
    f: Function,
    body: s.Body,
    globals_: Iterable[Global],
    taken: set[str],
    sentences: list[str],
) -> s.Body:
    """`body` with file-scope memories as its own, pointers as offsets, carved buffers as arrays."""
    used = variables(body)
    own = [g for g in globals_ if is_on_chip(g) and g.var.name in used]
    body = (*(s.Decl(g.var, None, g.space) for g in own), *body)
    if not _has_memory(body):
        return body
    rewriting = Pointers(body, taken, f.params)
    body = rewriting.run()
    carving = Carve(body, rewriting.names, taken, f.params)
    body = carving.run()
    sentences += carving.sentences
    return _private(body)


def _private(body: s.Body) -> s.Body:
    """A core's own memories are its own variables."""

    def one(st: s.Stmt) -> s.Stmt:
        own = isinstance(st, s.Decl) and st.space in ("nram", "wram")
        return replace(st, space="local") if own else st  # type: ignore[call-arg]

    new: s.Body = rewrite_stmts(body, one)
    return new


__all__ = ["e", "is_on_chip", "prepare", "touched_functions"]
