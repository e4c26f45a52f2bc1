"""Other guesses at how an entry is run, for where a run shows that the first one is no good."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

from xpiler.diagnostics import Diagnostic, XpilerError
from xpiler.ir import expr as e
from xpiler.ir.program import Program
from xpiler.ir.rewrite import walk
from xpiler.ir.types import Scalar
from xpiler.verify.inference import tasks
from xpiler.verify.inference.blocks import block_candidates
from xpiler.verify.inference.candidates import bare
from xpiler.verify.inference.entries import scalars
from xpiler.verify.inference.flags import is_wide_factor
from xpiler.verify.inference.footprint import probe
from xpiler.verify.inference.fuller import runs
from xpiler.verify.inference.infer import case_at, plan_for, with_values
from xpiler.verify.inference.plan import BufferPlan, Case, EntryPlan
from xpiler.verify.inference.ranges import hulls_of, take_values
from xpiler.verify.inference.search import EARLY, LATE, Searcher, Trial
from xpiler.verify.spec import Spec

MOST_BLOCKS = 8
DRAWS, MOST_DRAWN = 80, 6
LARGE = (24, 40, 70, 150)


def other_blocks(program: Program, plan: EntryPlan, spec: Spec) -> Iterator[EntryPlan]:
    """The plans for other blocks that a lone kernel may be made for, likely ones first."""
    if not plan.free_launch or tasks.in_tasks(program):
        return
    blocks = [b for b in block_candidates(program, plan.entry) if b != plan.cases[0].block]
    for block in blocks[:MOST_BLOCKS]:
        given = replace(spec, launch=replace(spec.launch, block=block))
        with suppress(XpilerError):
            found = plan_for(program, plan.entry, given)
            if found.cases:
                yield replace(found, free_launch=True)


def other_sizes(program: Program, plan: EntryPlan, spec: Spec) -> Iterator[EntryPlan]:
    """The plan with other sizes: round ones, those that show more, at last small ones by lot."""
    if not plan.free:
        return
    for case in (*plan.aligned, *plan.further, *_drawn(program, plan, spec)):
        yield replace(plan, cases=(case,), aligned=(), further=())


def ascending(program: Program, plan: EntryPlan, spec: Spec) -> Iterator[EntryPlan]:
    """The plan with values that rise, where neighbours in an array bound what a loop goes through.

    Rows of many lengths begin where those before them end; drawn at large they would overlap.
    """
    neighbours = _neighbours(program)
    names = {
        b.name
        for b in plan.cases[0].buffers
        if b.is_index and b.role != "out" and spec.arg(b.name).distinct is None
    }
    for name in sorted(names)[:MOST_WIDE] if neighbours else ():
        made = plan.with_buffers(
            lambda b, _, name=name: _rising(b) if b.name == name else b  # type: ignore[misc]
        )
        told = Diagnostic(
            "XP0308", f"values of {name} are taken to rise, since threads meet with others",
            "warning", loc=plan.entry.loc,
        )  # fmt: skip
        yield replace(made, diagnostics=(*plan.diagnostics, told))


def _rising(b: BufferPlan) -> BufferPlan:
    return replace(b, ascending=True, distinct=False)


def _neighbours(program: Program) -> bool:
    """Whether some array of integers is read at an index and at the next one."""
    for f in program.functions:
        loads = {
            (n.base, n.index)
            for n in walk(f.body)
            if isinstance(n, e.Index) and isinstance(n.type, Scalar) and n.type.is_integer
        }
        for base, index in loads:
            x = bare(index)
            if isinstance(x, e.Binary) and x.op == "+" and isinstance(bare(x.b), e.Const):
                one = bare(x.b).value == 1  # type: ignore[attr-defined]
                if one and any(b == base and bare(i) == bare(x.a) for b, i in loads):
                    return True
    return False


def tellings(program: Program, plan: EntryPlan, spec: Spec) -> Iterator[EntryPlan]:
    """The plan with other numbers, where none of the outputs depended on the inputs.

    Factors of which only high bits count (2^31 stands for 1) are large.
    """
    names = sorted(b.name for b in plan.cases[0].buffers if _may_be_wide(b, spec))
    for name in names[:MOST_WIDE]:
        wide = plan.with_buffers(
            lambda b, _, name=name: replace(b, bounds=WIDE) if b.name == name else b  # type: ignore[misc]
        )
        told = Diagnostic(
            "XP0308", f"values of {name} are large, since others change nothing", "warning",
            loc=plan.entry.loc, help=f"give them: --arg {name}.range=LOW:HIGH",
        )  # fmt: skip
        yield replace(wide, diagnostics=(*plan.diagnostics, told))
    for name in _factors(program, plan)[:MOST_WIDE]:
        told = Diagnostic(
            "XP0308", f"{name} is {FACTOR}, since others change nothing", "warning",
            loc=plan.entry.loc, help=f"give it: --arg {name}=VALUE",
        )  # fmt: skip
        yield replace(plan.with_scalars({name: FACTOR}), diagnostics=(*plan.diagnostics, told))


def _factors(program: Program, plan: EntryPlan) -> list[str]:
    """Factors of wide products on which neither memory nor work depends."""

    def seen(more: Mapping[str, int]) -> object:
        f = probe(program, plan.entry, {**first.scalars, **more}, {}, shape)
        return f.failed, hulls_of(f.regions), f.cost, f.shifts

    first = plan.cases[0]
    shape = (first.grid, first.block) if plan.kind == "kernel" else None
    wide = [x.name for x in scalars(program, plan.entry) if str(x.type) in _WIDE_TYPES]
    free = (n for n in wide if n in plan.free)
    names = [n for n in free if is_wide_factor(program, plan.entry, n)]
    usual = seen({}) if names else None
    return [n for n in names if seen({n: FACTOR}) == usual]


FACTOR = 0x5A82799A
"""Of 2^31 the square root of a half: as a factor of which only high bits count neither 0 nor 1."""
_WIDE_TYPES = ("i32", "i64", "u32", "u64")
MOST_WIDE = 4
WIDE = (2.0**29, 2.0**31 - 1)


def _may_be_wide(b: BufferPlan, spec: Spec) -> bool:
    whole = isinstance(b.elem, Scalar) and b.elem.name in _WIDE_TYPES
    return whole and b.role != "out" and b.bounds is None and spec.arg(b.name).range is None


def _drawn(program: Program, plan: EntryPlan, spec: Spec) -> Iterator[Case]:
    """Sizes by lot under which no access is known to be out of bounds, far-reaching ones first.

    Windows, strides and paddings come late in a list of parameters and are small.
    """
    search = Searcher(program, plan.entry, spec, plan.kind == "kernel")
    take_values(search)
    search.shared = plan.shape.shared_bytes if plan.shape is not None else None
    first = plan.cases[0]
    shape = (first.grid, first.block) if search.kernel else None
    begin = search.trial(first.scalars, search.given_ranges(first.scalars), shape)
    lot, late = random.Random(len(search.sizes)), len(search.sizes) // 2
    found: list[Trial] = []
    for _ in range(DRAWS):
        sizes = [lot.choice(LATE if k >= late else EARLY) for k in range(len(search.sizes))]
        sizes[lot.randrange(len(sizes))] = lot.choice(LARGE)
        told = {n: lot.choice(known) for n, known in search.choices.items()}
        t = with_values(search, begin, plan.shape, {**search.defaults(sizes), **told})
        if runs(t):
            found.append(t)
    found.sort(key=Trial.reach, reverse=True)
    for t in found[:MOST_DRAWN]:
        with suppress(XpilerError):
            yield case_at(search, t)
