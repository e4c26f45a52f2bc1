"""`xpiler locate`: where a translation goes wrong, and how that shows."""

from __future__ import annotations

import json
from typing import Any

import click

from xpiler.cli.common import kernel_options


@click.command("locate")
@click.argument("source_file")
@click.argument("target_file")
@click.option("-t", "--to", "target", help="the target's platform (default: from its suffix)")
@click.option("--seconds", type=float, default=60.0, help="time for the search (default: 60)")
@click.option("--faults", type=int, default=2, help="places that may be wrong: 1 or 2")
@kernel_options
def command(source_file: str, target_file: str, target: str | None, **given: Any) -> int:
    """Say which statement of TARGET_FILE is wrong, measured against SOURCE_FILE.

    Shows its line, the class of the fault, and the first element that differs. A statement is named
    because a change of it, and of nothing else, makes the translation right; where none does, the
    likeliest ones are named.

    Exit code 0: nothing is wrong; 1: something is; 2: error.
    """
    from xpiler.cli.output import click_echo_err
    from xpiler.cli.repair import found
    from xpiler.repair.mend import Mended

    out = found(source_file, target_file, target, given)
    if out is None:
        return 2
    if given["as_json"]:
        places = [p.to_json() for p in out.places]
        click.echo(json.dumps({"places": places, "certain": out.ok}, indent=2, sort_keys=True))
    else:
        for place in out.places:
            click.echo(place.render(target_file))
    if not isinstance(out, Mended):
        if out.diagnostic.code != "XP1401":
            click_echo_err(out.diagnostic.render())
            return 2
        return 1
    return 1 if out.changed else 0
