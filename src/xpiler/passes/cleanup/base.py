"""What every clean-up pass is, and what the passes share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from xpiler.analysis.affine import to_expr
from xpiler.analysis.effects import bounded, mutable_names, unshared, written_once
from xpiler.analysis.poly import Poly
from xpiler.analysis.ranges import AtomInfo, Facts, Ledger
from xpiler.analysis.walker import Walker, after, always_leaves, changed, inside
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import walk
from xpiler.ir.text import show
from xpiler.ir.types import I64, U32


@dataclass(frozen=True)
class Assumptions:
    """What a caller allows to be taken for granted; whatever is used is recorded as a sentence.

    `no_wrap`: index arithmetic of a launch does not wrap and its shape is valid; `no_alias`:
    different pointer parameters do not overlap; `ranges`: inclusive bounds of integer parameters
    by name (sizes that the caller knows), taken as true and recorded when given. `separate`: the
    host cannot reach device memory, hence copies between the two stay.
    """

    no_wrap: bool = True
    no_alias: bool = True
    ranges: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    separate: bool = False


@dataclass
class Context:
    """What the passes share during one clean-up: allowed assumptions, and those used so far."""

    assume: Assumptions
    ledger: Ledger
    program: Program
    shared: dict[str, tuple[dict[str, AtomInfo], list[Poly]]] = field(default_factory=dict)
    tile_loops: set[tuple[str, str]] = field(default_factory=set)
    axes: set[tuple[str, str]] = field(default_factory=set)
    elements: set[tuple[str, str]] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)

    def granted(self) -> int:
        """How much has been taken for granted so far: more of it may show more."""
        return sum(len(assumed) for _, assumed in self.shared.values())

    def facts(self, f: Function) -> Facts:
        """What holds at the start of `f`; atoms and assumptions persist from pass to pass."""
        atoms, assumed = self.shared.setdefault(f.name, ({}, []))
        once = written_once(f.body)
        facts = Facts(mutable_names(f), self.ledger, atoms, assumed=assumed, once=once)
        facts = replace(facts, numeric=bounded(f.body), own=unshared(f.body))
        for p in (*(g.var for g in self.program.globals if g.const), *f.params):
            if p.name in self.assume.ranges and p.name not in facts.mutable:
                lo, hi = self.assume.ranges[p.name]
                v = facts.poly(p)
                facts = facts.with_fact(v - lo).with_fact(-v + hi)
        return facts


def launch_axes(program: Program) -> set[tuple[str, str]]:
    """(function, variable) of every loop that raising made from an axis of a launch (u32)."""
    return {
        (f.name, n.var.name)
        for f in program.functions
        for n in walk(f.body)
        if isinstance(n, s.For) and (n.kind == "parallel" or n.var.type == U32)
    }


class Pass(Protocol):
    """A clean-up pass: a frozen dataclass; `apply` never changes what the program means."""

    @property
    def name(self) -> str: ...

    def apply(self, program: Program, ctx: Context) -> Program: ...


def each_function(program: Program, f: Callable[[Function], Function]) -> Program:
    """`program` with `f` applied to each function; the same object when nothing changed."""
    functions = tuple(f(fn) for fn in program.functions)
    if all(a is b for a, b in zip(functions, program.functions, strict=True)):
        return program
    return program.with_functions(functions)


def facts_at(st: s.Stmt, body: s.Body, facts: Facts) -> Facts:
    """What holds where `st`, one of the statements of `body`, starts."""
    for other in body:
        if other is st:
            break
        facts = after(other, facts)
    return facts


def value_sentence(facts: Facts, p: Poly) -> str:
    """A polynomial as a person writes it."""
    x = to_expr(facts, p, I64, checked=False)
    return sentence(x) if x is not None else str(p)


_TIGHTNESS = {"*": 3, "/": 3, "%": 3, "+": 2, "-": 2}


def sentence(x: e.Expr, outer: int = 0) -> str:
    """An integer expression as a person writes it: few brackets, no conversions."""
    if isinstance(x, e.Cast):
        return sentence(x.x, outer)
    if isinstance(x, e.Binary) and x.op in _TIGHTNESS:
        own = _TIGHTNESS[x.op]
        text = f"{sentence(x.a, own)} {x.op} {sentence(x.b, own + 1)}"
        return f"({text})" if own < outer else text
    return show(x)


__all__ = [
    "Assumptions", "Context", "Pass", "Walker", "after", "always_leaves", "changed",
    "each_function", "facts_at", "inside", "sentence", "value_sentence",
]  # fmt: skip
