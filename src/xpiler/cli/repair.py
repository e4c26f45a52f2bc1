"""`xpiler repair`: a wrong translation in, where it goes wrong and a mended one out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xpiler.cli.common import kernel_options, read_source, write_text

if TYPE_CHECKING:
    from xpiler.repair.mend import Mended, Refused


@click.command("repair")
@click.argument("source_file")
@click.argument("target_file")
@click.option("-t", "--to", "target", help="the target's platform (default: from its suffix)")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="the mended file")
@click.option("--force", is_flag=True, help="overwrite the output file")
@click.option("--seconds", type=float, default=60.0, help="time for the search (default: 60)")
@click.option("--faults", type=int, default=2, help="places to change at most: 1 or 2")
@kernel_options
def command(source_file: str, target_file: str, target: str | None, **given: Any) -> int:
    """Say where TARGET_FILE, a translation of SOURCE_FILE, goes wrong, and mend it.

    Shows the change as a diff; with -o writes the mended text, which is verified in full. No more
    than a few lines are changed, and nothing is written anew.

    Exit code 0: mended and verified (or right already); 1: not mended; 2: error.
    """
    from xpiler.repair.mend import Mended

    out = found(source_file, target_file, target, given)
    if out is None:
        return 2
    before = read_source(target_file)
    if given["as_json"]:
        click.echo(json.dumps(as_json(out, before, target_file), indent=2, sort_keys=True))
    else:
        _show(out, before, target_file)
    if isinstance(out, Mended):
        return _write(out.text, given["output"], given["force"])
    return 1 if out.diagnostic.code == "XP1401" else 2


def found(
    source_file: str, target_file: str, target: str | None, given: dict[str, Any]
) -> Mended | Refused | None:
    """The outcome, or None where an error has been told."""
    from xpiler.cli.output import failed
    from xpiler.cli.translate import options_of
    from xpiler.diagnostics import XpilerError
    from xpiler.platforms.registry import platform_of
    from xpiler.repair.mend import mend

    try:
        source, text = read_source(source_file), read_source(target_file)
        name = target or platform_of(target_file, text).name
        options = options_of(source_file, name, given)
        return mend(source, text, source_file, options, seconds=given["seconds"],
                    faults=given["faults"])  # fmt: skip
    except XpilerError as why:
        failed(why.diagnostics, given["as_json"])
        return None


def as_json(out: Mended | Refused, before: str, file: str) -> dict[str, Any]:
    """What came out, as plain JSON values."""
    from xpiler.cli.output import plain
    from xpiler.repair.mend import Mended

    common = {"mended": out.ok, "places": [p.to_json() for p in out.places],
              "seconds": round(out.seconds, 3), "tried": out.tried}  # fmt: skip
    if not isinstance(out, Mended):
        return {**common, "diagnostics": [plain(out.diagnostic)]}
    verdict = out.verdict.to_json()
    return {**common, "changed_lines": out.changed, "diff": out.diff(before, file),
            "verdict": json.loads(json.dumps(verdict, default=str))}  # fmt: skip


def _show(out: Mended | Refused, before: str, file: str) -> None:
    from xpiler.cli.output import click_echo_err
    from xpiler.repair.mend import Mended

    for place in out.places:
        click.echo(place.render(file))
    if not isinstance(out, Mended):
        click_echo_err(out.diagnostic.render())
    elif out.changed == 0:
        click.echo(f"{file}: nothing to mend: {out.verdict.render()}")
    else:
        click.echo(out.diff(before, file), nl=False)
        click.echo(f"mended in {out.seconds:.1f} s: {out.verdict.render()}")


def _write(text: str, output: Path | None, force: bool) -> int:
    from xpiler.cli.output import click_echo_err

    if output is None:
        return 0
    if output.exists() and not force:
        click_echo_err(f"error[XP0906]: {output} exists\n    help: give --force")
        return 2
    write_text(output, text)
    return 0
