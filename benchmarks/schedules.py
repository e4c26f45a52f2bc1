"""Random schedules of legal passes on our kernels, each translation verified as any other.

    python benchmarks/schedules.py [--count 2000] [--seed 1] [--target c] [--jobs 2] [--show]

Every schedule has one to eight passes, each drawn among those that have a legal instance at that
point. Prints how often each pass was taken, how many
schedules change the text, and every schedule whose translation does not verify though the plain
one does. Exit code 0 when there is no such schedule.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from xpiler.bench import expectation
from xpiler.diagnostics import XpilerError
from xpiler.ir.program import Program
from xpiler.passes.steps import REGISTRY, Around, Done, Instance, instance
from xpiler.pipeline import Options, sequential, translate
from xpiler.platforms.registry import platform, platform_of
from xpiler.verify.spec import load_sidecar

KERNELS = Path(__file__).parent.parent / "tests" / "kernels"
TARGETS = ("c", "cuda", "hip", "bang")
LONGEST = 8
RARE = (
    "unpipeline",
    "detensorize",
    "pipeline",
    "uncache",
    "tensorize",
    "loop_contraction",
    "cache",
)  # passes that need another one before them, or a loop of a kind, are tried first at times
TRIES = 6  # instances of a pass that are tried at one point


@dataclass(frozen=True)
class Result:
    """What became of one schedule; `status` is verified, skipped, or what went wrong."""

    file: str
    target: str
    steps: tuple[Instance, ...]
    status: str
    changed: bool = False
    reason: str = ""


def draw(program: Program, around: Around, rng: random.Random, start: bool) -> tuple[Instance, ...]:
    """A schedule of legal steps for `program`; `start`: it recovers the loops itself."""
    steps: list[Instance] = []
    if start:
        steps.append(instance("loop_recovery"))
        done = REGISTRY["loop_recovery"].apply(program, steps[0], around)
        if not isinstance(done, Done):
            return ()
        program = done.program
    for _ in range(rng.randint(1, LONGEST - len(steps))):
        found = _one(program, around, rng, steps)
        if found is None:
            break
        steps.append(found[0])
        program = found[1]
    return tuple(steps)


def _one(
    program: Program, around: Around, rng: random.Random, taken: Sequence[Instance]
) -> tuple[Instance, Program] | None:
    """A legal step: passes in random order, those that this schedule has not had yet first."""
    had = Counter(one.step for one in taken)
    names = sorted(REGISTRY, key=lambda name: (had[name], rng.random()))
    if rng.random() < 0.5:
        names = [*RARE, *names]
    for name in dict.fromkeys(names):
        options = list(REGISTRY[name].candidates(program, around))
        for one in rng.sample(options, min(TRIES, len(options))):
            done = REGISTRY[name].apply(program, one, around)
            if isinstance(done, Done):
                return one, done.program
    return None


def work(job: tuple[str, str, int]) -> Result:
    """Draw one schedule and verify what it gives."""
    file, target, seed = job
    rng = random.Random(seed)
    text, spec = Path(file).read_text(encoding="utf-8"), load_sidecar(Path(file))
    plain = Options(target, spec=spec, seed=1)
    steps: tuple[Instance, ...] = ()
    try:
        start = Path(file).suffix != ".c" and rng.random() < 0.25
        begun = replace(plain, schedule=(instance("loop_recovery"),) if start else ())
        program, around = sequential(text, file, begun)
        steps = draw(program, around, rng, start)
        if not steps:
            return Result(file, target, (), "skipped", reason="nothing is legal")
        before = translate(text, file, replace(plain, verify=False))
        after = translate(text, file, replace(plain, schedule=steps))
    except XpilerError as why:
        return Result(file, target, steps, "skipped", reason=str(why))
    changed = after.text != before.text
    if after.verified:
        return Result(file, target, steps, "verified", changed)
    reason = "; ".join(d.message + " " + str(d.reason or "") for d in after.errors[:2])
    verdict = after.verdict
    status = verdict.outcome if verdict is not None else "refused"
    reason = reason or (verdict.reason if verdict is not None else "")
    if translate(text, file, plain).verified:
        return Result(file, target, steps, status, changed, reason)
    return Result(file, target, steps, "skipped", reason="the plain translation is not verified")


def jobs(args: argparse.Namespace) -> list[tuple[str, str, int]]:
    """(file, target, seed) of every schedule: kernels and targets in random order."""
    rng = random.Random(args.seed)
    suffixes = tuple(platform(t).suffixes[0] for t in TARGETS)
    files = sorted(f for f in map(str, KERNELS.glob("*/*")) if f.endswith(suffixes))
    pairs = [(f, t) for f in files for t in args.target or TARGETS if _sound(f, t)]
    return [(*rng.choice(pairs), rng.randrange(1 << 30)) for _ in range(args.count)]


def _sound(file: str, target: str) -> bool:
    text = Path(file).read_text(encoding="utf-8")
    own = platform_of(file, text).name == platform(target).name
    return not own and expectation(Path(file), target) == "verified"


def report(found: Sequence[Result]) -> int:
    """Print the figures; the number of schedules that went wrong."""
    used = Counter(one.step for r in found if r.status != "skipped" for one in r.steps)
    ran = [r for r in found if r.status != "skipped"]
    wrong = [r for r in ran if r.status != "verified"]
    for name in REGISTRY:
        print(f"{name:18} {used[name]:6}")
    changed = sum(r.changed for r in ran)
    share = changed / max(1, len(ran))
    print(f"{len(ran)} schedules ({len(found) - len(ran)} skipped): {len(ran) - len(wrong)} verify")
    print(f"{changed} change the text ({share:.0%})")
    return len(wrong)


def _where(r: Result) -> str:
    return f"{Path(r.file).relative_to(KERNELS)} -> {r.target}"


def _failure(r: Result) -> str:
    """One schedule that went wrong, with its steps."""
    head = f"{r.status} {_where(r)}: {r.reason[:400]}"
    return "\n    ".join([head, *map(str, r.steps)])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", action="append", choices=TARGETS)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--show", action="store_true", help="a line for every schedule")
    args = parser.parse_args()
    with ProcessPoolExecutor(args.jobs) as pool:
        found = []
        for one in pool.map(work, jobs(args)):
            found.append(one)
            if args.show:
                passes = " ".join(step.step for step in one.steps)
                print(f"{one.status} {_where(one)}: {passes} {one.reason[:80]}", flush=True)
            if one.status not in ("verified", "skipped"):
                print(f"{len(found)}: {_failure(one)}", flush=True)
    return 1 if report(found) else 0


if __name__ == "__main__":
    sys.exit(main())
