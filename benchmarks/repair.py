"""Put faults into verified translations of our kernels, and see which are found and mended.

    python benchmarks/repair.py [--sample 40] [--double 0.25] [--to bang,c] [--kernels 'gemm/*']
                                [--seed 1] [--jobs 2] [--faults 2] [--second 0.34] [--seconds 60]
                                [--json]

Each pair of a kernel and a target is translated and verified; then one fault (two, for the share
`--double`) drawn from the seed is put into the text; the share `--second` by a second generator,
which was made without a look at the repairer (`faults_by_text.py`). Those that the verifier does
not see are no faults and are not counted. *Localised*: the right statement is named. *Mended*: the
repaired text is verified, differs from the faulty one in at most 5 lines, and agrees with the
kernel's NumPy reference, which the repair never sees; one that does not agree counts as *wrong*.
The symbolic passes take no part in a repair.

`--json` prints {"single": {"faults": n, "localised": n, "mended": n}, "double": {...}, "wrong": n}.
"""

from __future__ import annotations

import argparse
import collections
import fnmatch
import json
import random
import re
import resource
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tests" / "kernels"), str(ROOT / "benchmarks")]

import load  # noqa: E402
from faults_by_text import inject_by_text  # noqa: E402
from mutants import Kernel, prepared, translates  # noqa: E402

from xpiler.platforms.registry import platform  # noqa: E402
from xpiler.repair.faults import Edit, Fault, inject  # noqa: E402
from xpiler.repair.mend import MOST_LINES, Calling, mend_pair  # noqa: E402

TARGETS = ("cuda", "hip", "bang", "c")


@dataclass(frozen=True, slots=True)
class Draw:
    """Which faults to put into a text: how many, by which generator, from which seed."""

    faults: int
    second: bool
    seed: int


Job = tuple[str, str, tuple[Draw, ...], argparse.Namespace]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one faulty text; `kinds` and `classes` are those of its faults."""

    kernel: str
    target: str
    seed: int
    second: bool
    kinds: tuple[str, ...]
    classes: tuple[str, ...]
    localised: bool
    mended: bool
    wrong: bool
    seconds: float
    work: float
    tried: int
    detail: str

    @property
    def number(self) -> str:
        return "single" if len(self.kinds) == 1 else "double"


def work(job: Job) -> list[Result]:
    """All faults of one pair."""
    name, to, draws, args = job
    kernel = prepared(name, args.seed, to)
    if isinstance(kernel, str):
        print(f"{name} -> {to}: {kernel}"[:200], file=sys.stderr)
        return []
    found = (one(kernel, name, to, draw, args) for draw in draws)
    return [r for r in found if r is not None]


def one(kernel: Kernel, name: str, to: str, draw: Draw, args: argparse.Namespace) -> Result | None:
    """One faulty text, or None where its faults change nothing that can be seen."""
    n = draw.faults
    faulty = (inject_by_text if draw.second else inject)(kernel.text, to, draw.seed, n)
    if len(faulty.faults) < n:
        return None
    begun, worked = time.monotonic(), _work()
    raised = kernel.raised
    calling = Calling(raised.extras, raised.entries, raised.extents, raised.lost, raised.alike)
    out = mend_pair(
        kernel.reading, faulty.text, platform(to), calling, seed=kernel.seed, seconds=args.seconds,
        executor=kernel.executor,
    )  # fmt: skip
    if out.ok and out.changed == 0:
        return None
    took, worked = time.monotonic() - begun, _work() - worked
    lines = [p.line for p in out.places]
    localised = all(any(same(faulty.text, f, x) for x in lines[: n + 2]) for f in faulty.faults)
    if n == 2 and out.ok and not localised and not all(seen(kernel, e) for e in faulty.edits):
        return None
    wrong = out.ok and not agrees(kernel, out.text)
    mended = out.ok and not wrong and out.changed <= MOST_LINES
    told = "; ".join(f"{f.line}: {f.kind}: {f.description}" for f in faulty.faults)
    detail = f"{told} | {lines} | {'' if out.ok else out.diagnostic.message}"
    kinds, classes = zip(*((f.kind, f.cls) for f in faulty.faults), strict=True)
    return Result(name, to, draw.seed, draw.second, kinds, classes, localised, mended, wrong, took,
                  worked, out.tried, detail)  # fmt: skip


def seen(kernel: Kernel, edit: Edit) -> bool:
    """Whether a fault shows when it is the only one: if not, two faults are but one."""
    return not kernel.verify(edit.apply(kernel.text)).ok


def _work() -> float:
    """Seconds of the processor that this process and those that it started have used."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, who))


def same(text: str, fault: Fault, line: int) -> bool:
    """Whether `line` is of the statement with the fault (beside it, where that was taken out)."""
    if abs(line - fault.line) <= (1 if fault.description.startswith("without") else 0):
        return True
    lines = text.splitlines()
    first, last = sorted((line, fault.line))
    between = lines[first - 1 : last - 1]
    return last - first < 6 and not any(re.search(r"[;{}]\s*$", x) for x in between)


def agrees(kernel: Kernel, text: str) -> bool:
    """Whether a text does what NumPy says, on inputs that the repair has not seen."""
    bare = re.sub(r"[\s()]", "", text)
    if bare == re.sub(r"[\s()]", "", kernel.text):
        return True
    return kernel.oracle.difference(text, 0, kernel.first_inputs) == ""


def jobs_of(args: argparse.Namespace) -> Iterator[Job]:
    """The pairs in an order drawn from the seed, each with its draws."""
    rng = random.Random(args.seed)
    targets = args.to.split(",") if args.to else TARGETS
    pairs = [
        (c.id, to) for to in targets for c in load.cases()
        if translates(c, to) and fnmatch.fnmatch(c.id, args.kernels)
    ]  # fmt: skip
    rng.shuffle(pairs)
    for name, to in pairs:
        draws = [
            Draw(
                1 + (rng.random() < args.double), rng.random() < args.second, rng.randrange(1 << 30)
            )
            for _ in range(args.faults)
        ]
        yield name, to, tuple(draws), args


def _draw(rng: random.Random, args: argparse.Namespace) -> Draw:
    faults = 2 if rng.random() < args.double else 1
    return Draw(faults, rng.random() < args.second, rng.randrange(1 << 30))


def summary(results: Sequence[Result]) -> dict[str, object]:
    """The counts that `--json` prints."""
    out: dict[str, object] = {}
    for number in ("single", "double"):
        these = [r for r in results if r.number == number]
        out[number] = {
            "faults": len(these),
            "localised": sum(r.localised for r in these),
            "mended": sum(r.mended for r in these),
        }
    return {**out, "wrong": sum(r.wrong for r in results)}


def table(results: Sequence[Result]) -> str:
    """Single faults by class, and the times."""
    rows: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for r in results:
        for row in (
            r.classes[0] if r.number == "single" else "two faults",
            "second generator" if r.second else "first generator",
            f"to {r.target}",
            "all",
        ):
            marks = [m for m in ("localised", "mended", "wrong") if getattr(r, m)]
            rows[row].update(["faults", *marks])
    columns = ("faults", "localised", "mended", "wrong")
    order = sorted(rows, key=_order)
    lines = [f"{'':20}" + "".join(f"{c:>11}" for c in columns)]
    lines += [f"{k:20}" + "".join(f"{rows[k][c]:11}" for c in columns) for k in order]
    single = [r for r in results if r.number == "single"]
    for what, values in (
        ("seconds a single fault", [r.seconds for r in single]),
        ("of them the processor's", [r.work for r in single]),
    ):
        ordered = sorted(values) or [0.0]
        late = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
        lines.append(f"{what}: median {statistics.median(ordered):.1f}, 95th percentile {late:.1f}")
    return "\n".join(lines)


def _order(row: str) -> tuple[int, str]:
    """Classes first, then two faults, generators, targets and all."""
    later = ("two faults", "first generator", "second generator", "to ", "all")
    return next((n for n, x in enumerate(later, 1) if row.startswith(x)), 0), row


def run(args: argparse.Namespace) -> list[Result]:
    """Work until `--sample` faults are judged (0: all of every pair)."""
    results: list[Result] = []
    with ProcessPoolExecutor(args.jobs) as pool, open(args.log or "/dev/null", "a") as log:
        waiting = iter(jobs_of(args))
        while chunk := [j for _, j in zip(range(2 * args.jobs), waiting, strict=False)]:
            for found in pool.map(work, chunk):
                results += found
                for r in found:
                    mark = "mended" if r.mended else "WRONG" if r.wrong else "not mended"
                    place = "" if r.localised else ", not localised"
                    pair = f"{r.seconds:5.1f} s ({r.work:.1f}) {r.kernel} -> {r.target}"
                    print(f"{pair}: {mark}{place}: {r.detail}", file=sys.stderr, flush=True)
                    log.write(json.dumps(asdict(r)) + "\n")
                    log.flush()
            if args.sample and len(results) >= args.sample:
                break
    return results


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sample", type=int, default=0, help="stop after so many faults")
    parser.add_argument("--double", type=float, default=0.25, help="share of texts with two faults")
    parser.add_argument("--second", type=float, default=0.34, help="share by the second generator")
    parser.add_argument("--faults", type=int, default=2, help="faulty texts of each pair")
    parser.add_argument("--to", default="", help="targets, by commas")
    parser.add_argument("--kernels", default="*", help="pattern of kernels")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=60.0, help="for one repair")
    parser.add_argument("--log", default="", help="append each outcome to this file, as JSON lines")
    parser.add_argument("--json", action="store_true", help="print the counts as JSON")
    args = parser.parse_args()
    results = run(args)
    print(json.dumps(summary(results)) if args.json else table(results))
    return 1 if any(r.wrong for r in results) else 0


if __name__ == "__main__":
    sys.exit(main())
