"""Weigh the runs of both sides: what must agree, how closely, and what the answer is worth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from xpiler.verify import probes
from xpiler.verify.compare import (
    Bound,
    Comparison,
    Precision,
    Surroundings,
    agreement,
    compare,
    differing_bits,
    is_exact,
    lost_to_rounding,
    measured_size,
    rounding_decides,
    surroundings,
)
from xpiler.verify.dtypes import Bools, canonical, decode, is_float, spacing
from xpiler.verify.inputs import BufferSpec
from xpiler.verify.invocation import UNTOUCHED, Array, Finding, RunResult
from xpiler.verify.probes import Runs
from xpiler.verify.runs import INTEGERS, PATTERNS, Key, Planner, Request
from xpiler.verify.verdict import Verdict

NOT_A_NUMBER = "is not a number on every input tried"
INDEPENDENT = "no output depends on the inputs that were tried"
SILENT = "the source writes to none of its buffers"
_FAR_OUT = 64.0  # how much larger the terms of a sum may be when some inputs are far out
_FAR_REASONS = {
    "spike": "a few inputs are far out",
    "unread": "the inputs that one side alone reads are far out",
}
_WIDE = 0.05  # a tolerance above this share of a typical value is worth a remark


class Stop(Exception):
    """The verdict is known; nothing more needs to be run."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.reason)
        self.verdict = verdict


class Unsound(Stop):
    """The source itself is at fault."""

    def __init__(self, code: str, reason: str, findings: tuple[Finding, ...] = ()) -> None:
        super().__init__(
            Verdict(
                "unsound_source", "compiled", code=code, reason=reason, findings=findings,
                side="source",
            )
        )  # fmt: skip


def _wrong(reason: str) -> Stop:
    return Stop(Verdict("wrong", "compiled", code="XP0701", reason=reason, side="target"))


@dataclass
class Judge:
    """Hears the source first, then the target; raises `Stop` as soon as the verdict is clear.

    `ask` makes more runs of the source, which then appear among those it was heard with.
    `loose_casts`: the source's language does not say what a floating value becomes that does not
    fit the integer it is converted to.
    """

    buffers: Sequence[BufferSpec]
    planner: Planner
    precision: Precision
    max_excluded: float
    ask: Callable[[list[Request]], None]
    source: Runs = field(default_factory=dict)
    target: Runs = field(default_factory=dict)
    terms: dict[str, float] = field(default_factory=dict)
    linear: list[int] = field(default_factory=list)
    usable_runs: list[int] = field(default_factory=list)
    compared_runs: list[int] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)
    exact_runs: int = 0
    wide: dict[str, float] = field(default_factory=dict)
    lossy: set[str] = field(default_factory=set)
    lost: dict[int, str] = field(default_factory=dict)  # runs that say nothing, and why
    loose_casts: bool = False
    independent: bool = False

    # -- the source ----------------------------------------------------------------------------
    def hear_source(self, runs: Runs) -> None:
        """Settle what the source does: what it writes, how it sums, whether it is steady."""
        self.source = runs
        self.usable_runs = [run for run in range(self.planner.plan.runs) if self._complete(run)]
        self._check_defined(runs)
        self._check_informative()
        changed = [b for b in self.buffers if b.role != "in"]
        for b in changed:
            self.terms[b.name] = probes.terms(runs, b, self.buffers, self.unwritten(b, 0))
        for run in self.usable_runs:
            self._check_steady(run)

    @property
    def wants_lines(self) -> bool:
        """Whether the source computes exactly on integers, so that linearity can be seen."""
        return INTEGERS in self.usable_runs and self._exact(Key("base", INTEGERS))

    @cached_property
    def spikes(self) -> list[Request]:
        """Runs that show what a reduction leaves out, where its outputs are far from being sums.

        Known once the source was heard.

        An output of a sum depends on all its inputs, and says so; that of a maximum on few.
        """
        changed = [b for b in self.buffers if b.role != "in" and b.name in self.terms]
        outputs = sum(b.count for b in changed)
        largest = max((b.count for b in self.buffers if b.is_smooth), default=0)
        few = any(2 * self.terms[b.name] * outputs < largest for b in changed)
        return self.planner.spikes(outputs) if 16 * outputs <= largest and few else []

    def unread(self, target: Runs) -> list[Request]:
        """Runs that show whether what one side alone reads matters, where both were watched.

        A maximum that leaves two of many inputs out is right on nearly all inputs.
        """
        by_source = self._read_alone(self.source, target)
        return self.planner.unread(by_source, self._read_alone(target, self.source))

    def _read_alone(self, one: Runs, other: Runs) -> dict[str, Bools]:
        """Elements that a run of `one` reads, and the same run of `other` does not."""
        found: dict[str, Bools] = {}
        keys = [key for run in self.usable_runs if (key := Key("base", run)) in one.keys() & other]
        for b in (b for b in self.buffers if b.is_free):
            known = [k for k in keys if b.name in one[k].read and b.name in other[k].read]
            alone = [one[k].read[b.name] & ~other[k].read[b.name] for k in known]
            if alone and (places := np.logical_or.reduce(alone)).any():
                found[b.name] = places
        return found

    def hear_lines(self) -> None:
        """Settle in which buffers the source is linear."""
        changed = [b for b in self.buffers if b.role != "in"]
        skip = {b.name: self.unwritten(b, INTEGERS) for b in changed}
        self.linear = [
            i for i in self.planner.candidates() if probes.is_linear(self.source, i, changed, skip)
        ]

    def _check_defined(self, runs: Runs) -> None:
        """An element that was written, but differs under other poison, comes from nowhere."""
        for run in self.usable_runs:
            one, two = runs.get(Key("base", run)), runs.get(Key("base", run, 1))
            if one is None or two is None:
                continue
            for name, written in one.written.items():
                pair = one.outputs[name], two.outputs[name]
                if pair[0] is pair[1] or any(data is UNTOUCHED for data in pair):
                    continue
                loose = differing_bits(*pair) & written
                if bool(loose.any()):
                    self._undefined(f"{name}[{int(np.flatnonzero(loose)[0])}]", runs is self.source)

    def _undefined(self, where: str, in_source: bool) -> None:
        if in_source:
            raise Unsound("XP0702", f"{where} of the source depends on values that nothing wrote")
        raise _wrong(f"{where} depends on values that nothing wrote")

    def _complete(self, run: int) -> bool:
        needed = [Key("base", run)]
        needed += [Key("far", run)] if self.planner.step("far") else []
        return all(key in self.source for key in needed)

    def unwritten(self, buffer: BufferSpec, run: int) -> Bools:
        """Elements of a pure output that the source leaves alone in input set `run`."""
        return _unwritten(self.source, buffer, run)

    def _check_steady(self, run: int) -> None:
        again = self.source.get(Key("base", run, 2))
        if again is None:
            return
        once = self.source[Key("base", run)]
        for b in self.buffers:
            skip = self.unwritten(b, run)
            one, two = once.outputs[b.name], again.outputs[b.name]
            if b.role == "in" or not differing_bits(one, two).any():
                continue
            bound = self._bound(b, run, False)
            found = compare(b.name, one, two, b.dtype, bound=bound, skip=skip)
            if not found.ok and bound is not None:
                wider = self._wider(bound, b, run)
                found = compare(b.name, one, two, b.dtype, bound=wider, skip=skip)
            if not found.ok:
                reason = f"the source's result depends on the order of its threads: {found.first}"
                raise Unsound("XP0707", reason)

    def _check_informative(self) -> None:
        if not self.usable_runs:
            reason = "there was no time to run the source on one set of inputs"
            raise Stop(_unverified("XP0705", reason))
        outputs = [b for b in self.buffers if self._is_output(b)]
        if not outputs:
            raise Stop(_unverified("XP0704", SILENT))
        runs = self.usable_runs
        for b in outputs:
            if is_float(b.dtype) and all(self._finite_share(b, run) < 0.5 for run in runs):
                reason = f"most of {b.name} {NOT_A_NUMBER}; give a range"
                raise Stop(_unverified("XP0704", reason))
        if len(runs) > 1 and any(b.is_read for b in self.buffers):
            self.independent = not self._depend(outputs)

    def _depend(self, outputs: Sequence[BufferSpec]) -> bool:
        """Whether some output differs between inputs; if none does, agreement says little."""
        first, *others = (self.source[Key("base", run)] for run in self.usable_runs)
        return any(
            not agreement(first.outputs[b.name], other.outputs[b.name], b.dtype, None).all()
            for b in outputs
            for other in others
        )

    def _is_output(self, b: BufferSpec) -> bool:
        if b.role == "out":
            return any(not self.unwritten(b, run).all() for run in self.usable_runs)
        return any(not self._untouched(b, run) for run in self.usable_runs)

    def _untouched(self, b: BufferSpec, run: int) -> bool:
        after = self.source[Key("base", run)].outputs[b.name]
        if after is UNTOUCHED:
            return True
        before = self.planner.values(run)[b.name]
        return not bool(differing_bits(before, after).any())

    def _finite_share(self, b: BufferSpec, run: int) -> float:
        data = self.source[Key("base", run)].outputs[b.name].reshape(-1)[~self.unwritten(b, run)]
        return float(np.isfinite(decode(data, b.dtype)).mean()) if data.size else 1.0

    # -- the target ----------------------------------------------------------------------------
    def hear_target(self, runs: Runs) -> None:
        """Compare every input set that both sides answered."""
        self.target = runs
        self._check_defined(runs)
        for run in self.usable_runs:
            if Key("base", run) in runs:
                self._compare_run(run)
        for number in self.linear:
            if (key := Key("impulse", number)) in runs and key in self.source:
                self._compare_impulse(key)
        for key in sorted(k for k in runs if k.kind in _FAR_REASONS and k in self.source):
            self._compare_far_out(key)

    def _compare_far_out(self, key: Key) -> None:
        for b in self.buffers:
            expected, actual = self._sides(b, key)
            if not differing_bits(expected, actual).any():
                self.comparisons.append(Comparison(expected.size, 0, 0))
                continue
            bound = self._bound(b, 0, False)
            if bound is not None:  # values far out make sums and squares larger
                bound = replace(bound, size=_FAR_OUT * bound.size)
            skip = self.unwritten(b, 0)
            found = compare(b.name, expected, actual, b.dtype, bound=bound, skip=skip)
            self.comparisons.append(found)
            if found.first is not None:
                raise _wrong(f"{found.first}, when {_FAR_REASONS[key.kind]}")

    def _sides(self, b: BufferSpec, key: Key) -> tuple[Array, Array]:
        """What both sides left in a buffer: the same array where neither touched an input."""
        one, two = (side[key].outputs[b.name] for side in (self.source, self.target))
        if (one is UNTOUCHED) == (two is UNTOUCHED):
            return one, two
        if key.kind != "base":
            raise _wrong(f"{b.name}, an input, is changed by one side alone")
        given = self.planner.values(key.run)[b.name].reshape(-1)
        return (given, two) if one is UNTOUCHED else (one, given)

    def _compare_run(self, run: int) -> None:
        exact = run == INTEGERS and self._exact(Key("base", run))
        for b in self.buffers:
            self._compare_written(b, run)
            found = self._compare_buffer(b, run, exact)
            if found.first is not None and (reason := self._excuse(b, run, exact)):
                self.lost[run] = reason
                continue
            self.comparisons.append(found)
            if found.first is not None:
                recipe = self.planner.plan.recipe(run)
                raise _wrong(f"{found.first}, on {recipe} inputs, {found.wrong} elements differ")
        if run not in self.lost:
            self.compared_runs.append(run)
            self.exact_runs += exact

    def _compare_buffer(self, b: BufferSpec, run: int, exact: bool) -> Comparison:
        key = Key("base", run)
        expected, actual = self._sides(b, key)
        if not differing_bits(expected, actual).any():
            return Comparison(expected.size, 0, 0)
        kept = b.role == "in" and self._untouched(b, run)
        bound = None if exact or kept else self._bound(b, run, True)
        skip = self.unwritten(b, run)
        found = compare(b.name, expected, actual, b.dtype, bound=bound, skip=skip)
        if found.ok or kept:
            return found
        if bound is not None:
            bound = self._wider(bound, b, run)
            found = compare(b.name, expected, actual, b.dtype, bound=bound, skip=skip)
            if found.ok:
                self.lossy.add(b.name)
                return found
        around = self._around(b, run)
        return compare(b.name, expected, actual, b.dtype, bound=bound, skip=skip, around=around)

    def _excuse(self, b: BufferSpec, run: int, exact: bool) -> str:
        """Why the source itself does not say what should come out; "" where it does."""
        if not exact and self._rounding_decides(b, run):
            return f"rounding decides {b.name}"
        findings = self.source[Key("base", run)].findings if self.loose_casts else ()
        if not is_float(b.dtype) and any(f.kind == "float_to_int" for f in findings):
            return f"{b.name} has floating values that do not fit"
        return ""

    def _rounding_decides(self, b: BufferSpec, run: int) -> bool:
        """Whether rounding moves the source as far as the sides are apart."""
        needed = [Key("near", run), Key("rounded", run), Key("rounded", run, 1)]
        bound = self._bound(b, run, False)
        if bound is None or any(key not in self.source for key in needed):
            return False
        near, up, down = (self.source[key].outputs[b.name] for key in needed)
        sides, skip = self._sides(b, Key("base", run)), self.unwritten(b, run)
        return rounding_decides(sides, (up, down), near, bound, skip)

    def _compare_written(self, b: BufferSpec, run: int) -> None:
        """The target must write what the source writes, and nothing else."""
        told = b.name in self.source[Key("base", run)].written
        twin = Key("base", run, 1)
        if b.role != "out" or not (told or (twin in self.target and twin in self.source)):
            return
        ours, theirs = self.unwritten(b, run), _unwritten(self.target, b, run)
        for places, what in ((theirs & ~ours, "is never written"), (ours & ~theirs, "is written")):
            if bool(places.any()):
                index = int(np.flatnonzero(places)[0])
                other = "writes it" if places is not ours and what == "is never written" else ""
                other = other or "leaves it alone"
                raise _wrong(f"{b.name}[{index}] {what} by the translation; the source {other}")

    def _compare_impulse(self, key: Key) -> None:
        if not self._exact(key):
            return
        for b in self.buffers:
            expected, actual = self._sides(b, key)
            if not differing_bits(expected, actual).any():
                self.comparisons.append(Comparison(expected.size, 0, 0))
                continue
            skip = self.unwritten(b, INTEGERS)
            found = compare(b.name, expected, actual, b.dtype, bound=None, skip=skip)
            self.comparisons.append(found)
            if found.first is not None:
                name = self.buffers[key.run].name
                raise _wrong(f"{found.first}, when {name} is zero but in a few places")
        self.exact_runs += 1

    def _exact(self, key: Key) -> bool:
        """Whether all outputs have so few bits that nothing was rounded on the way to them."""
        outputs = self.source[key].outputs
        floats = [b for b in self.buffers if b.role != "in" and is_float(b.dtype)]
        return all(
            is_exact(
                outputs[b.name].reshape(-1)[~self.unwritten(b, INTEGERS)], b.dtype, self.precision
            )
            for b in floats
        )

    # -- how close -----------------------------------------------------------------------------
    def _bound(self, b: BufferSpec, run: int, remark: bool) -> Bound | None:
        if not is_float(b.dtype):
            return None
        base = self.source[Key("base", run)].outputs[b.name]
        moved = [
            self.source[key].outputs[b.name]
            for pattern in range(PATTERNS)
            if (key := Key("far", run, pattern)) in self.source
        ]
        if any(data is UNTOUCHED for data in (base, *moved)):
            return None
        size = measured_size(base, moved, b.dtype, self.planner.step("far"))
        bound = Bound(canonical(b.dtype), self.terms.get(b.name, 1.0), size, self.precision)
        if remark:
            self._remark_if_wide(b, run, base, bound)
        return bound

    def _wider(self, bound: Bound, b: BufferSpec, run: int) -> Bound:
        """`bound` with s measured more often, and with what the source itself loses to rounding.

        Where a softmax weighs a few terms that are nearly alike, an element may hardly move in one
        run and far in the next.
        """
        if Key("far", run, PATTERNS - 1) not in self.source:
            self.ask(self.planner.moved_again(run))
        bound = self._bound(b, run, False) or bound
        rounded = self._rounded(b, run)
        if rounded is None:
            return bound
        up, down = rounded
        base = self.source[Key("base", run)].outputs[b.name]
        skip = self.unwritten(b, run)
        return replace(bound, lost=lost_to_rounding(base, up, down, b.dtype, bound.terms, skip))

    def _remark_if_wide(self, b: BufferSpec, run: int, base: Array, bound: Bound) -> None:
        y = decode(base.reshape(-1), b.dtype)
        kept = np.isfinite(y) & ~self.unwritten(b, run)
        if not kept.any() or self.linear:
            return
        typical = float(np.sqrt(np.mean(np.square(y[kept]))))
        allowed = float(np.median(bound.at(y)[kept]))
        if typical and allowed > _WIDE * typical:
            self.wide[b.name] = max(self.wide.get(b.name, 0.0), allowed / typical)

    def _around(self, b: BufferSpec, run: int) -> Surroundings | None:
        if not self.planner.step("near"):
            return self._around_rounding(b, run)
        if Key("near", run) not in self.source:
            self.ask(self.planner.near(run))
        far = self.source.get(Key("far", run))
        near = [self.source[k] for way in range(2) if (k := Key("near", run, way)) in self.source]
        if not near or far is None or b.role == "in":
            return None
        base = self.source[Key("base", run)].outputs[b.name]
        ratio = self.planner.step("far") / self.planner.step("near")
        noise = np.zeros(base.size)
        if is_float(b.dtype):
            y = decode(base.reshape(-1), b.dtype)
            noise = 4 * spacing(np.where(np.isfinite(y), y, 0.0), b.dtype)
        return surroundings(
            base, [n.outputs[b.name] for n in near], far.outputs[b.name], b.dtype, ratio, noise
        )

    def _around_rounding(self, b: BufferSpec, run: int) -> Surroundings | None:
        """The same of inputs that can't be moved a little, integers: where rounding decides."""
        if is_float(b.dtype) or b.role == "in":
            return None
        rounded = self._rounded(b, run)
        if rounded is None:
            return None
        base = self.source[Key("base", run)].outputs[b.name]
        return surroundings(base, rounded, rounded[0], b.dtype, 1.0, np.zeros(base.size))

    def _rounded(self, b: BufferSpec, run: int) -> tuple[Array, Array] | None:
        """What the source leaves where all operations round up, and down; both must end well."""
        keys = [Key("rounded", run, way) for way in range(2)]
        if keys[0] not in self.source:
            self.ask(self.planner.rounded(run))
        runs = [self.source[k] for k in keys if k in self.source]
        if len(runs) < len(keys) or any(r.errors or r.exit_status for r in runs):
            return None
        up, down = (r.outputs[b.name] for r in runs)
        return up, down

    # -- the answer ----------------------------------------------------------------------------
    def verdict(self) -> Verdict:
        """What all comparisons together are worth."""
        compared = sum(c.compared for c in self.comparisons)
        excused = sum(c.excused for c in self.comparisons)
        share = excused / compared if compared else 0.0
        if not self.compared_runs and not self.lost:
            return _unverified("XP0705", "there was no time to compare a single run")
        if self.independent:
            return _unverified("XP0704", INDEPENDENT)
        if len(self.lost) > len(self.compared_runs):
            reasons = ", ".join(sorted(set(self.lost.values())))
            reason = f"on most of the inputs tried the source does not say: {reasons}"
            return _unverified("XP0703", reason, share)
        if share > self.max_excluded:
            reason = f"{share:.1%} of the elements lie where the function jumps; that is too many"
            return _unverified("XP0703", reason, share)
        return Verdict(
            "verified",
            "tested",
            runs=len(self.compared_runs),
            exact_runs=self.exact_runs,
            tolerance=self._tolerance_text(),
            excluded=share,
            notes=(*self._linear_note(), *self._wide_notes(), *self._loss_notes()),
            counters=self._counted(),
        )

    def _counted(self) -> tuple[tuple[str, int], ...]:
        """The work that one run of the target took, where the emulator counted it."""
        runs = (self.target[key] for key in self.target)
        return next((tuple(sorted(r.counters.items())) for r in runs if r.counters), ())

    def _tolerance_text(self) -> str:
        floats = [b for b in self.buffers if is_float(b.dtype) and b.name in self.terms]
        if not floats:
            return "none (integers)"
        widest = max(floats, key=lambda b: self.terms[b.name])
        bound = self._bound(widest, self.compared_runs[0], False)
        return bound.describe() if bound is not None else ""

    def _wide_notes(self) -> list[str]:
        return [
            f"the tolerance of {name} is wide: up to {share:.0%} of a typical value"
            for name, share in self.wide.items()
        ]

    def _loss_notes(self) -> list[str]:
        return [
            f"{name} loses digits to rounding in the source: as many were allowed to differ"
            for name in sorted(self.lossy)
        ] + [
            f"{reason} on {self.planner.plan.recipe(run)} inputs: not compared there"
            for run, reason in self.lost.items()
        ]

    def _linear_note(self) -> list[str]:
        names = [self.buffers[i].name for i in self.linear]
        return [f"linear in {', '.join(names)}: compared on integers bit for bit"] if names else []


def _unwritten(runs: Runs, buffer: BufferSpec, run: int) -> Bools:
    """Elements of a pure output that do not change with anything but the poison."""
    one, two = runs.get(Key("base", run)), runs.get(Key("base", run, 1))
    if buffer.role != "out" or one is None:
        return np.zeros(buffer.count, dtype=np.bool_)
    if buffer.name in one.written:
        return np.asarray(~one.written[buffer.name])
    if two is None:
        return _unwritten(runs, buffer, 0) if run else np.zeros(buffer.count, dtype=np.bool_)
    return differing_bits(one.outputs[buffer.name], two.outputs[buffer.name])


def _unverified(code: str, reason: str, excluded: float = 0.0) -> Verdict:
    return Verdict("unverified", "compiled", code=code, reason=reason, excluded=excluded)


__all__ = ["Judge", "RunResult", "Stop", "Unsound"]
