"""Translate somebody's collection of kernels, and count those that are sound to begin with.

    python benchmarks/published.py FOLDER ... [--to c,cuda,hip] [--step N] [--jobs 2] [--seed 1]
                                   [--journal FILE]

Each file of the folders is audited first: faults of the source, with the input and the address that
show them, are printed, and the kernel leaves the second denominator. What cannot be read or run
stays in it. A line a direction: files, sound ones, verified ones, and the share. Exit code 0 when
at least 95 % of the sound ones of each direction verify.

One line of JSON a finished kernel goes to the journal, so that an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from xpiler.bench import run_one
from xpiler.diagnostics import XpilerError
from xpiler.pipeline import Options
from xpiler.platforms.registry import platform_of
from xpiler.verify.running import audit_source

WANTED = 0.95


def judged(path: str, targets: tuple[str, ...], seed: int) -> dict[str, Any]:
    """What the audit and the translations of one file say."""
    text = Path(path).read_text(encoding="utf-8")
    source = platform_of(path, text).name
    try:
        found = audit_source(text, path, Options("c", source, seed=seed))
        faults = [d.render() for d in found if d.severity == "error"]
    except XpilerError as why:  # a text that its own compiler would not take is no sound source
        faults = [d.render() for d in why.diagnostics if d.code == "XP0601"]
    runs = {}
    for target in (t for t in targets if t != source):
        done = run_one(path, target, seed, "required")
        runs[target] = (done.status, done.detail, done.seconds)
        if done.status == "unsound_source" and not faults:
            faults = [done.detail]
    return {"file": path, "source": source, "faults": faults, "runs": runs}


def files_of(folders: list[str], step: int) -> list[str]:
    """The kernels of each folder, every so manieth."""
    kept = (".c", ".cc", ".cpp", ".cu", ".hip", ".mlu")
    return [
        str(p)
        for folder in folders
        for p in sorted(q for q in Path(folder).rglob("*") if q.suffix in kept)[::step]
    ]


def report(done: list[dict[str, Any]]) -> bool:
    """Print the tables; whether each direction is good enough."""
    ways: dict[tuple[str, str], list[tuple[bool, str]]] = defaultdict(list)
    for one in sorted(done, key=lambda o: o["file"]):
        if one["faults"]:
            print(f"unsound      {one['file']}: {one['faults'][0][:240]}")
        for target, (status, detail, _) in one["runs"].items():
            ways[one["source"], target].append((not one["faults"], status))
            if status != "verified" and not one["faults"]:
                print(f"{status:12} {one['file']} -> {target}: {detail[:240]}")
    good = True
    print(f"{'direction':14} {'files':>6} {'sound':>6} {'verified':>9}  share")
    for (source, target), rows in sorted(ways.items()):
        sound = [status for ok, status in rows if ok]
        verified = sound.count("verified")
        share = verified / max(1, len(sound))
        good = good and share >= WANTED
        way = f"{source} -> {target}"
        print(f"{way:14} {len(rows):6} {len(sound):6} {verified:9}  {share:.1%}")
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--to", default="c,cuda,hip")
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--journal", default=".xpiler/published.jsonl")
    args = parser.parse_args()
    targets, journal = tuple(args.to.split(",")), Path(args.journal)
    lines = journal.read_text(encoding="utf-8").splitlines() if journal.is_file() else []
    known = {one["file"]: one for one in map(json.loads, lines)}
    files = files_of(args.folders, args.step)
    todo = [f for f in files if not set(targets) <= {*known.get(f, {}).get("asked", ())}]
    journal.parent.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(args.jobs) as pool, journal.open("a", encoding="utf-8") as out:
        for ready in as_completed([pool.submit(judged, f, targets, args.seed) for f in todo]):
            one = {**ready.result(), "asked": targets}
            known[one["file"]] = one
            print(json.dumps(one), file=out, flush=True)
    return 0 if report([known[f] for f in files]) else 1


if __name__ == "__main__":
    sys.exit(main())
