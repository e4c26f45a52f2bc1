"""`xpiler bench`: a folder of kernels, a table of outcomes."""

from __future__ import annotations

import json
import os
import secrets
import sys
from pathlib import Path
from typing import Any

import click

from xpiler.cli.common import model_options, model_settings


@click.command("bench")
@click.argument("folders", nargs=-1, required=True)
@click.option(
    "-t",
    "--to",
    "targets",
    multiple=True,
    help="target platforms (default: all that can be written)",
)
@click.option(
    "--from", "origins", multiple=True, help="only the kernels of these platforms (default: all)"
)
@click.option("-j", "--jobs", type=int, default=os.cpu_count() or 1, show_default="all cores")
@click.option("--seed", type=int, help="seed of the test inputs (default: fresh ones)")
@click.option("--no-sandbox", is_flag=True, help="run foreign code without confinement")
@click.option("--ablation", is_flag=True, help="again without repair, asking again, fallback")
@model_options
@click.option("--json", "as_json", is_flag=True, help="machine-readable output")
@click.option("-v", "--verbose", is_flag=True, help="a line for every kernel")
def command(
    folders: tuple[str, ...], targets: tuple[str, ...], origins: tuple[str, ...], **given: Any
) -> int:
    """Translate and verify every kernel of FOLDERS and print a table a direction.

    An interrupted run goes on where it stopped (`.xpiler/bench` keeps its journal). Exit code 0
    when every kernel came out as expected (verified, where nothing is expected), else 1; 2 after
    an error.
    """
    from xpiler.api import kernels
    from xpiler.bench import BenchRun, journal_for, relabelled, summary
    from xpiler.cli import ablation
    from xpiler.cli.output import failed
    from xpiler.diagnostics import XpilerError
    from xpiler.platforms.registry import all_platforms, platform

    missing = [f for f in folders if not Path(f).exists()]
    if missing:
        click.echo(f"no such file or folder: {', '.join(missing)}", err=True)
        return 2
    names = [t for item in targets for t in item.split(",")]
    try:
        names = [platform(t).name for t in names] or [p.name for p in all_platforms() if p.writable]
        files = kernels(folders, [t for item in origins for t in item.split(",")])
        models = ablation.shared(model_settings(given))
    except XpilerError as why:
        return failed(why.diagnostics, given["as_json"])
    if not files:
        click.echo("no kernels found", err=True)
        return 2
    if given["ablation"] and given["seed"] is None:
        given["seed"] = secrets.randbits(32)

    def outcomes_with(models: Any) -> list[Any]:
        run = BenchRun(
            files,
            names,
            given["jobs"],
            given["seed"],
            "off" if given["no_sandbox"] else "required",
            journal_for(files, names, Path(".xpiler") / "bench", ablation.label(models)),
            models,
        )
        if given["verbose"] or sys.stderr.isatty():
            run.tick = _ticker(given["verbose"])
        return relabelled(run.run())

    if given["ablation"]:
        return ablation.run(models, outcomes_with, given["as_json"])
    outcomes = outcomes_with(models)
    data = summary(outcomes)
    if given["as_json"]:
        click.echo(json.dumps(data, indent=2))
    else:
        _show(data, outcomes)
    good = all(o.as_expected and (o.expected or o.status == "verified") for o in outcomes)
    return 0 if good else 1


def _ticker(verbose: bool) -> Any:
    def tick(done: int, total: int, outcome: Any) -> None:
        if verbose:
            mark = "" if outcome.as_expected else f" (expected {outcome.expected})"
            codes = " ".join(outcome.failures)
            head = f"{outcome.status:14} {outcome.seconds:6.2f}s {outcome.file}{mark}"
            click.echo(f"{head} {codes} {_scalar(outcome)}{outcome.detail[:160]}", err=True)
        else:
            sys.stderr.write(
                f"\r\033[K{done}/{total} {outcome.file}" + ("\n" if done == total else "")
            )
            sys.stderr.flush()

    return tick


def _scalar(outcome: Any) -> str:
    """How many innermost loops stay scalar, if some do."""
    if outcome.loops is None or outcome.loops[0] == outcome.loops[1]:
        return ""
    done, counted = outcome.loops
    return f"{done} of {counted} innermost loops in vectors, {outcome.ordered} in data's order; "


def _work_line(row: dict[str, Any]) -> str:
    """How many kernels leave the work to vectors, by the three rules for that."""
    n = row["counted"]
    share = f"{row['work_ok']} of {n} ({100 * row['work_ok'] / n:.0f} %) leave the work to vectors"
    parts = (
        f"at most a tenth of the source's floating-point operations scalar {row['mostly_vectors']}",
        f"vector operations at most twice the source's {row['no_more']}",
        f"scalar accesses to far memory only where data says so {row['near']}",
    )
    return f"{share}: {', '.join(parts)}"


def _show(data: dict[str, Any], outcomes: list[Any]) -> None:
    """A row a direction, then why kernels failed, then what nobody expected."""
    from xpiler.cli import ablation
    from xpiler.report.tables import direction_table, failure_table
    from xpiler.report.terminal import Terminal

    screen = Terminal()
    for table in (direction_table(data), failure_table(data)):
        if table.rows:
            screen.table(table)
            screen.line("")
    for name, row in data["directions"].items():
        if row["counted"]:
            screen.line(f"{name.replace('-', ' -> ')}: {_work_line(row)}")
        if row["loops_counted"]:
            head = f"{name.replace('-', ' -> ')}: {row['vectorised']} of {row['loops_counted']}"
            share = f"({100 * row['vectorised'] / row['loops_counted']:.0f} %)"
            rest = f"; {row['ordered']} of the others lack only loops whose order data decides"
            text = f"{head} {share} with all innermost loops in vectors or marked as such"
            screen.line(text + (rest if row["ordered"] else ""))
    if "steps" in data:
        screen.line(ablation.steps_line(data["steps"]))
    for o in outcomes:
        if not (o.as_expected and (o.expected or o.status == "verified")):
            wanted = o.expected or "verified"
            screen.line(f"{o.file}: {o.status}, expected {wanted}: {o.detail[:120]}")
