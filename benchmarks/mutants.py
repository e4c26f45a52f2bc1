"""Make wrong variants of translated kernels and ask the verifier about each: none may pass.

    python benchmarks/mutants.py [--to c] [--from cuda] [--count 500] [--jobs 2] [--seed 1]
                                 [--kernels 'gemm/*'] [--fresh]

A variant is *wrong* when its output differs from the kernel's NumPy reference, beyond the tolerance
written in `cases.toml`, on any of up to 1,000 random inputs, or when it crashes or steps over the
end of a buffer there. `--count` wrong ones are judged, taken from all kernels in turn. Columns:

    made        variants tried                   no build    the compiler refused them
    wrong       as defined above                 caught      wrong, and not called verified
    survived    wrong, and called verified       stricter    not seen to be wrong, yet not verified
    equivalent  verified, and no different on 1,000 inputs (targets other than C: on 60, each with
                another order of threads)

Progress is kept in `.xpiler/mutants-TO-SEED.jsonl`, so that an interrupted run goes on; `--recheck`
asks about survivors again. Exit code 1 when a wrong variant survived.
"""

from __future__ import annotations

import argparse
import collections
import difflib
import fnmatch
import hashlib
import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests" / "kernels"))

import load  # noqa: E402
from emulate import invocation  # noqa: E402
from mutant_emulated import EmulatedOracle  # noqa: E402
from mutant_oracle import Oracle, runs_here  # noqa: E402
from mutation import Edit, chosen, without_barriers  # noqa: E402
from mutation_bang import edits as bang_edits  # noqa: E402
from mutation_gpu import edits as gpu_edits  # noqa: E402

from xpiler import pipeline  # noqa: E402
from xpiler.diagnostics import XpilerError  # noqa: E402
from xpiler.platforms.registry import platform, platform_of  # noqa: E402
from xpiler.port import can_port, port  # noqa: E402
from xpiler.trace import Trace  # noqa: E402
from xpiler.verify.execution import build, execute  # noqa: E402
from xpiler.verify.invocation import Invocation  # noqa: E402
from xpiler.verify.reading import Reading, read  # noqa: E402
from xpiler.verify.remembering import Remembering  # noqa: E402
from xpiler.verify.session import check_translation  # noqa: E402
from xpiler.verify.spec import load_sidecar  # noqa: E402
from xpiler.verify.verdict import Verdict  # noqa: E402

INPUTS, FIRST_INPUTS = 1000, 24
FIRST_EMULATED = 6
SCHEDULES = 6  # in which a source without a barrier is run to see it fail
COLUMNS = ("made", "no build", "wrong", "caught", "survived", "stricter", "equivalent")


@dataclass(frozen=True, slots=True)
class Judged:
    """One variant's outcome; `shown` is the difference from the reference, if one was seen."""

    kernel: str
    key: str
    kind: str
    outcome: str
    shown: str
    verdict: str
    diff: str

    @property
    def is_wrong(self) -> bool:
        return self.outcome in ("caught", "survived")


@dataclass
class Kernel:
    """A kernel translated to `to`, and both judges of its variants."""

    case: load.Case
    to: str
    reading: Reading
    text: str
    raised: pipeline.Raised
    oracle: Oracle | EmulatedOracle
    seed: int
    executor: Remembering

    @property
    def first_inputs(self) -> int:
        """Inputs that every variant is tried on."""
        return FIRST_INPUTS if isinstance(self.oracle, Oracle) else FIRST_EMULATED

    def verify(self, text: str, reading: Reading | None = None) -> Verdict:
        """What the verifier says of `text` as a translation of the kernel."""
        return check_translation(
            reading or self.reading, text, platform(self.to), seed=self.seed,
            extras=self.raised.extras, lost=self.raised.lost, entries=self.raised.entries,
            extents=self.raised.extents, alike=self.raised.alike, executor=self.executor,
        )  # fmt: skip


def options_of(case: load.Case, seed: int, to: str) -> pipeline.Options:
    return pipeline.Options(target=to, spec=load_sidecar(case.path), seed=seed)


@lru_cache(maxsize=4)
def prepared(name: str, seed: int, to: str = "c") -> Kernel | str:
    """The kernel ready for judging, or why it can't be: both judges must accept its translation."""
    case = next(c for c in load.cases(name.split("/")[0]) if c.id == name)
    source, options = case.path.read_text(encoding="utf-8"), options_of(case, seed, to)
    try:
        reading = read(source, str(case.path), platform_of(str(case.path), source), options, [])
        text, raised = _translated(reading, case, options)
    except XpilerError as why:
        return f"not translated: {why}"
    if text is None:
        return "not translated as a whole"
    kernel = Kernel(
        case, to, reading, text, raised, _oracle(case, to, text, raised), seed, Remembering()
    )
    return _unaccepted(kernel) or kernel


def _translated(
    reading: Reading, case: load.Case, options: pipeline.Options
) -> tuple[str | None, pipeline.Raised]:
    """The text in port mode where that is complete, else by the ordinary road."""
    target = platform(options.target)
    if can_port(reading.platform, target):
        ported = port(reading.text, reading.file, reading.platform, target, arch=reading.arch)
        if ported.complete:
            return ported.text, pipeline.Raised(alike=True)
    trace = Trace(str(case.path), case.platform, target.name, options.seed or 0)
    out = pipeline.Translation(str(case.path), case.platform, target.name, trace)
    raised = pipeline._raise_and_write(reading, target, out, options)
    return (None if out.errors else out.text), raised


def _oracle(
    case: load.Case, to: str, text: str, raised: pipeline.Raised
) -> Oracle | EmulatedOracle:
    extras = raised.extras.get(case.entry, ())
    if to == "c" and runs_here(text):
        return Oracle(case, extras)
    return EmulatedOracle(case, to, extras, raised.entries.get(case.entry), raised.alike)


def _unaccepted(kernel: Kernel) -> str:
    differs = kernel.oracle.difference(kernel.text, 0, kernel.first_inputs)
    if differs:  # perhaps it needs buffers that are aligned
        kernel.oracle.aligned = True
        differs = kernel.oracle.difference(kernel.text, 0, kernel.first_inputs)
    if differs != "":
        return f"the translation itself differs from the reference: {differs}"
    verdict = kernel.verify(kernel.text)
    return "" if verdict.ok else f"the translation itself does not pass: {verdict.render()}"


def judge(kernel: Kernel, edit: Edit) -> tuple[str, str, str]:
    """Outcome, the difference shown, and the verdict on one variant of the target's text."""
    text = edit.apply(kernel.text)
    shown = kernel.oracle.difference(text, 0, kernel.first_inputs)
    if shown is None:
        return "no build", "", ""
    verdict = kernel.verify(text)
    if verdict.ok and not shown:
        shown = kernel.oracle.difference(text, kernel.first_inputs, INPUTS, 300) or ""
    return _outcome(verdict.ok, bool(shown)), shown, verdict.render()


def _outcome(passed: bool, wrong: bool) -> str:
    if wrong:
        return "survived" if passed else "caught"
    return "equivalent" if passed else "stricter"


def judge_source(kernel: Kernel, edit: Edit) -> tuple[str, str, str]:
    """The same for a source that lost a barrier: run unchecked under several schedules."""
    case = kernel.case
    text = edit.apply(case.path.read_text(encoding="utf-8"))
    try:
        shown = "; ".join(_source_differences(case, text))
        options = options_of(case, kernel.seed, kernel.to)
        reading = read(text, str(case.path), platform_of(str(case.path), text), options, [])
        verdict = kernel.verify(kernel.text, reading)
    except XpilerError as why:
        return "no build", "", str(why)
    return _outcome(verdict.ok, bool(shown)), shown[:300], verdict.render()


def _source_differences(case: load.Case, text: str) -> Iterator[str]:
    for sizes in case.sizes:
        drawn = load.inputs(case, sizes, seed=1)
        call: Invocation = invocation(case, sizes, drawn)
        program = build(text, case.platform, call, checks=False, filename=case.path.name)
        want = load.expected(case, sizes, drawn)
        for schedule in range(SCHEDULES):
            result = execute(program, call, poison=schedule, schedule=schedule)
            if result.exit_status:
                yield f"schedule {schedule}: the run ended with {result.exit_status}"
                return
            worst = [load.mismatch(case, n, result.outputs[n], w) for n, w in want.items()]
            if any(worst):
                yield f"schedule {schedule}: {next(filter(None, worst))}"
                return


def variants(kernel: Kernel) -> list[tuple[Edit, bool]]:
    """All variants in the order in which they are judged; the second: of the source's text."""
    rng = random.Random(f"{kernel.seed}/{kernel.case.id}")
    if kernel.to != "c":
        every = bang_edits if kernel.to == "bang" else gpu_edits
        return [(edit, False) for edit in chosen(kernel.text, rng, every(kernel.text))]
    ordered = [(edit, False) for edit in chosen(kernel.text, rng)]
    source = without_barriers(kernel.case.path.read_text(encoding="utf-8"))
    rng.shuffle(source)
    for place, edit in enumerate(source):
        ordered.insert(4 + 12 * place, (edit, True))
    return ordered


def work(job: tuple[str, str, int, int, int, str]) -> str:
    """Judge some variants of one kernel, writing each outcome to the journal."""
    name, to, seed, first, last, journal = job
    path, mark = Path(journal), {"done": f"{name} {first} {last}"}
    if mark in _lines(path):
        return ""
    kernel = prepared(name, seed, to)
    if isinstance(kernel, str):
        return f"{name}: {kernel}"
    known = {j.key for j in read_journal(path)}
    for edit, of_source in variants(kernel)[first:last]:
        before = kernel.case.path.read_text(encoding="utf-8") if of_source else kernel.text
        after = edit.apply(before)
        key = hashlib.sha256(f"{name}\n{after}".encode()).hexdigest()[:20]
        if key in known:
            continue
        outcome, shown, verdict = (judge_source if of_source else judge)(kernel, edit)
        judged = Judged(name, key, edit.kind, outcome, shown, verdict, _diff(before, after))
        _append(path, asdict(judged))
    _append(path, mark)
    return ""


def _append(journal: Path, entry: dict[str, str]) -> None:
    with journal.open("a", encoding="utf-8") as f:
        f.write(json.dumps(entry) + "\n")


def _diff(before: str, after: str) -> str:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return "\n".join(x for x in lines if not x.startswith(("---", "+++")))


def _lines(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def read_journal(path: Path) -> list[Judged]:
    """The variants that were judged so far, each once."""
    found = [Judged(**line) for line in _lines(path) if "done" not in line]
    return list({j.key: j for j in found}.values())


def translates(case: load.Case, to: str = "c") -> bool:
    """Whether the kernel becomes a text of `to` of which wrong variants are made."""
    expect = case.expect.get(to, case.expect.get("all"))
    return expect == "verified" and case.platform != to


def run(args: argparse.Namespace, journal: Path) -> list[str]:
    """Judge until `--count` wrong variants are known; gives the kernels that were left out."""
    sources = set(args.sources.split(",")) if args.sources else set()
    cases = [c for c in load.cases() if translates(c, args.to)]
    names = [c.id for c in cases if not sources or c.platform in sources]
    names = [n for n in names if fnmatch.fnmatch(n, args.kernels)]
    random.Random(args.seed).shuffle(names)
    names = names[: args.sample]
    unfit: dict[str, str] = {}
    first, begun = 0, time.monotonic()
    with ProcessPoolExecutor(args.jobs) as pool:
        while names and sum(j.is_wrong for j in read_journal(journal)) < args.count:
            if first >= args.most:
                break
            last = first + args.step
            jobs = [(n, args.to, args.seed, first, last, str(journal)) for n in names]
            for name, why in zip(names, pool.map(work, jobs), strict=True):
                if why:
                    unfit[name] = why
                progress = collections.Counter(j.outcome for j in read_journal(journal))
                print(f"{time.monotonic() - begun:6.0f} s {name} {dict(progress)}", file=sys.stderr)
            names = [n for n in names if n not in unfit]
            first = last
    return list(unfit.values())


def table(found: Sequence[Judged]) -> str:
    """The counts by kind of mistake."""
    rows: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for j in found:
        for row in (rows[j.kind], rows["all"]):
            row.update(["made", j.outcome, *(["wrong"] if j.is_wrong else [])])
    order = [*sorted(k for k in rows if k != "all"), *(["all"] if rows else [])]
    lines = [f"{'':26}" + "".join(f"{c:>11}" for c in COLUMNS)]
    lines += [f"{k:26}" + "".join(f"{rows[k][c]:11}" for c in COLUMNS) for k in order]
    return "\n".join(lines)


def details(found: Sequence[Judged], outcome: str) -> Iterator[str]:
    for j in sorted(found, key=lambda j: (j.kernel, j.key)):
        if j.outcome == outcome:
            yield f"{outcome}: {j.kernel}, {j.kind}: {j.shown or j.verdict}\n{j.diff}\n"


def _stays(line: dict[str, str], again: set[str]) -> bool:
    """Whether a line of the journal is kept when survivors of the kernels `again` are rechecked."""
    if "done" in line:
        return line["done"].split()[0] not in again
    return line["outcome"] != "survived"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--to", default="c", help="target platform")
    parser.add_argument("--from", dest="sources", default="", help="source platforms (all)")
    parser.add_argument("--count", type=int, default=500, help="wrong variants to judge")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kernels", default="*", help="glob of OPERATOR/FILE")
    parser.add_argument("--sample", type=int, help="only so many kernels, drawn by the seed")
    parser.add_argument("--step", type=int, default=7, help="variants of a kernel in one go")
    parser.add_argument("--most", type=int, default=500, help="variants of a kernel at most")
    parser.add_argument("--fresh", action="store_true", help="forget earlier outcomes")
    parser.add_argument("--recheck", action="store_true", help="ask about survivors again")
    args = parser.parse_args()
    name = "-".join(filter(None, (args.sources.replace(",", "-"), args.to, str(args.seed))))
    journal = ROOT / ".xpiler" / f"mutants-{name}.jsonl"
    journal.parent.mkdir(exist_ok=True)
    if args.fresh:
        journal.unlink(missing_ok=True)
    if args.recheck:
        again = {j.kernel for j in read_journal(journal) if j.outcome == "survived"}
        kept = [x for x in _lines(journal) if _stays(x, again)]
        journal.write_text("".join(f"{json.dumps(x)}\n" for x in kept), encoding="utf-8")
    unfit = run(args, journal)
    found = [j for j in read_journal(journal) if fnmatch.fnmatch(j.kernel, args.kernels)]
    for outcome in ("equivalent", "survived"):
        print("\n".join(details(found, outcome)))
    print("\n".join(f"left out: {line}" for line in unfit))
    print(table(found))
    kernels = {j.kernel for j in found}
    print(f"{len(kernels)} kernels of {len({k.split('/')[0] for k in kernels})} operators")
    return 1 if any(j.outcome == "survived" for j in found) else 0


if __name__ == "__main__":
    sys.exit(main())
