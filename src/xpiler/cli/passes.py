"""`xpiler passes`: the passes by hand, with the text after each step."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xpiler.cli.common import kernel_options, read_source, write_text

if TYPE_CHECKING:
    from xpiler.ir.program import Program
    from xpiler.passes.steps import Instance, Step, Taken
    from xpiler.pipeline import Options, Translation


@click.group("passes")
def command() -> None:
    """The passes that schedules are made of: list, show, knobs, apply."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="machine-readable output")
def list_passes(as_json: bool) -> int:
    """List the passes."""
    from xpiler.passes.steps import REGISTRY

    if as_json:
        click.echo(json.dumps([_plain(step) for step in REGISTRY.values()]))
        return 0
    for step in REGISTRY.values():
        click.echo(f"{step.name:17} {step.summary}")
    return 0


@command.command("show")
@click.argument("name", metavar="PASS")
@click.option("--json", "as_json", is_flag=True, help="machine-readable output")
def show(name: str, as_json: bool) -> int:
    """Say what a pass does, what it needs, and which parameters it has."""
    from xpiler.passes.steps import REGISTRY

    step = REGISTRY.get(name)
    if step is None:
        click.echo(f"{name}: no such pass; `xpiler passes list` names them", err=True)
        return 2
    click.echo(json.dumps(_plain(step)) if as_json else _text(step))
    return 0


def _plain(step: Step) -> dict[str, Any]:
    keys = ("name", "category", "summary", "legality", "inverse")
    params = [{"name": p.name, "kind": p.kind, "text": p.text} for p in step.params]
    return {k: getattr(step, k) for k in keys} | {"params": params}


def _text(step: Step) -> str:
    about = inspect.cleandoc(step.__doc__ or "")
    lines = [f"{step.name} ({step.category}): {step.summary}", "", about, ""]
    lines += [f"legal where: {step.legality}"]
    lines += [f"  {p.name}: {p.text}" for p in step.params]
    return "\n".join(lines + ([f"inverse: {step.inverse}"] if step.inverse else []))


@command.command("knobs")
@click.argument("file", type=click.Path())
@click.option("--to", "-t", "target", default="c", show_default=True, help="the target")
@click.option("--pass", "names", multiple=True, metavar="PASS", help="only these passes")
@click.option("--source-form", is_flag=True, help="start at the source's own parallel program")
@kernel_options
def knobs(file: str, target: str, names: tuple[str, ...], source_form: bool, **given: Any) -> int:
    """List every legal instance of every pass on a file's program."""
    from xpiler.cli.output import failed
    from xpiler.diagnostics import XpilerError
    from xpiler.passes.steps import REGISTRY
    from xpiler.pipeline import sequential

    if unknown := [n for n in names if n not in REGISTRY]:
        click.echo(f"{unknown[0]}: no such pass; `xpiler passes list` names them", err=True)
        return 2
    try:
        options = _options(file, target, given, _start(source_form))
        program, around = sequential(read_source(file), file, options)
    except XpilerError as why:
        return failed(why.diagnostics, given["as_json"])
    chosen = [s for n, s in REGISTRY.items() if not names or n in names]
    found = [str(one) for step in chosen for one in step.knobs(program, around)]
    if given["as_json"]:
        click.echo(json.dumps(found, indent=2))
    elif found:
        click.echo("\n".join(found))
    return 0


@command.command("apply")
@click.argument("file", type=click.Path())
@click.option("--to", "-t", "target", default="c", show_default=True, help="the target")
@click.option("--pass", "texts", multiple=True, metavar="PASS(...)", help="a step, in order")
@click.option("--schedule", type=click.Path(path_type=Path), help="a schedule's file (TOML)")
@click.option("--ir", is_flag=True, help="show the program itself instead of the target's text")
@click.option("--quiet", is_flag=True, help="show only the last text")
@click.option("--no-verify", is_flag=True, help="do not run the result")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="write the last text here")
@kernel_options
def apply(
    file: str, target: str, texts: tuple[str, ...], schedule: Path | None, **given: Any
) -> int:
    """Apply passes to a file's program, show the text after each, and verify the last.

    Exit code 0: verified; 1: not verified; 2: refused, or another error.
    """
    from xpiler.cli.output import failed
    from xpiler.diagnostics import XpilerError

    try:
        steps = _steps(texts, schedule)
        return _apply(file, target, steps, given)
    except XpilerError as why:
        return failed(why.diagnostics, given["as_json"])


def _apply(file: str, target: str, steps: tuple[Instance, ...], given: dict[str, Any]) -> int:
    from dataclasses import replace

    from xpiler.passes.steps import REGISTRY, Schedule
    from xpiler.pipeline import sequential, translate

    text = read_source(file)
    options = _options(file, target, given, steps)
    program, around = sequential(text, file, options)
    options = replace(options, schedule=())
    rows: list[dict[str, str]] = []
    for taken in Schedule(steps).run(program, REGISTRY, around):
        options = replace(options, schedule=(*options.schedule, taken.instance))
        rows.append(_row(taken, text, file, options, given))
        if not given["as_json"]:
            _show(rows[-1], given)
        if "refused" in rows[-1]:
            return _finished(None, rows, given)
    done = translate(text, file, replace(options, verify=not given["no_verify"]))
    return _finished(done, rows, given)


def _finished(done: Translation | None, rows: list[dict[str, str]], given: dict[str, Any]) -> int:
    """Write or show the last text and say how sure we are of it; None after a refusal."""
    from xpiler.report.data import translation_data

    output: Path | None = given["output"]
    if output is not None and done is not None and done.text is not None:
        write_text(output, done.text)
    if given["as_json"]:
        where = "-" if output is None else str(output)
        data = None if done is None else translation_data(done, where)
        click.echo(json.dumps({"steps": rows, "translation": data}, indent=2, default=str))
    elif done is not None:
        if given["quiet"] and output is None:
            click.echo(done.text or "", nl=False)
        for problem in done.errors:
            click.echo(problem.render(), err=True)
        if done.verdict is not None:
            click.echo(f"// {done.verdict.render()}")
    if done is None or done.text is None:
        return 2
    return 0 if done.verified else 1


def _row(
    taken: Taken, text: str, file: str, options: Options, given: dict[str, Any]
) -> dict[str, str]:
    """One step as plain values: what it is, how it was checked, what came of it."""
    from dataclasses import replace

    from xpiler.passes.steps import Refusal
    from xpiler.pipeline import translate

    row = {"step": str(taken.instance)}
    if isinstance(taken.outcome, Refusal):
        return row | {"refused": taken.outcome.reason}
    if given["quiet"]:
        return row
    if taken.check is not None:
        row |= {"check": taken.check.method, "detail": taken.check.detail}
    if given["ir"]:
        return row | {"text": _program(taken.program)}
    return row | {"text": translate(text, file, replace(options, verify=False)).text or ""}


def _show(row: dict[str, str], given: dict[str, Any]) -> None:
    if "refused" in row:
        click.echo(f"{row['step']}: refused: {row['refused']}", err=True)
    elif not given["quiet"]:
        click.echo(f"// {row['step']}")
        if "check" in row:
            click.echo(f"// {row['check']}: {row['detail']}")
        click.echo(row["text"])


def _program(program: Program) -> str:
    from xpiler.ir.text import show_program

    return show_program(program)


def _steps(texts: tuple[str, ...], schedule: Path | None) -> tuple[Instance, ...]:
    """The steps of a file and of the command line, in this order; raises XpilerError."""
    from xpiler.diagnostics import Diagnostic, XpilerError
    from xpiler.passes.steps import parse, read_toml

    try:
        first = read_toml(read_source(str(schedule))) if schedule else ()
        return (*first, *map(parse, texts))
    except ValueError as why:
        raise XpilerError(Diagnostic("XP0905", str(why))) from why


def _start(source_form: bool) -> tuple[Instance, ...]:
    from xpiler.passes.steps import instance

    return (instance("loop_recovery"),) if source_form else ()


def _options(file: str, target: str, given: dict[str, Any], steps: tuple[Instance, ...]) -> Options:
    """Options of a translation; the schedule has only what says where it starts."""
    from dataclasses import replace

    from xpiler.cli.translate import options_of
    from xpiler.pipeline import by_itself

    options = options_of(file, target, given)
    return replace(options, schedule=steps[:1] if by_itself(steps) else ())
