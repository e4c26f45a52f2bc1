"""Runs the clean-up passes in order until nothing changes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from xpiler.analysis.ranges import Ledger
from xpiler.ir.check import check
from xpiler.ir.program import Program
from xpiler.passes.cleanup.accumulate import Accumulate
from xpiler.passes.cleanup.alike import Alike
from xpiler.passes.cleanup.base import Assumptions, Context, Pass, launch_axes
from xpiler.passes.cleanup.branches import Branches
from xpiler.passes.cleanup.coalesce import Coalesce
from xpiler.passes.cleanup.contract import Contract
from xpiler.passes.cleanup.counted import Counted
from xpiler.passes.cleanup.digits import Digits
from xpiler.passes.cleanup.distribute import Distribute
from xpiler.passes.cleanup.elements import Elements
from xpiler.passes.cleanup.forward import Forward
from xpiler.passes.cleanup.gates import Gates
from xpiler.passes.cleanup.guards import Guards
from xpiler.passes.cleanup.inplace import InPlace
from xpiler.passes.cleanup.masks import Masks
from xpiler.passes.cleanup.mirror import Mirror
from xpiler.passes.cleanup.networks import Networks
from xpiler.passes.cleanup.numbered import Numbered
from xpiler.passes.cleanup.optional import Optional
from xpiler.passes.cleanup.padding import Padding
from xpiler.passes.cleanup.parallel import Parallel
from xpiler.passes.cleanup.parcels import Parcels
from xpiler.passes.cleanup.places import Places
from xpiler.passes.cleanup.private import Private
from xpiler.passes.cleanup.propagate import Propagate
from xpiler.passes.cleanup.rebase import Rebase
from xpiler.passes.cleanup.retries import Retries
from xpiler.passes.cleanup.scalars import Scalars
from xpiler.passes.cleanup.sections import Sections
from xpiler.passes.cleanup.settled import Settled
from xpiler.passes.cleanup.simplify import Simplify
from xpiler.passes.cleanup.strips import Strips
from xpiler.passes.cleanup.unflatten import Unflatten
from xpiler.passes.cleanup.uniform import Uniform
from xpiler.passes.cleanup.untile import Untile
from xpiler.passes.cleanup.versions import Versions
from xpiler.passes.cleanup.walking import Walking

MAX_ROUNDS = 12


@dataclass(frozen=True)
class CleanResult:
    """The cleaned program, the sentences assumed, the program after each pass that changed it.

    `failures` says which passes gave up on a fault of their own (the program is then as before).
    """

    program: Program
    assumptions: tuple[str, ...]
    steps: tuple[tuple[str, Program], ...]
    failures: tuple[str, ...] = ()


def rounds(in_order: bool = False) -> tuple[Pass, ...]:
    """The passes of one round, in order."""
    return (
        Counted(),
        Retries(),
        Optional(),
        Branches(),
        Walking(),
        Settled(),
        Versions(),
        Places(),
        Masks(),
        Simplify(),
        Sections(),
        Alike(),
        Private(),
        Propagate(),
        Parcels(),
        Mirror(),
        Forward(),
        Elements(),
        Distribute(),
        Unflatten(),
        Coalesce(),
        Contract(),
        *((Numbered(), InPlace()) if in_order else ()),
        Gates(),
        Guards(parts=in_order),
        Strips(),
        Scalars(),
        Untile(),
        Digits(),
        Padding(),
        Rebase(),
        Networks(),
        Uniform(),
        Accumulate(),
    )


def finish() -> tuple[Pass, ...]:
    """The passes that run once, at the end."""
    return (Elements(last=True), Parallel())


def clean_up(
    program: Program, *, assume: Assumptions | None = None, in_order: bool = False
) -> CleanResult:
    """`program`, cleaned up without a change of meaning; what cannot be shown stays as it is.

    `in_order`: it will run as it stands, so loops over lanes need not stay parallel.
    """
    assume = assume or Assumptions()
    ledger = Ledger(allowed=assume.no_wrap, alias_allowed=assume.no_alias)
    ledger.sentences += [f"{lo} <= {n} <= {hi}" for n, (lo, hi) in assume.ranges.items()]
    steps: list[tuple[str, Program]] = []
    ctx = Context(assume, ledger, program, axes=launch_axes(program))
    settled: dict[str, tuple[Program, int]] = {}
    for _ in range(MAX_ROUNDS):
        before, known = program, ctx.granted()
        for one in rounds(in_order):
            last, granted = settled.get(one.name, (None, 0))
            if last is not program or granted != ctx.granted():
                granted = ctx.granted()
                program = _step(one, program, replace(ctx, program=program), steps)
                settled[one.name] = program, granted
        if program is before and known == ctx.granted():
            break
    for one in finish():
        program = _step(one, program, replace(ctx, program=program), steps)
    found = _strongest(ledger.sentences)
    return CleanResult(program, found, tuple(steps), tuple(ctx.failures))


def before_recovery(program: Program) -> CleanResult:
    """Kernels as loops over threads are easier to get from."""
    ledger = Ledger()
    ctx = Context(Assumptions(), ledger, program)
    done = _step(Walking(threads=True), program, ctx, [], sequential=False)
    return CleanResult(done, _strongest(ledger.sentences), ())


def _strongest(sentences: list[str]) -> tuple[str, ...]:
    """Without those that a stronger one contains."""
    weak = " are the same or do not overlap"
    return tuple(
        x
        for x in sentences
        if not (x.endswith(weak) and x.removesuffix(weak) + " do not overlap" in sentences)
    )


def _sound(program: Program, floor: Program, sequential: bool) -> bool:
    """Whether the result is as well formed as what came in."""
    return len(check(program, sequential)) <= len(check(floor, sequential))


def _step(
    one: Pass,
    program: Program,
    ctx: Context,
    steps: list[tuple[str, Program]],
    sequential: bool = True,
) -> Program:
    try:
        new = one.apply(program, ctx)
    except (RecursionError, AssertionError, ArithmeticError, LookupError, TypeError) as why:
        ctx.failures.append(f"{one.name} gave up: {type(why).__name__}: {why}")
        return program
    if new is program or new == program:
        return program
    if not _sound(new, program, sequential):
        ctx.failures.append(f"{one.name} gave up: its result was not well formed")
        return program
    steps.append((one.name, new))
    return new
