"""Translate kernels there and back, and check what comes home against what went out.

    python benchmarks/round_trip.py --way cuda,hip --way c,cuda --way hip,c [--step 3] [--jobs 2]

Prints a line a kernel that does not come home verified, and a line a way. Exit code 0 when
at least 95 % of the sound kernels of each way do.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from xpiler.bench import expectation
from xpiler.diagnostics import XpilerError
from xpiler.pipeline import Options, translate
from xpiler.platforms.registry import platform
from xpiler.verify.session import verify_pair
from xpiler.verify.spec import load_sidecar

KERNELS = Path(__file__).parent.parent / "tests" / "kernels"
WANTED = 0.95


def there_and_back(job: tuple[str, str, str]) -> tuple[str, str, str]:
    """(file, outcome, reason) of one kernel on the way `source` -> `other` -> `source`."""
    file, source, other = job
    text, spec = Path(file).read_text(encoding="utf-8"), load_sidecar(Path(file))
    try:
        out = translate(text, file, Options(other, source, spec=spec, seed=1, verify=False))
        if out.text is None:
            return file, "not sent", "; ".join(d.message for d in out.errors[:2])
        name = f"{Path(file).stem}{platform(other).suffixes[0]}"
        back = translate(out.text, name, Options(source, other, spec=spec, seed=1, verify=False))
        if back.text is None:
            return file, "not returned", "; ".join(d.message for d in back.errors[:2])
        verdict = verify_pair(text, back.text, file, Options(source, source, spec=spec, seed=1))
        return file, verdict.outcome, verdict.reason
    except XpilerError as why:
        return file, "not run", str(why)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--way", action="append", default=[], metavar="SOURCE,OTHER")
    parser.add_argument("--step", type=int, default=1, help="take every so manieth kernel")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    good = True
    for way in args.way or ["cuda,hip", "c,cuda", "hip,c"]:
        source, other = way.split(",")
        suffix = platform(source).suffixes[0]
        files = sorted(map(str, KERNELS.glob(f"*/*{suffix}")))[:: args.step]
        sound = [f for f in files if expectation(Path(f), other) == "verified"]
        with ProcessPoolExecutor(args.jobs) as pool:
            found = list(pool.map(there_and_back, [(f, source, other) for f in sound]))
        for file, outcome, reason in found:
            if outcome != "verified":
                print(f"{outcome:14} {Path(file).relative_to(KERNELS)}  {reason[:160]}")
        tally = Counter(outcome for _, outcome, _ in found)
        share = tally["verified"] / max(1, len(found))
        print(f"{source} -> {other} -> {source}: {len(found)} kernels, {dict(tally)}, {share:.0%}")
        good = good and share >= WANTED
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
