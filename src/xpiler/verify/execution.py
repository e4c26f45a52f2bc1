"""Build a unit of text with its platform's emulator, and run it, both confined.

`build` makes a program of unmodified CUDA, HIP or C text and a few appended lines that call its
entry; `execute` runs it on given buffers and tells what they hold then and which faults showed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from xpiler.host.sandbox import ChildResult, Limits, read_output, run_sandboxed
from xpiler.verify.building import BuildError, Executable, build
from xpiler.verify.driver import Buffers, RunOptions, input_parts, read_outputs
from xpiler.verify.dtypes import Bools, same_bits
from xpiler.verify.findings import Places, read_counters, read_findings
from xpiler.verify.invocation import UNTOUCHED, BufferArg, Finding, Invocation, RunResult, ScalarArg
from xpiler.verify.runner import Job

__all__ = [
    "BufferArg", "BuildError", "Executable", "Finding", "Invocation", "Limits", "RunResult",
    "ScalarArg", "build", "differential", "execute", "execute_each",
]  # fmt: skip

# A program stops itself at its limit and says where it was; it is killed this much later, in
# seconds, for its start counts too and a busy machine is slow to listen.
_TO_TELL = 2.0


def execute(
    exe: Executable,
    invocation: Invocation,
    *,
    seed: int = 0,
    poison: int = 0,
    schedule: int = 0,
    rounding: int = 0,
    limits: Limits | None = None,
    argv: Sequence[str] = (),
    stdin: bytes = b"",
) -> RunResult:
    """Run the program on `invocation`'s values.

    `poison` chooses the pattern that undefined memory holds, `schedule` the order of threads and
    blocks (0: ascending), `seed` what else is unspecified, `rounding` how floating-point results
    are rounded (0: to nearest, 1: up, 2: down). `argv` and `stdin` are for kind "main".
    `exit_status` is 0 for a run that came to its end; findings say why it did not.
    """
    limits = limits or Limits()
    job = Job(invocation, seed, poison, schedule, exe.checks, rounding)
    with tempfile.TemporaryDirectory(prefix="xpiler-") as name:
        folder = Path(name)
        _write_input(folder / "input", exe, job, limits)
        child = run_sandboxed(
            [str(exe.path), *_FILES, *argv],
            read_paths=(exe.path,), write_dir=folder, stdin=stdin,
            limits=replace(limits, seconds=_told_within(limits)),
        )  # fmt: skip
        return _result(exe, invocation, child, folder)


def execute_each(exe: Executable, jobs: Sequence[Job], *, limits: Limits) -> list[RunResult]:
    """Run the program on each job, one after the other; the first that ends badly is the last.

    Each run is in a fork of one process, which costs a fraction of a process of its own. The
    limits are those of each; what the runs print is lost.
    """
    if len(jobs) == 1:
        (j,) = jobs
        return [
            execute(
                exe, j.invocation, seed=j.seed, poison=j.poison, schedule=j.schedule,
                rounding=j.rounding, limits=limits,
            )
        ]  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="xpiler-") as name:
        folder = Path(name)
        for k, job in enumerate(jobs):
            _write_input(folder / f"input.{k}", exe, job, limits)
        child = run_sandboxed(
            [str(exe.path), "--each", str(len(jobs)), *_FILES],
            read_paths=(exe.path,), write_dir=folder,
            limits=replace(limits, seconds=len(jobs) * _told_within(limits)),
        )  # fmt: skip
        begun = [k for k in range(len(jobs)) if (folder / f"findings.{k}").exists()] or [0]
        well = replace(child, returncode=0, killed_by=None, stdout=b"", stderr=b"")
        return [
            _result(exe, jobs[k].invocation, child if k == begun[-1] else well, folder, f".{k}")
            for k in begun
        ]


_FILES = ("input", "output", "findings")


def _told_within(limits: Limits) -> float:
    """Seconds after which a run that has `limits` has told that it takes too long."""
    return limits.seconds * 1.1 + _TO_TELL


def _write_input(path: Path, exe: Executable, job: Job, limits: Limits) -> None:
    options = RunOptions(
        exe.checks, job.poison, job.schedule, job.seed, exe.warp_width, exe.shared_limit,
        max(1, int(limits.seconds * 1000)), job.invocation.kind == "main",
        job.rounding,
    )  # fmt: skip
    with path.open("wb") as file:
        file.writelines(input_parts(job.invocation, options))


def _left(folder: Path, name: str) -> bytes | None:
    try:
        return read_output(folder, name)
    except OSError:
        return None


def _result(
    exe: Executable, invocation: Invocation, child: ChildResult, folder: Path, number: str = ""
) -> RunResult:
    """What a run left in the files of its `number` (".3")."""
    places = Places(exe.path, exe.filename)
    told = _left(folder, f"findings{number}") or b""
    findings, took = read_findings(told, places)
    failed = child.returncode != 0 and invocation.kind != "main"
    if took is None or (failed and not any(f.severity == "error" for f in findings)):
        findings.insert(0, _end_finding(child))
    data = _left(folder, f"output{number}") if took is not None else None
    try:
        left = read_outputs(invocation, data, exe.checks) if data else Buffers({}, {}, {}, set())
    except ValueError:
        left = Buffers({}, {}, {}, set())
    return RunResult(
        outputs=left.outputs,
        findings=tuple(findings),
        stdout=child.stdout.decode(errors="replace"),
        seconds=took[0] if took else child.seconds,
        cpu_seconds=took[1] if took else child.cpu_seconds,
        counters=read_counters(told),
        exit_status=child.returncode,
        written=left.written,
        read=left.read,
        by_kernels=frozenset(left.by_kernels),
        stderr=child.stderr.decode(errors="replace"),
    )


def _end_finding(child: ChildResult) -> Finding:
    """Why a run ended that could not tell it itself."""
    if child.killed_by == "time":
        return Finding("timeout", f"the run took longer than {child.seconds:.1f} s")
    if child.killed_by is not None:
        return Finding("resources", f"the run was stopped: too much {child.killed_by}")
    reason = child.stderr.decode(errors="replace").strip()[-300:]
    said = f": {reason}" if reason else ""
    return Finding("crash", f"the run ended with status {child.returncode}{said}")


# ---- undefined values ----------------------------------------------------------------------------


def differential(first: RunResult, second: RunResult, same_schedule: bool = True) -> list[Finding]:
    """What two runs on the same inputs, which differ in poison (and schedule), show.

    An element that differs between them depends on a value that nothing defines, or (under other
    schedules or seeds) on the order of threads or on what is unspecified: an error, since it
    reached an output; a note where atomic operations explain it. Elements that neither run wrote
    do not count.
    """
    found = []
    for name in first.outputs.keys() & second.outputs.keys():
        pair = first.outputs[name], second.outputs[name]
        if any(data is UNTOUCHED for data in pair):
            continue
        differs = ~same_bits(*pair)
        for run in (first, second):
            if name in run.written:
                differs &= run.written[name]
        if differs.any():
            found.append(_undefined(name, differs, same_schedule, (first, second)))
    return sorted(found, key=lambda f: f.buffer)


_CAUSES = {
    "uninitialised": "a value that nothing wrote",
    "unstable": "the order in which threads run",
}


def _undefined(
    name: str, differs: Bools, same_schedule: bool, runs: tuple[RunResult, RunResult]
) -> Finding:
    index, count = int(np.argmax(differs)), int(differs.sum())
    seen = [f for run in runs for f in run.findings]
    reads = [f for f in seen if f.kind == "uninitialised_read" and f.line]
    kind = "uninitialised" if same_schedule or reads else "unstable"
    cause = _CAUSES[kind]
    line = reads[0].line if reads else 0
    where = f", read at line {line}" if line else ""
    what = f"{count} elements of {name} depend" if count > 1 else f"an element of {name} depends"
    message = f"{what} on {cause}{where}"
    explained = kind == "unstable" and any(f.kind == "atomic" for f in seen)
    return Finding(kind, message, line, "note" if explained else "error", name, index)
