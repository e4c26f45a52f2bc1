"""Find out by running the source how it is run, where what was guessed shows a fault.

A source is not at fault because of sizes or launch shapes that nobody gave: where other guesses
run without a fault those are taken, and where none does it is not known how the source is run.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations
from typing import TYPE_CHECKING, Literal

import numpy as np

from xpiler.diagnostics import Diagnostic, XpilerError
from xpiler.ir.program import Program
from xpiler.ir.types import Scalar
from xpiler.verify.compare import agreement, differing_bits
from xpiler.verify.dtypes import decode, is_float
from xpiler.verify.execution import differential
from xpiler.verify.inference.entries import numbers
from xpiler.verify.inference.footprint import probe
from xpiler.verify.inference.others import ascending, other_blocks, other_sizes, tellings
from xpiler.verify.inference.plan import BufferPlan, Case, EntryPlan
from xpiler.verify.inputs import BufferSpec, InputPlan
from xpiler.verify.invocation import Finding, RunResult
from xpiler.verify.judge import INDEPENDENT, NOT_A_NUMBER, SILENT
from xpiler.verify.runner import Unit
from xpiler.verify.runs import Planner
from xpiler.verify.session import calls_of, sandboxed
from xpiler.verify.spec import Spec
from xpiler.verify.verdict import Verdict
from xpiler.verify.verifier import Options, Side, VerifyCase

if TYPE_CHECKING:
    from xpiler.verify.executor import EmulatorExecutor
    from xpiler.verify.reading import Reading

SECONDS = 20.0  # for all guesses at one entry
RUN_SECONDS = 4.0
MOST_GUESSES = 12
MOST_GROWTHS = 8
ENOUGH = 3  # guesses that must agree before a race is the source's own
MOST_CASES = 3
_INPUTS = (1, 4)  # further input sets, to see whether outputs depend on them
_BETWEEN = {
    "race", "divergent_barrier", "divergent_collective", "missing_wait", "deadlock", "unstable",
}  # fmt: skip
"""Faults between threads: no size is to blame, smaller ones hide them; a launch shape may be."""
_BY_VALUE = {"shift", "division"}
"""Faults that follow from what integers are: those in buffers may be others."""
_TAME = ((1, 100), (0, 7), (1, 7), (-7, 0), (-7, -1))
Status = Literal["good", "alike", "silent", "faulty"]


def in_doubt(verdict: Verdict | None) -> bool:
    """Whether what was guessed of the source may be all that is wrong."""
    if verdict is None:
        return False
    says_nothing = verdict.code == "XP0704" and _says_little(verdict.reason)
    return verdict.outcome == "unsound_source" or says_nothing


def _says_little(reason: str) -> bool:
    """Such as an image smaller than its window gives: outputs that are alike, or no numbers."""
    return reason.startswith((INDEPENDENT, SILENT)) or NOT_A_NUMBER in reason


def settle(reading: Reading, sandbox: str, seed: int) -> bool:
    """Put plans that the source runs well under in place of guesses that it does not.

    False where there was nothing to change. Raises XpilerError only where the machine fails (XP08).
    """
    from xpiler.verify.executor import EmulatorExecutor

    with sandboxed(sandbox), EmulatorExecutor() as executor:
        settler = Settler(reading, executor, seed)
        plans = tuple(settler.settled(plan) for plan in reading.plans)
    changed = any(a is not b for a, b in zip(plans, reading.plans, strict=True))
    reading.plans = plans
    return changed


@dataclass(frozen=True, slots=True)
class Look:
    """What a few runs of the source under one guess showed.

    `alike`: no output depends on the inputs; `silent`: nothing is written. `depend` counts the
    output elements that differ between inputs.
    """

    case: Case
    status: Status
    findings: tuple[Finding, ...] = ()
    depend: int = 0

    @property
    def kinds(self) -> set[str]:
        return {f.kind for f in self.findings}

    @property
    def faults(self) -> set[tuple[str, int]]:
        return {(f.kind, f.line) for f in self.findings}


@dataclass
class Settler:
    """Runs one source under several guesses; one executor, so that each entry is built once."""

    reading: Reading
    executor: EmulatorExecutor
    seed: int

    @property
    def program(self) -> Program:
        return self.reading.program

    @property
    def spec(self) -> Spec:
        return self.reading.spec

    def settled(self, plan: EntryPlan) -> EntryPlan:
        """The plan itself, one with better guesses, or one without cases that says why."""
        if not plan.cases or not (plan.free or plan.free_launch):
            return plan
        try:
            looks = [self.look(plan, case) for case in plan.cases]
        except XpilerError as why:
            if any(d.code.startswith("XP08") for d in why.diagnostics):
                raise
            return plan  # it does not build: no guess helps
        good = tuple(k.case for k in looks if k.status == "good")
        if looks[0].status == "good":
            bad = [k for k in looks if k.status != "good"]
            return _without(plan, good, bad) if bad or good != plan.cases else plan
        if looks[0].kinds & _BY_VALUE:
            for tamed in _tamed(plan, self.spec):
                if self.look(tamed, tamed.cases[0]).status == "good":
                    return self.settled(tamed)
        if looks[0].kinds & _BETWEEN:
            for rising in ascending(self.program, plan, self.spec):
                if self.look(rising, rising.cases[0]).status == "good":
                    return self.settled(rising)
        if looks[0].status == "alike":
            tried = [(t, self.look(t, t.cases[0])) for t in tellings(self.program, plan, self.spec)]
            good_ones = [(t, k.depend) for t, k in tried if k.status == "good"]
            if good_ones:  # with another factor all data count as they are
                return self.settled(max(good_ones, key=lambda x: (x[0].free != plan.free, x[1]))[0])
        return self._other(plan, looks[0])

    def _other(self, plan: EntryPlan, first: Look) -> EntryPlan:
        """Another guess under which the source runs, else what is to be said of the first one."""
        seen, deadline = [first], time.monotonic() + SECONDS
        good: list[Look] = []
        for other in self._guesses(plan, first):
            if good and other.shape != plan.shape:
                break
            look = self.look(other, other.cases[0])
            if look.status != "good":
                seen.append(look)
            elif other.shape != plan.shape:
                return replace(other, cases=(look.case, *self._sound(other)))
            else:
                good.append(look)
            if len(seen) + len(good) > MOST_GUESSES or time.monotonic() > deadline:
                break
        if good:
            good.sort(key=lambda k: k.depend, reverse=True)
            cases = tuple(k.case for k in good[:MOST_CASES])
            return replace(plan, cases=cases, aligned=(), further=())
        best = min(seen, key=lambda k: k.status == "faulty")
        if best.status != "faulty" or (_its_own(plan, seen) and not self._by_data(plan, seen)):
            return plan
        return replace(plan, cases=(), aligned=(), further=(), diagnostics=(_unknown(plan, first),))

    def _by_data(self, plan: EntryPlan, seen: Sequence[Look]) -> bool:
        """Whether integers in buffers that nobody gave may be to blame for what all looks show."""
        common = set.intersection(*(k.faults for k in seen))
        if self._misshifts(plan) and {kind for kind, _ in common} == {"shift"}:
            return False
        if any(kind == "shift" for kind, _ in common) and plan.free:
            return True
        tamed = _tamed(plan, self.spec)
        return not all(common & self.look(t, t.cases[0]).faults for t in tamed)

    def _misshifts(self, plan: EntryPlan) -> bool:
        """Whether some shift is undefined whatever scalars and buffers hold."""
        case = plan.cases[0]
        shape = (case.grid, case.block) if plan.kind == "kernel" else None
        seen = probe(self.program, plan.entry, {}, {}, shape)
        return any(by.hi < 0 or by.lo >= bits for (_, bits), by in seen.shifts.items())

    def _guesses(self, plan: EntryPlan, first: Look) -> Iterator[EntryPlan]:
        blocks = other_blocks(self.program, plan, self.spec)
        sizes = other_sizes(self.program, plan, self.spec)
        if first.kinds & _BETWEEN:
            return blocks
        return chain(blocks, sizes) if first.status == "faulty" else chain(sizes, blocks)

    def _sound(self, plan: EntryPlan) -> tuple[Case, ...]:
        looks = (self.look(plan, case) for case in plan.cases[1:])
        return tuple(k.case for k in looks if k.status == "good")

    def look(self, plan: EntryPlan, case: Case) -> Look:
        """Run the source as `case` says; guessed extents grow as far as it reaches.

        A run may end at its first step past an end: what is found bit by bit grows faster.
        """
        for number in range(MOST_GROWTHS):
            found = self._once(plan, case)
            grown = _grown(self.program, plan, case, found.findings, self.spec, number)
            if grown is None:
                break
            case = grown
        return found

    def _once(self, plan: EntryPlan, case: Case) -> Look:
        alone = replace(plan, cases=(case,), further=())
        (call,) = calls_of(self.program, alone, {}, {}, False)
        unit = Unit(
            self.reading.text, self.reading.platform.name, self.reading.arch, self.reading.file
        )
        side = Side("source", unit, call.source, call, self.executor, Options(seed=self.seed))
        planner = Planner(call.buffers, InputPlan(self.seed))
        asked = [planner.base(0, variant) for variant in range(3)]
        asked += [planner.base(run, 0) for run in _INPUTS]
        jobs = [side.job(r) for r in asked]
        self.executor.prepare(unit, jobs[0].invocation)
        results = [
            *self.executor.execute_many(
                unit, jobs, run_seconds=RUN_SECONDS, total_seconds=3 * RUN_SECONDS
            )
        ]
        if findings := _findings(results):
            return Look(case, "faulty", findings)
        status, depend = _status(results, call, planner)
        return Look(case, status, depend=depend)


def _findings(results: Sequence[RunResult]) -> tuple[Finding, ...]:
    """The faults of the runs, and outputs that differ without a reason."""
    for run in results:
        if run.errors:
            return run.errors
        if run.exit_status:
            return (Finding("crash", f"ended with status {run.exit_status}"),)
    pairs = [(results[0], other, k == 0) for k, other in enumerate(results[1:3])]
    found = [f for one, other, same in pairs for f in differential(one, other, same)]
    return tuple(f for f in found if f.severity == "error")


def _status(results: Sequence[RunResult], call: VerifyCase, planner: Planner) -> tuple[Status, int]:
    """Whether anything is written, and how many of its elements depend on the inputs."""
    first = results[0]
    changed = [b for b in call.buffers if _is_changed(b, first, planner)]
    if not changed:
        return "silent", 0
    others = results[3:]
    if not others or not any(b.is_read for b in call.buffers):
        return "good", 0
    depend = 0
    for b in changed:
        one = first.outputs[b.name]
        same = [agreement(one, other.outputs[b.name], b.dtype, None) for other in others]
        depend += int((~np.logical_and.reduce(same)).sum())
        if is_float(b.dtype) and not _mostly_numbers(b, results):
            return "alike", 0
    return ("good" if depend else "alike"), depend


def _mostly_numbers(b: BufferSpec, results: Sequence[RunResult]) -> bool:
    """Whether at least half of what some run wrote is finite."""
    for run in results:
        data = run.outputs[b.name].reshape(-1)
        data = data[run.written[b.name]] if b.name in run.written else data
        if data.size and np.isfinite(decode(data, b.dtype)).mean() >= 0.5:
            return True
    return False


def _is_changed(b: BufferSpec, run: RunResult, planner: Planner) -> bool:
    if b.role == "inout":
        return bool(differing_bits(planner.values(0)[b.name], run.outputs[b.name]).any())
    return b.role == "out" and (b.name not in run.written or bool(run.written[b.name].any()))


def _its_own(plan: EntryPlan, seen: Sequence[Look]) -> bool:
    """Whether a fault is the source's, since it shows whatever is guessed.

    With a launch that host code makes, any fault does that is not how the program itself ends;
    with a guessed one only a fault between threads.
    """
    common = set.intersection(*(k.faults for k in seen))
    if plan.free_launch:
        common = {f for f in common if f[0] in _BETWEEN} if len(seen) >= ENOUGH else set()
    return any(kind != "crash" for kind, _ in common)


def _tamed(plan: EntryPlan, spec: Spec) -> Iterator[EntryPlan]:
    """The plan with other integers in buffers, where nobody said what those are."""

    def buffer(b: BufferPlan, _: Case) -> BufferPlan:
        known = spec.arg(b.name).range is not None
        whole = isinstance(b.elem, Scalar) and b.elem.is_integer and b.elem.name != "bool"
        return b if known or not whole or b.role == "out" else replace(b, bounds=bounds)

    for bounds in _TAME:
        tamed = plan.with_buffers(buffer)
        if tamed != plan:
            what = f"integers in buffers are taken from {list(bounds)}: others end in a fault"
            told = Diagnostic("XP0308", what, "warning", loc=plan.entry.loc, help=_RANGES)
            yield replace(tamed, diagnostics=(*plan.diagnostics, told))


_RANGES = "give them: --arg NAME.range=LOW:HIGH"


def _without(plan: EntryPlan, good: tuple[Case, ...], bad: Sequence[Look]) -> EntryPlan:
    """The plan without cases that the source is not made for, and what is to be said of them."""
    told = tuple(
        Diagnostic(
            "XP0709",
            f"{plan.entry.name} is not run with {k.case.describe()}, which nobody gave",
            "warning",
            loc=plan.entry.loc,
            reason=str(k.findings[0]),
        )
        for k in bad
        if k.findings
    )
    return replace(plan, cases=good, diagnostics=(*plan.diagnostics, *told))


def _unknown(plan: EntryPlan, look: Look) -> Diagnostic:
    case = look.case
    how = case.describe()
    if plan.free_launch:
        how = f"grid {case.grid}, block {case.block}, {how}"
    launch = "--grid, --block, " if plan.free_launch else ""
    return Diagnostic(
        "XP0709",
        f"how {plan.entry.name} is run is not known: as guessed ({how}) it ends with "
        f"{look.findings[0]}",
        "warning",
        loc=plan.entry.loc,
        help=f"give {launch}--arg NAME=VALUE, --arg NAME.extent=..., --arg NAME.range=LOW:HIGH",
    )


def _grown(
    program: Program,
    plan: EntryPlan,
    case: Case,
    findings: Sequence[Finding],
    spec: Spec,
    number: int,
) -> Case | None:
    """The case with more room in buffers of guessed extent that a run went past, if any.

    An extent, at least a multiple of what it was that rises with the `number` of this try, is taken
    to be a product of sizes and counts of blocks, else a power of two.
    """
    factor = 4 ** (number // 2)
    declared = {name for name, _ in plan.entry.extents}
    past = {
        f.buffer: f.index
        for f in findings
        if f.kind in ("oob_read", "oob_write") and f.index is not None
    }
    new: dict[str, BufferPlan] = {}
    for b in case.buffers:
        if b.name in declared or b.name not in past or spec.arg(b.name).extent is not None:
            continue
        lanes = (numbers(program, b.elem) or (None, 1))[1]
        need = max(max(past[b.name], b.count * lanes) // lanes + 1, factor * b.count)
        count = next((n for n in _products(case) if n >= need), 1 << need.bit_length())
        if count <= MOST_ELEMENTS:
            new[b.name] = replace(b, count=count)
    if not new:
        return None
    return replace(case, buffers=tuple(new.get(b.name, b) for b in case.buffers))


MOST_ELEMENTS = 1 << 20


def _products(case: Case) -> list[int]:
    """Products of up to four sizes, in order."""
    sizes = [int(x) for x in case.scalars.values() if isinstance(x, int) and x > 1]
    sizes = [*sizes, *(n for n in (*case.grid, *case.block) if n > 1)][:12]
    picked = (p for k in range(1, 5) for p in combinations(sizes, k))
    return sorted({math.prod(p) for p in picked})
