"""`xpiler bench --model ...`: what became of a model's proposals, and what each remedy is worth."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from xpiler.bench import Outcome
    from xpiler.neural.settings import Settings


def shared(models: Settings) -> Settings | None:
    """The settings for several processes that spend from one purse; None without a model."""
    if models.proposer == "symbolic":
        return None
    purse = Path(tempfile.mkdtemp(prefix="xpiler-purse-")) / f"{os.getpid()}.json"
    return replace(models, purse=purse)


def label(models: Settings | None) -> str:
    """What tells runs under other settings apart."""
    return "" if models is None else repr(replace(models, purse=None))


def variants(models: Settings) -> dict[str, Settings]:
    """All remedies, and each of them switched off in turn; and none at all."""
    bare = replace(models, repair=False, ask_again=0, fall_back=False)
    return {
        "all remedies": models,
        "without repair": replace(models, repair=False),
        "without asking again": replace(models, ask_again=0),
        "without fallback": replace(models, fall_back=False),
        "without any": bare,
        "repair alone": replace(bare, repair=True),
        "asking again alone": replace(bare, ask_again=models.ask_again),
    }


def run(
    models: Settings | None, outcomes_with: Callable[[Settings], list[Outcome]], as_json: bool
) -> int:
    """Run every variant and print how many are verified in each. Exit code 0, or 2 for no model."""
    if models is None:
        click.echo("--ablation needs a --model", err=True)
        return 2
    rows = {}
    for name, settings in variants(models).items():
        outcomes = outcomes_with(settings)
        wanted = [o for o in outcomes if o.expected in (None, "verified")]
        steps: dict[str, int] = {}
        for o in outcomes:
            for kind, count in o.steps.items():
                steps[kind] = steps.get(kind, 0) + count
        verified = sum(o.status == "verified" for o in wanted)
        rows[name] = {"kernels": len(wanted), "verified": verified, "steps": steps,
                      "wrong": sum(o.status == "wrong" for o in wanted)}  # fmt: skip
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    else:
        _show(rows)
    return 0


def _show(rows: dict[str, dict[str, Any]]) -> None:
    whole = next(iter(rows.values()))
    for name, row in rows.items():
        share = _percent(row["verified"], row["kernels"])
        lost = whole["verified"] - row["verified"]
        saved = f"; {_percent(lost, row['kernels'])} fewer" if lost > 0 else ""
        click.echo(f"{name}: {row['verified']} of {row['kernels']} verified ({share}{saved})")
        click.echo(f"    {steps_line(row['steps'])}")
    click.echo(saved_line(whole["steps"]))


def saved_line(steps: dict[str, int]) -> str:
    """What share of the proposals that were wrong at first each remedy saved."""
    wrong = {kind: n for kind, n in steps.items() if kind != "taken"}
    total = sum(wrong.values())
    if not total:
        return "no proposal was wrong"
    names = {"mended": "by repair", "asked again": "by asking again", "replaced": "by fallback"}
    parts = [f"{_percent(wrong.get(k, 0), total)} saved {name}" for k, name in names.items()]
    lost = sum(n for kind, n in wrong.items() if kind not in names)
    return f"of {total} wrong proposals: {', '.join(parts)}, {_percent(lost, total)} by none"


def steps_line(steps: dict[str, int]) -> str:
    """`proposals: 40 taken, 3 asked again, ...`."""
    total = sum(steps.values())
    parts = [f"{n} {kind} ({_percent(n, total)})" for kind, n in steps.items()]
    return f"proposals: {', '.join(parts)}"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "0 %"
