"""Translate every kernel of a folder in parallel and count the outcomes."""

from __future__ import annotations

import hashlib
import json
import signal
import statistics
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xpiler.diagnostics import XpilerError
from xpiler.pipeline import Options, Translation

if TYPE_CHECKING:
    from xpiler.neural.settings import Settings

KERNEL_SECONDS = 300  # after so long a kernel counts as failed
MODEL_SECONDS = 3600  # the same, where a model proposes
OUTCOMES = ("verified", "refused", "unverified", "unsound_source", "wrong")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one kernel in one direction; `failures` are the codes of its errors.

    `work` is what a run of a verified translation took, where the target's emulator counts it;
    `loops` are the innermost loops in vectors and all that count, where the target is about that;
    `ordered` those of the others whose order data decides.
    `steps` counts what became of a model's proposals (`taken`, `mended`, ...).
    """

    file: str
    direction: str
    status: str
    seconds: float
    failures: tuple[str, ...] = ()
    detail: str = ""
    parsed: bool = True
    compiled: bool = True
    expected: str | None = None
    work: dict[str, int] = field(default_factory=dict)
    loops: tuple[int, int] | None = None
    ordered: int = 0
    steps: dict[str, int] = field(default_factory=dict)

    @property
    def counted(self) -> Work | None:
        """The work by class; None where the target's runs do not tell."""
        return work_of(self.direction.rpartition("-")[2], self.work)

    @property
    def as_expected(self) -> bool:
        return self.expected is None or self.expected == self.status


def outcome_of(result: Translation, seconds: float, expected: str | None) -> Outcome:
    """Classify a translation."""
    codes = tuple(dict.fromkeys(d.code for d in result.errors))
    verdict = result.verdict
    detail = "; ".join(d.message for d in result.errors[:2]) or (
        verdict.render() if verdict else ""
    )
    status = "unverified"
    if result.text is None:
        status = "refused"
    elif verdict is not None and verdict.outcome in OUTCOMES:
        status = verdict.outcome
    if status == "verified" and not result.verified:
        status = "unverified"
    return Outcome(
        result.file,
        f"{result.source}-{result.target}",
        status,
        round(seconds, 3),
        codes,
        detail[:300],
        parsed=any(s.name == "plan" for s in result.trace.steps),
        compiled=result.text is not None and "XP0601" not in codes,
        expected=expected,
        work=dict(verdict.counters) if verdict is not None and status == "verified" else {},
        loops=result.loops if status == "verified" else None,
        ordered=result.ordered,
        steps=_steps(result),
    )


def _steps(result: Translation) -> dict[str, int]:
    from xpiler.neural.road import OUTCOMES as KINDS

    found = Counter(s.checks.get("outcome", "") for s in result.trace.steps)
    return {kind: found[kind] for kind in KINDS if found[kind]}


@dataclass(frozen=True, slots=True)
class Work:
    """What the target did beside what the source does.

    `source`: its operations on numbers, `source_floats` those of floating-point numbers. `vector`:
    those of the target's vector and matrix instructions, `scalar` its scalar ones on floating-point
    numbers. `far`: scalar accesses to far memory; `steady` places in the text that make some
    although neither their address nor whether they run depends on data.
    """

    source: int
    source_floats: int
    vector: int
    scalar: int
    far: int
    steady: int

    @property
    def mostly_vectors(self) -> bool:
        """Scalar floating-point operations are at most a tenth of the source's."""
        return 10 * self.scalar <= self.source_floats

    @property
    def no_more(self) -> bool:
        """Vector and matrix instructions do at most twice what the source does."""
        return self.vector <= 2 * self.source

    @property
    def near(self) -> bool:
        """Scalar code touches far memory only where data says so."""
        return self.far == 0 or self.steady == 0

    @property
    def ok(self) -> bool:
        return self.mostly_vectors and self.no_more and self.near


def work_of(target: str, counters: Mapping[str, int]) -> Work | None:
    """The classes that the target's `[work]` table makes of its counters; None without a table,
    and where the source's operations are not known."""
    from xpiler.platforms.registry import platform

    table = platform(target).tables.get("work")
    if not table or "source_floats" not in counters:
        return None
    floats, scalar = counters["source_floats"], counters["scalar_floats"]
    kinds = ("vector", "products", "far")
    vector, products, far = (sum(counters.get(n, 0) for n in table.get(c, ())) for c in kinds)
    source = floats + counters["source_whole"]
    done = vector + 2 * products
    return Work(source, floats, done, scalar, far, counters["steady_accesses"])


def run_one(
    path: str, target: str, seed: int | None, sandbox: str, models: Settings | None = None
) -> Outcome:
    """Translate one file; any failure of ours becomes an outcome too.

    `models` says who proposes beside the symbolic passes.
    """
    from xpiler.proposers import proposer_of, translate
    from xpiler.verify.spec import load_sidecar

    start = time.perf_counter()
    signal.signal(signal.SIGALRM, _timed_out)
    signal.alarm(KERNEL_SECONDS if models is None else MODEL_SECONDS)
    try:
        spec = load_sidecar(Path(path))
        options = Options(target=target, spec=spec, seed=seed, sandbox=sandbox, counted=True)  # type: ignore[arg-type]
        text = Path(path).read_text(encoding="utf-8")
        result = translate(text, path, options, proposer_of(models))
        return outcome_of(result, time.perf_counter() - start, expectation(Path(path), target))
    except XpilerError as why:
        codes = tuple(d.code for d in why.diagnostics)
        return Outcome(path, f"?-{target}", "refused", time.perf_counter() - start, codes, str(why))
    except (Exception, TooLong) as why:  # a bug of ours must not end the run
        text = f"{type(why).__name__}: {why}"
        return Outcome(
            path, f"?-{target}", "refused", time.perf_counter() - start, ("XP0999",), text
        )
    finally:
        signal.alarm(0)


class TooLong(BaseException):
    """A kernel took too long; no handler below may take it for a fault of the tool's own."""


def _timed_out(*_: object) -> None:
    raise TooLong("it took too long")


def expectation(path: Path, target: str) -> str | None:
    """The committed outcome: `expect` of this file in a `cases.toml` beside it, if there is one.

    A target that is not named there is meant by `all`.
    """
    table = path.with_name("cases.toml")
    if not table.is_file():
        return None
    for case in tomllib.loads(table.read_text(encoding="utf-8")).get("case", ()):
        if case.get("file") == path.name:
            found = case.get("expect", {})
            outcome = found.get(target, found.get("all"))
            return None if outcome is None else str(outcome)
    return None


class Journal:
    """Finished outcomes of a run on disk, so that an interrupted one goes on where it stopped."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.done: dict[str, Outcome] = {}
        if path.is_file():
            for line in path.read_text(encoding="utf-8").splitlines():
                raw = json.loads(line)
                outcome = Outcome(
                    **{**raw["outcome"], "failures": tuple(raw["outcome"]["failures"])}
                )
                self.done[raw["key"]] = outcome

    def add(self, key: str, outcome: Outcome) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as f:
            f.write(json.dumps({"key": key, "outcome": asdict(outcome)}) + "\n")

    def close(self) -> None:
        """The run is complete: the next one starts anew."""
        self.path.unlink(missing_ok=True)


@dataclass(slots=True)
class BenchRun:
    """One bench: which files, which targets, how many at once."""

    files: Sequence[Path]
    targets: Sequence[str]
    jobs: int = 1
    seed: int | None = None
    sandbox: str = "required"
    journal: Journal | None = None
    models: Settings | None = None
    tick: Callable[[int, int, Outcome], None] = field(default=lambda *_: None)

    def run(self) -> list[Outcome]:
        """All outcomes, ordered by direction and file; resumes what the journal holds."""
        tasks = {_key(f, t): (str(f), t) for f in self.files for t in self.targets if _wanted(f, t)}
        done = {k: o for k, o in (self.journal.done if self.journal else {}).items() if k in tasks}
        todo = {k: v for k, v in tasks.items() if k not in done}
        for key, outcome in self._execute(todo):
            done[key] = outcome
            if self.journal:
                self.journal.add(key, outcome)
            self.tick(len(done), len(tasks), outcome)
        if self.journal:
            self.journal.close()
        return sorted(done.values(), key=lambda o: (o.direction, o.file))

    def _execute(self, todo: dict[str, tuple[str, str]]) -> Iterator[tuple[str, Outcome]]:
        if self.jobs <= 1:
            for key, (path, target) in todo.items():
                yield key, run_one(path, target, self.seed, self.sandbox, self.models)
            return
        with ProcessPoolExecutor(self.jobs) as pool:
            futures = {
                pool.submit(run_one, path, target, self.seed, self.sandbox, self.models): key
                for key, (path, target) in todo.items()
            }
            try:
                for f in as_completed(futures):
                    yield futures[f], f.result()
            except KeyboardInterrupt:
                pool.shutdown(wait=False, cancel_futures=True)
                raise


def _wanted(path: Path, target: str) -> bool:
    """Not a translation to the platform that the file's own suffix names."""
    from xpiler.platforms.registry import platform

    return not path.name.endswith(tuple(platform(target).suffixes))


def _key(path: Path, target: str) -> str:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16] if path.is_file() else ""
    return f"{path}|{target}|{digest}"


def journal_for(
    files: Sequence[Path], targets: Sequence[str], folder: Path, how: str = ""
) -> Journal:
    """The journal of exactly this set of files and targets, translated in the same way.

    By the same Xpiler, too: outcomes of an older one say nothing about this one.
    """
    text = "\n".join([*map(str, files), *targets, how, _own_code()])
    return Journal(folder / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.jsonl")


def _own_code() -> str:
    """What changes with every edit of this package: its files' names, sizes and times."""
    root = Path(__file__).parent
    stats = [(f, f.stat()) for f in sorted(root.rglob("*")) if "__pycache__" not in f.parts]
    text = "\n".join(f"{f.relative_to(root)} {s.st_size} {s.st_mtime_ns}" for f, s in stats)
    return hashlib.sha256(text.encode()).hexdigest()


def relabelled(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Outcomes of files that failed before their platform was known get it from the suffix."""
    from xpiler.platforms.registry import platform_of

    out = []
    for o in outcomes:
        if o.direction.startswith("?-"):
            o = replace(o, direction=f"{platform_of(o.file).name}-{o.direction[2:]}")
        out.append(o)
    return out


def summary(outcomes: Iterable[Outcome]) -> dict[str, Any]:
    """The counts a direction, in the form that `--json` prints."""
    groups: dict[str, list[Outcome]] = {}
    for o in relabelled(outcomes):
        groups.setdefault(o.direction, []).append(o)
    data = {"directions": {name: _counts(items) for name, items in sorted(groups.items())}}
    steps: Counter[str] = Counter()
    for items in groups.values():
        for o in items:
            steps.update(o.steps)
    return {**data, "steps": dict(steps)} if steps else data


def _counts(items: list[Outcome]) -> dict[str, Any]:
    tally = Counter(o.status for o in items)
    seconds = sorted(o.seconds for o in items)
    failures = Counter(code for o in items if o.status != "verified" for code in o.failures)
    loops = [(*o.loops, o.ordered) for o in items if o.loops is not None]
    works = [w for w in (o.counted for o in items) if w is not None]
    return {
        "kernels": len(items),
        **{name: tally[name] for name in OUTCOMES},
        "parsed": sum(o.parsed for o in items),
        "translated": sum(o.status != "refused" for o in items),
        "compiled": sum(o.compiled and o.status != "refused" for o in items),
        "median_s": round(statistics.median(seconds), 3),
        "p95_s": round(seconds[min(len(seconds) - 1, int(0.95 * len(seconds)))], 3),
        "work_ok": sum(w.ok for w in works),
        "mostly_vectors": sum(w.mostly_vectors for w in works),
        "no_more": sum(w.no_more for w in works),
        "near": sum(w.near for w in works),
        "counted": len(works),
        "vectorised": sum(done == all_ for done, all_, _ in loops),
        "ordered": sum(done < all_ == done + ordered for done, all_, ordered in loops),
        "loops_counted": len(loops),
        "failures": dict(sorted(failures.items())),
        "unexpected": sorted(o.file for o in items if not o.as_expected),
    }
