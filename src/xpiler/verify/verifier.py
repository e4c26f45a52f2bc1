"""Run source and target on the same inputs and say whether the target computes the same thing."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from xpiler.diagnostics import XpilerError
from xpiler.verify import inputs
from xpiler.verify.compare import Precision, differing_bits
from xpiler.verify.dtypes import storage
from xpiler.verify.inputs import RECIPES, BufferSpec, InputPlan, RecordSpec, Values
from xpiler.verify.invocation import (
    RETURNED,
    UNTOUCHED,
    BufferArg,
    Finding,
    Invocation,
    Memory,
    ObjectArg,
    RunResult,
    ScalarArg,
    Triple,
)
from xpiler.verify.judge import INDEPENDENT, Judge, Stop, Unsound
from xpiler.verify.packing import packed
from xpiler.verify.runner import Executor, Job, Unit
from xpiler.verify.runs import Key, Planner, Request
from xpiler.verify.verdict import Verdict, combine

_REACHING = (0, 1, 2)  # input sets that show how far the source reaches
DEVICE_MEMORY = "called with pointers to device memory"
_LARGE = 32 << 20  # bytes of a case whose inputs and outputs take long to make and to compare, ...
_PATIENCE = 3.0  # and how many times as long it may then take
_SHARE_OF_SOURCE = 0.6  # of the time budget; the target gets the rest
_LATER_RUNS = 3  # input sets of every case but the first
_CHECKED_SECONDS = 4.0  # processor time after which a run is made without checks instead
_LONG = 1.0  # seconds of a checked run after which the next ones go without, or half of a case's
_MUCH_SLOWER = 20.0  # a target that takes so many times as long as the source hangs, ...
_EMULATED = 1000.0  # times this where threads that wait for each other are emulated


@dataclass(frozen=True, slots=True)
class Entry:
    """What is called on one side: a host function, or a kernel with its launch.

    `extra` are arguments that only this side takes, after the common ones. `overloaded`: the text
    has other functions of this name.
    """

    name: str
    kind: Literal["function", "kernel"] = "function"
    grid: Triple = (1, 1, 1)
    block: Triple = (1, 1, 1)
    shared_bytes: int = 0
    extra: tuple[ScalarArg, ...] = ()
    overloaded: bool = False


Argument = ScalarArg | ObjectArg | BufferSpec | RecordSpec


@dataclass(frozen=True, slots=True)
class VerifyCase:
    """One way to call both sides: the same arguments, in order, for either's entry.

    A buffer named `RETURNED` stands for the value that the entries return. `tentative`: perhaps
    the source is not made for these arguments; then the case says nothing. `work` counts what the
    target's emulator does not see.
    """

    args: tuple[Argument, ...]
    source: Entry
    target: Entry
    label: str = ""
    tentative: bool = False
    work: Callable[[], Mapping[str, int]] | None = None

    def with_integral(self, names: Collection[str]) -> VerifyCase:
        """The same, with whole numbers in the floating buffers of these names."""
        args = tuple(
            replace(a, integral=True) if isinstance(a, BufferSpec) and a.name in names else a
            for a in self.args
        )
        return replace(self, args=args)

    def with_divisors(self, names: Collection[str]) -> VerifyCase:
        """The same, without zeros in the buffers of these names whose range nobody gave."""

        def positive(b: BufferSpec) -> BufferSpec:
            return replace(b, bounds=(1.0, inputs.LARGEST_DIVISOR))

        free = {b.name for b in self.buffers if b.name in names and b.bounds is None}
        if not free:
            return self
        args = tuple(
            positive(a) if isinstance(a, BufferSpec) and a.name in free else a for a in self.args
        )
        told = f"no zeros in {', '.join(sorted(free))}"
        return replace(self, args=args, label=f"{self.label}; {told}" if self.label else told)

    def with_marks(self, marks: Mapping[str, Collection[int]]) -> VerifyCase:
        """The same, with these numbers among the values of the buffers of these names."""
        args = tuple(
            replace(a, marks=tuple(sorted(marks[a.name])))
            if isinstance(a, BufferSpec) and a.name in marks
            else a
            for a in self.args
        )
        return replace(self, args=args)

    def with_bits(self, dtypes: Mapping[str, str]) -> VerifyCase:
        """The same, with numbers of these types behind the integers of the buffers of these names.

        Where a range of integers was given, they are integers.
        """

        def held(b: BufferSpec) -> BufferSpec:
            plain = b.name not in dtypes or b.bounds is not None or b.is_index or b.distinct
            return b if plain else replace(b, dtype=dtypes[b.name])

        def one(a: Argument) -> Argument:
            if isinstance(a, RecordSpec):
                return replace(a, parts=tuple((at, held(b)) for at, b in a.parts))
            return held(a) if isinstance(a, BufferSpec) else a

        return replace(self, args=tuple(map(one, self.args)))

    @property
    def buffers(self) -> tuple[BufferSpec, ...]:
        return tuple(b for a in self.args for b in _buffers(a))


def _buffers(a: Argument) -> tuple[BufferSpec, ...]:
    """An argument's buffers; those of structs are what lies in them."""
    if isinstance(a, RecordSpec):
        return tuple(b for _, b in a.parts)
    return (a,) if isinstance(a, BufferSpec) else ()


@dataclass(frozen=True, slots=True)
class Options:
    """How hard to look. `seconds` bounds all runs of all cases (builds apart), `run_seconds` one.

    The first case gets half of the time and all `runs`; what later ones add is other sizes.
    """

    seed: int = 0
    runs: int = len(RECIPES)
    seconds: float = 10.0
    run_seconds: float = 10.0
    precision: Precision = field(default_factory=Precision)
    max_excluded: float = 0.02
    assumptions: tuple[str, ...] = ()


@dataclass
class Side:
    """One program under test: builds once, answers requests.

    `checked` says whether the next run watches every access, `watched` whether one has. `memory`
    says where buffers lie that not everybody may touch.
    """

    name: Literal["source", "target"]
    unit: Unit
    entry: Entry
    case: VerifyCase
    executor: Executor
    options: Options
    runs: dict[Key, RunResult] = field(default_factory=dict)
    checked: bool = True
    watched: bool = False
    memory: dict[str, Memory] = field(default_factory=dict)

    @property
    def spent(self) -> float:
        """Seconds that its runs have taken."""
        return sum(run.seconds for run in self.runs.values())

    def invocation(self, request: Request) -> Invocation:
        """The call that `request` means on this side."""
        e = self.entry
        values = request.values
        given = (_argument(a, values) for a in self.case.args)
        args = (*(self._placed(a) for a in given), *e.extra)
        return Invocation(
            e.name, e.kind, args, e.grid, e.block, e.shared_bytes, overloaded=e.overloaded
        )

    def _placed(self, arg: ScalarArg | BufferArg) -> ScalarArg | BufferArg:
        where = self.memory.get(arg.name) if isinstance(arg, BufferArg) else None
        return replace(arg, memory=where) if isinstance(arg, BufferArg) and where else arg

    def host_memory(self) -> set[str]:
        """The buffers that functions on the host touch in the first run, and no kernel does."""
        run = self.runs[Key("base", 0)]
        rows = {
            a.name: [b.name for _, b in a.parts] if isinstance(a, RecordSpec) else [a.name]
            for a in self.case.args
            if isinstance(a, (BufferSpec, RecordSpec))
        }
        touched = {name for name, parts in rows.items() if any(_reached(p, run) for p in parts)}
        return touched - run.by_kernels - {RETURNED}

    def answer(self, requests: Sequence[Request], seconds: float) -> None:
        """Make the runs, in order, until done or `seconds` have passed; keep the results."""
        if not requests:
            return
        found = self._watched(requests, seconds) if self.checked else []
        if len(found) < len(requests) and not _ended_badly(found):
            found += self._execute(requests[len(found) :], seconds, self.options.run_seconds)
        self.runs |= {r.key: run for r, run in zip(requests, found, strict=False)}

    def job(self, r: Request) -> Job:
        """The run that `r` asks of this side."""
        # Another schedule comes with another seed, which decides what else is unspecified:
        # the layout of matrix fragments, say.
        seed = self.options.seed + r.schedule
        call = self.invocation(r)
        return Job(call, seed, r.poison, r.schedule, self.checked, rounding=r.rounding)

    def _watched(self, requests: Sequence[Request], seconds: float) -> list[RunResult]:
        """The results of the first requests, as far as checked runs are quick enough."""
        limit = min(_CHECKED_SECONDS, self.options.run_seconds)
        known = max((run.seconds for run in self.runs.values()), default=limit)
        if self.watched and known < limit / _MUCH_SLOWER:
            return self._execute(requests, seconds, limit)
        first = self._execute(requests[:1], seconds, limit)
        if not first or {f.kind for f in first[0].errors} == {"timeout"}:
            self.checked = False
            return []
        self.watched = True
        if first[0].seconds > min(_LONG, self.options.seconds / 2):
            self.checked = False
        if not self.checked or _ended_badly(first):
            return first
        return first + self._execute(requests[1:], seconds, limit)

    def _execute(
        self, requests: Sequence[Request], seconds: float, limit: float
    ) -> list[RunResult]:
        """The results, without what a run of large buffers need not keep."""
        asked: deque[tuple[Request, Job]] = deque()

        def jobs() -> Iterator[Job]:
            for r in requests:
                asked.append((r, self.job(r)))
                yield asked[-1][1]

        found: list[RunResult] = []
        total = max(seconds, limit)
        for run in self.executor.execute_many(
            self.unit, jobs(), run_seconds=limit, total_seconds=total
        ):
            r, job = asked.popleft()
            found.append(self._thinned(run, job.invocation, r.key.kind == "base"))
        return found

    def _thinned(self, run: RunResult, call: Invocation, watched: bool) -> RunResult:
        """`run` with `UNTOUCHED` for each input that holds what it held.

        Which elements were read says something of the input sets themselves alone (`watched`).
        """
        given = {a.name: a.data for a in call.args if isinstance(a, BufferArg)}
        kept = {
            b.name
            for b in self.case.buffers
            if b.role == "in" and b.name in run.outputs
            and (data := given.get(b.name)) is not None
            and not differing_bits(data, run.outputs[b.name]).any()
        }  # fmt: skip
        outputs = {n: UNTOUCHED if n in kept else data for n, data in run.outputs.items()}
        if watched:
            return replace(run, outputs=outputs)
        written = {n: marks for n, marks in run.written.items() if n not in kept}
        return replace(run, outputs=outputs, written=written, read={})

    def answer_within(self, requests: Sequence[Request], seconds: float) -> int:
        """As many of `requests` as past runs say will fit; how many were left out."""
        each = max(self.spent / max(1, len(self.runs)), 1e-6)
        fit = max(0, min(len(requests), int(seconds / each)))
        self.answer(requests[:fit], seconds)
        return len(requests) - fit


def _ended_badly(runs: Sequence[RunResult]) -> bool:
    return any(run.errors or run.exit_status for run in runs)


def _argument(argument: Argument, values: Values) -> ScalarArg | BufferArg:
    if isinstance(argument, ScalarArg):
        return argument
    if isinstance(argument, RecordSpec):
        parts = [(at, _filled(b, values)) for at, b in argument.parts]
        return packed(argument.name, argument.size, argument.count, parts)
    if isinstance(argument, ObjectArg):
        held = np.frombuffer(argument.value, np.uint8)
        return BufferArg(argument.name, "", "uint8", held.size, held)
    return _filled(argument, values)


def _reached(name: str, run: RunResult) -> bool:
    return any(name in marks and bool(marks[name].any()) for marks in (run.read, run.written))


def _filled(b: BufferSpec, values: Values) -> BufferArg:
    return BufferArg(b.name, b.ctype, b.dtype, b.count, values.get(b.name))


def verify(
    source: Unit,
    target: Unit,
    cases: Sequence[VerifyCase],
    *,
    executor: Executor,
    options: Options | None = None,
) -> Verdict:
    """The verdict over all cases; stops at the first that shows a fault.

    Sizes for which no output depends on the inputs (a window beside its image) do not count where
    others show more. Raises nothing for faults of the programs; XpilerError only where the machine
    fails (XP08).
    """
    found: list[Verdict] = []
    late: list[Verdict] = []
    for number, case in enumerate(cases):
        large = sum(b.count * storage(b.dtype).itemsize for b in case.buffers) > _LARGE
        share = _share(options or Options(), number, len(cases), large)
        verdict = verify_case(source, target, case, executor, share)
        if case.tentative and verdict.outcome not in ("verified", "wrong"):
            continue
        if verdict.code == "XP0705" and verdict.side == "target":  # other sizes may be smaller
            late.append(replace(verdict, notes=(f"{verdict.reason} with sizes {case.label}",)))
            continue
        found.append(verdict)
        if found[-1].outcome in ("wrong", "unsound_source"):
            break
    telling = [v for v in found if v.reason != INDEPENDENT]
    verdict = combine((telling if any(v.ok for v in telling) else found) or late)
    more = tuple(n for v in late for n in v.notes) if found else ()
    return replace(verdict, notes=(*verdict.notes, *more))


def _share(options: Options, number: int, cases: int, large: bool) -> Options:
    """The part of the time and of the runs that case `number` gets; more where memory takes it."""
    if number == 0:
        seconds = options.seconds / (2 if cases > 1 else 1)
        return replace(options, seconds=seconds * (_PATIENCE if large else 1))
    seconds = options.seconds / 2 / (cases - 1)
    return replace(options, seconds=seconds, runs=min(options.runs, _LATER_RUNS))


def verify_case(
    source: Unit, target: Unit, case: VerifyCase, executor: Executor, options: Options
) -> Verdict:
    """The verdict on one case, with buffers no longer than the source reaches.

    Behind a longer one a translation could read on and nobody would see it.
    """
    tight = _tight(source, case, executor, options)
    if tight != case:
        verdict = _on_case(source, target, tight, executor, options)
        if verdict.outcome != "unsound_source":
            return verdict
    return _on_case(source, target, case, executor, options)


def _tight(source: Unit, case: VerifyCase, executor: Executor, options: Options) -> VerifyCase:
    """The case with buffers of guessed extent as long as the source reaches in a few runs."""
    if not any(b.guessed for b in case.buffers) or any(b.is_index for b in case.buffers):
        return case
    side = Side("source", source, case.source, case, executor, options)
    planner = Planner(case.buffers, InputPlan(options.seed, options.runs))
    try:
        _built(side)
    except Stop:
        return case
    side.answer([planner.base(run, 0) for run in _REACHING], options.seconds / 8)
    if len(side.runs) < len(_REACHING) or _ended_badly(list(side.runs.values())):
        return case
    reach = {b.name: _reach(b, list(side.runs.values())) for b in case.buffers if b.guessed}
    return replace(case, args=tuple(_cut(a, reach) for a in case.args))


def _cut(a: Argument, reach: Mapping[str, int]) -> Argument:
    """The argument with as many elements as are reached, where that is known."""
    if isinstance(a, RecordSpec) and any(b.name in reach for _, b in a.parts):
        return a.sized(max(-(-reach[b.name] * a.count // b.count) for _, b in a.parts))
    if isinstance(a, BufferSpec) and a.name in reach:
        return replace(a, count=reach[a.name])
    return a


def _reach(b: BufferSpec, runs: Sequence[RunResult]) -> int:
    """One more than the largest index that the runs touch; the whole where that is not known.

    It is not known where it differs from run to run: then data decides, and others reach more.
    """
    if any(b.name not in run.read or b.name not in run.written for run in runs):
        return b.count
    touched = [np.flatnonzero(run.read[b.name] | run.written[b.name]) for run in runs]
    ends = {int(found[-1]) + 1 if found.size else 0 for found in touched}
    return ends.pop() or b.count if len(ends) == 1 else b.count


def _on_case(
    source: Unit, target: Unit, case: VerifyCase, executor: Executor, options: Options
) -> Verdict:
    """The verdict on a case as it is."""
    begun = time.monotonic()
    sides = (
        Side("source", source, case.source, case, executor, options),
        Side("target", target, case.target, case, executor, options),
    )
    try:
        with ThreadPoolExecutor(1) as pool:  # the target builds while the source runs
            building = pool.submit(copy_context().run, _built, sides[1])
            verdict = _verify(*sides, building, case, options)
    except Stop as stop:
        verdict = replace(stop.verdict, seed=options.seed)
    label = (f"sizes {case.label}",) if case.label and verdict.ok else ()
    return replace(
        verdict,
        assumptions=(*options.assumptions, *label, *verdict.assumptions),
        seconds=time.monotonic() - begun,
    )


def _verify(
    source: Side, target: Side, building: Future[None], case: VerifyCase, options: Options
) -> Verdict:
    planner = Planner(case.buffers, InputPlan(options.seed, options.runs))
    judge = Judge(
        case.buffers,
        planner,
        options.precision,
        options.max_excluded,
        lambda requests: source.answer(requests, options.seconds),
        loose_casts=source.unit.platform == "c",
    )
    left_out = _ask_source(source, planner, judge, options)
    building.result()
    left_out += _ask_target(source, target, planner, judge, options)
    judge.hear_target(target.runs)
    verdict = judge.verdict()
    late = (f"time ran out for {left_out} runs",) if left_out else ()
    blind = tuple(
        f"the {side.name} takes too long for its accesses to be watched"
        for side in (source, target)
        if not side.watched
    )
    moved = (DEVICE_MEMORY,) if "device" in target.memory.values() else ()
    verdict = replace(verdict, assumptions=(*verdict.assumptions, *moved))
    notes = (*verdict.notes, *late, *blind)
    recipes = [planner.plan.recipe(run) for run in judge.compared_runs]
    verdict = replace(verdict, counters=_counted(verdict, case))
    return replace(verdict, seed=options.seed, inputs=inputs.describe(recipes), notes=notes)


def _counted(verdict: Verdict, case: VerifyCase) -> tuple[tuple[str, int], ...]:
    """What the target's run counted with what the call takes; nothing where that is not known."""
    if case.work is None or not verdict.counters:
        return verdict.counters
    work = case.work()
    return tuple(sorted({**dict(verdict.counters), **work}.items())) if work else ()


def _ask_source(source: Side, planner: Planner, judge: Judge, options: Options) -> int:
    _built(source)
    source.answer(planner.minimum(), options.seconds)
    _sound(source)
    budget = options.seconds * _SHARE_OF_SOURCE
    left = source.answer_within(planner.rest(), budget - source.spent)
    _sound(source)
    judge.hear_source(source.runs)
    if judge.wants_lines:
        left += source.answer_within(planner.lines(), budget - source.spent)
        _sound(source)
        judge.hear_lines()
    left += source.answer_within(judge.spikes, budget - source.spent)
    _sound(source)
    return left


def _ask_target(
    source: Side, target: Side, planner: Planner, judge: Judge, options: Options
) -> int:
    mean = source.spent / max(1, len(source.runs))
    requests = planner.target(judge.usable_runs, judge.linear)
    requests += [r for r in judge.spikes if r.key in source.runs]
    _place(source, target)
    target.answer(requests[:2], options.seconds)
    if _in_wrong_memory(target):
        _ask_with_device_memory(target, requests[:2], options.seconds)
    _sane(target, mean)
    budget = options.seconds * (1 - _SHARE_OF_SOURCE)
    left = target.answer_within(requests[2:], budget - target.spent)
    _sane(target, mean)
    asked = judge.unread(target.runs)
    left += source.answer_within(asked, options.seconds - source.spent - target.spent)
    _sound(source)
    answered = [r for r in asked if r.key in source.runs]
    left += target.answer_within(answered, options.seconds - source.spent - target.spent)
    _sane(target, mean)
    return left


def _place(source: Side, target: Side) -> None:
    """What is host memory to the source is that to the translation, too.

    Emulated kernels could follow any pointer; a device cannot.
    """
    if target.entry.kind == "function" and Key("base", 0) in source.runs:
        target.memory = dict.fromkeys(source.host_memory(), "host")


def _in_wrong_memory(side: Side) -> bool:
    return any(f.kind == "wrong_space" for run in side.runs.values() for f in run.errors)


def _ask_with_device_memory(target: Side, requests: Sequence[Request], seconds: float) -> None:
    """Perhaps a text of another's hand wants all of it on the device: if so, the runs with that."""
    if not target.memory:
        return
    known, target.runs = (target.runs, target.memory), {}
    target.memory = dict.fromkeys(target.memory, "device")
    target.answer(requests, seconds)
    if _in_wrong_memory(target):
        target.runs, target.memory = known


def _built(side: Side) -> None:
    planner = Planner(side.case.buffers, InputPlan(side.options.seed))
    call = side.invocation(planner.minimum()[0])
    try:
        side.executor.prepare(side.unit, call)
    except XpilerError as error:
        if any(d.code.startswith("XP08") for d in error.diagnostics):
            raise
        first = error.diagnostics[0]
        level: Literal["refused", "compiled"] = "refused" if side.name == "target" else "compiled"
        reason = f"the {side.name} does not build for its emulator: {first.message}"
        raise Stop(
            Verdict("unverified", level, code="XP0708", reason=reason, side=side.name)
        ) from error


def _faults(side: Side) -> tuple[Finding, ...]:
    for run in side.runs.values():
        if run.errors:
            return run.errors
        if run.exit_status:
            return (Finding("crash", f"ended with status {run.exit_status}"),)
    return ()


def _sound(source: Side) -> None:
    """A source that is already wrong can't be translated right."""
    faults = _faults(source)
    if not faults:
        if Key("base", 0) not in source.runs:
            raise Stop(_no_time("source", source.options.run_seconds))
        return
    if faults[0].kind == "timeout":
        raise Stop(_no_time("source", source.options.run_seconds))
    raise Unsound("XP0702", f"the source has a fault of its own: {faults[0]}", faults)


def _no_time(side: Literal["source", "target"], seconds: float) -> Verdict:
    reason = f"the {side} did not finish one run within {seconds:g} s"
    return Verdict("unverified", "compiled", code="XP0705", reason=reason, side=side)


def _sane(target: Side, source_seconds: float) -> None:
    faults = _faults(target)
    if not faults and Key("base", 0) in target.runs:
        return
    limit = target.options.run_seconds
    slower = _MUCH_SLOWER * (_EMULATED if target.unit.platform != "c" else 1)
    if not faults or (faults[0].kind == "timeout" and limit < slower * source_seconds):
        raise Stop(_no_time("target", limit))
    reason = f"the translation has a fault that the source has not: {faults[0]}"
    raise Stop(
        Verdict("wrong", "compiled", code="XP0701", reason=reason, findings=faults, side="target")
    )
