"""What every recipe of lowering takes and gives; the platform's table chooses the recipe.

A platform says `[lowering] recipe = "simt"` in its `platform.toml`; the module
`xpiler.passes.lowering.simt` then offers `lower(program, platform, origin, assume) -> Lowered`.
A platform without that table takes sequential programs as they are.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from xpiler.diagnostics import Diagnostic
from xpiler.ir.expr import Expr
from xpiler.ir.program import Program
from xpiler.ir.rewrite import rewrite_stmts, walk
from xpiler.ir.stmt import For, Stmt
from xpiler.passes.cleanup import Assumptions
from xpiler.passes.lowering.symbols import on_device
from xpiler.platforms.registry import Platform

Triple = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """How a lowered function is called: as a host function, or as a kernel by a launch.

    A kernel that is correct for any launch still has the one recommended here. `name` is what it
    goes by in the text ("": by its own name).
    """

    kind: Literal["function", "kernel"] = "function"
    grid: Triple = (1, 1, 1)
    block: Triple = (1, 1, 1)
    shared_bytes: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """Values of a function's scalar parameters and the elements of its pointer parameters."""

    sizes: Mapping[str, int | float]
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Origin:
    """What the source was: which functions were kernels that no host code of the file launches.

    Their parameters are device pointers in the source; nobody has written a wrapper for them.
    `launched` were kernels too, but host code of the file launches them. `extents` has the
    elements of pointer parameters, by function and name, where somebody said so: i64 expressions
    in the function's scalar parameters. `examples` are sizes with the extents that go with them,
    `sampled` finds more of them for a function when they are needed. `measured` has the elements of
    a function's parameter as the polynomial in its sizes, and in the quotients given, that they
    were found to be wherever that was looked at (on a grid of sizes, or between its points, too, as
    the last argument says). `plain` is the program in its canonical form,
    where steps have changed it since: what it touches is easier to tell there.
    """

    platform: str = ""
    bare_kernels: frozenset[str] = frozenset()
    launched: frozenset[str] = frozenset()
    extents: Mapping[str, Mapping[str, Expr]] = field(default_factory=dict)
    examples: Mapping[str, tuple[Example, ...]] = field(default_factory=dict)
    sampled: Callable[[str], tuple[Example, ...]] | None = None
    plain: Program | None = None
    measured: Callable[[str, str, Sequence[Expr], bool], Expr | None] | None = None


@dataclass(frozen=True)
class Lowered:
    """The program in the platform's form, and what has to be known of it.

    `entries` has the functions that are not called as plain host functions, by name. `extents` has
    the elements that buffers are assumed to have, by function and parameter, where that may be more
    than what the source touches. `loops` counts innermost loops in vectors and all that count,
    where the recipe is about vectors; `ordered` those of the others whose order data decides.
    """

    program: Program
    diagnostics: tuple[Diagnostic, ...] = ()
    assumptions: tuple[str, ...] = ()
    entries: Mapping[str, EntryPoint] = field(default_factory=dict)
    extents: Mapping[str, Mapping[str, Expr]] = field(default_factory=dict)
    loops: tuple[int, int] | None = None
    ordered: int = 0


def lower(
    program: Program,
    platform: Platform,
    origin: Origin | None = None,
    assume: Assumptions | None = None,
    plain: bool = False,
) -> Lowered:
    """`program` (sequential, cleaned up) in the form that `platform` wants.

    What cannot be made parallel stays serial, with a note that names the accesses in the way;
    what cannot be written at all is left out with an error. `plain` leaves out a recipe that the
    platform calls optional.
    """
    table = platform.tables.get("lowering", {})
    recipe = table.get("recipe")
    if recipe is None or (plain and table.get("optional", False)):
        return Lowered(unmarked(program))
    module = importlib.import_module(f"xpiler.passes.lowering.{recipe}")
    found: Lowered = module.lower(program, platform, origin or Origin(), assume or Assumptions())
    placed, said = on_device(found.program)
    return replace(found, program=placed, diagnostics=(*found.diagnostics, *said))


def unmarked(program: Program) -> Program:
    """Without marks that nobody has proved: loops over elements of a source count as serial."""

    def one(st: Stmt) -> Stmt:
        if isinstance(st, For) and st.kind == "vectorised":
            return replace(st, kind="serial")
        return st

    if not any(isinstance(n, For) and n.kind == "vectorised" for f in program.functions
               for n in walk(f.body)):  # fmt: skip
        return program
    return program.with_functions(
        tuple(f.with_body(rewrite_stmts(f.body, one)) for f in program.functions)
    )
