"""Feed mutated kernels, random text and bytes to the tool: diagnostics only, no traceback, no hang.

    python benchmarks/fuzz.py --count 10000 --jobs 2 [--verify-share 0.01] [--seed 1]

Prints the counts and every input that made Xpiler raise or take more than `--seconds`.
Exit code 0 when there was none.
"""

from __future__ import annotations

import argparse
import collections
import random
import re
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from xpiler.cli.common import read_source
from xpiler.diagnostics import XpilerError
from xpiler.pipeline import Options, translate
from xpiler.platforms.registry import all_platforms

KERNELS = Path(__file__).parent.parent / "tests" / "kernels"
TOKEN = re.compile(r"\w+|<<<|>>>|[-+*/%<>=!&|^]=|&&|\|\||\+\+|--|\s+|.", re.S)
PLATFORM = {".cu": "cuda", ".hip": "hip", ".c": "c", ".mlu": "bang"}
TARGETS = [p.name for p in all_platforms() if p.writable]
NOISE = ["0", "-1", "2147483648", "1e309f", "}", "{", "(", ")", ";", "<<<", ">>>", "__shared__",
         "threadIdx.x", "float", "half", "*", "&", "template<typename T>", "asm(\"\")", "return",
         "__syncthreads();", "goto x;", "int", "n", "[", "]", "\"", "'", "/*", "//", "#if", "\\\n",
         "struct", "auto", "#include \"/etc/passwd\"\n", "while(1);",
         "\x00", "é", "\u202e"]  # fmt: skip


def sources() -> list[tuple[str, str]]:
    """All our kernels: (suffix, text)."""
    files = sorted(f for f in KERNELS.rglob("*") if f.suffix in (".cu", ".hip", ".c", ".mlu"))
    return [(f.suffix, f.read_text(encoding="utf-8")) for f in files]


def mutate(text: str, rng: random.Random) -> str:
    """A few random edits of tokens and lines."""
    tokens = TOKEN.findall(text)
    for _ in range(rng.randint(1, 6)):
        i = rng.randrange(len(tokens))
        j = min(len(tokens), i + rng.randint(1, 12))
        kind = rng.randrange(6)
        if kind == 0:
            del tokens[i:j]
        elif kind == 1:
            tokens[i:i] = tokens[i:j]
        elif kind == 2:
            k = rng.randrange(len(tokens))
            tokens[i], tokens[k] = tokens[k], tokens[i]
        elif kind == 3:
            tokens[i] = rng.choice(NOISE)
        elif kind == 4:
            tokens.insert(i, rng.choice(NOISE))
        else:
            tokens[i] = rng.choice(tokens)
        tokens = tokens or ["x"]
    return "".join(tokens)


def make(index: int, seed: int, texts: list[tuple[str, str]]) -> tuple[str, bytes]:
    """The `index`-th input: (suffix, bytes)."""
    rng = random.Random(f"{seed}/{index}")
    kind = rng.random()
    suffix, text = rng.choice(texts)
    if kind < 0.8:
        return suffix, mutate(text, rng).encode("utf-8", "surrogatepass")
    if kind < 0.9:
        words = TOKEN.findall(text) + NOISE
        return suffix, " ".join(rng.choices(words, k=rng.randint(0, 300))).encode(
            "utf-8", "replace"
        )
    return suffix, rng.randbytes(rng.randint(0, 4000))


def try_one(job: tuple[int, int, float, float]) -> tuple[int, str, float]:
    """Translate one input: (index, outcome, seconds)."""
    index, seed, seconds, verify_share = job
    suffix, data = make(index, seed, sources())
    verify = random.Random(f"v{seed}/{index}").random() < verify_share
    start = time.perf_counter()
    signal.signal(signal.SIGALRM, _alarm)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        with tempfile.NamedTemporaryFile(suffix=suffix) as f:
            f.write(data)
            f.flush()
            text = read_source(f.name)
        others = [t for t in TARGETS if t != PLATFORM[suffix]]
        target = random.Random(f"t{seed}/{index}").choice(others)
        options = Options(target=target, seed=1, verify=verify)
        result = translate(text, f"fuzz{index}{suffix}", options)
        outcome = "translated" if result.text is not None else "refused"
        outcome = "partial" if result.partial else outcome
        if result.text is None and not result.diagnostics:
            outcome = "SILENT"
        if faults := [d for d in result.diagnostics if d.code == "XP0999"]:
            outcome = f"INTERNAL {faults[0].message}"
    except XpilerError:
        outcome = "refused"
    except Hang:
        outcome = f"HANG more than {seconds} s"
    except Exception:
        outcome = "RAISED " + traceback.format_exc(limit=-3)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return index, outcome, time.perf_counter() - start


class Hang(BaseException):
    """Too long: no handler of the tool may take it for a fault of its own."""


def _alarm(*_: object) -> None:
    raise Hang


def results(args: argparse.Namespace) -> Iterator[tuple[int, str, float]]:
    jobs = [
        (i, args.seed, args.seconds, args.verify_share)
        for i in range(args.first, args.first + args.count)
    ]
    with ProcessPoolExecutor(args.jobs) as pool:
        yield from pool.map(try_one, jobs, chunksize=16)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--verify-share", type=float, default=0.0)
    parser.add_argument("--keep", type=Path, help="folder for inputs that failed")
    args = parser.parse_args()
    tally: collections.Counter[str] = collections.Counter()
    causes: collections.Counter[str] = collections.Counter()
    slowest = (0.0, -1)
    for index, outcome, seconds in results(args):
        tally[outcome.split()[0]] += 1
        slowest = max(slowest, (seconds, index))
        if outcome.split()[0] in ("RAISED", "HANG", "SILENT", "INTERNAL"):
            causes[outcome.strip().splitlines()[-1][:150]] += 1
            if causes[outcome.strip().splitlines()[-1][:150]] <= 2:
                print(f"input {index}: {outcome}", file=sys.stderr)
            if args.keep:
                args.keep.mkdir(parents=True, exist_ok=True)
                suffix, data = make(index, args.seed, sources())
                (args.keep / f"{index}{suffix}").write_bytes(data)
    print(dict(tally), f"slowest {slowest[0]:.1f} s (input {slowest[1]})")
    for cause, n in causes.most_common():
        print(f"  {n:5} {cause}")
    return 1 if causes else 0


if __name__ == "__main__":
    sys.exit(main())
