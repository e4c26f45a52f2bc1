"""`xpiler run`: one kernel on this machine's emulator."""

from __future__ import annotations

import json
from typing import Any

import click

from xpiler.cli.common import kernel_options, read_source


@click.command("run")
@click.argument("file")
@click.option("--no-checks", is_flag=True, help="run fast, without looking for faults")
@kernel_options
def command(file: str, no_checks: bool, **given: Any) -> int:
    """Run FILE: its `main` if it has one, else its entry on inputs drawn from a seed.

    Exit code 0: it ran without a fault; 1: faults were found; 2: error.
    """
    from xpiler.cli.output import click_echo_err, failed, plain
    from xpiler.cli.translate import options_of
    from xpiler.diagnostics import XpilerError
    from xpiler.verify.running import run_source

    try:
        options = options_of(file, "c", given)
        run = run_source(read_source(file), file, options, checks=not no_checks)
    except XpilerError as why:
        return failed(why.diagnostics, given["as_json"])
    if given["as_json"]:
        data = {**run.to_json(), "diagnostics": [plain(d) for d in run.diagnostics]}
        click.echo(json.dumps(data, indent=2, sort_keys=True, default=str))
    else:
        click.echo(run.render(), nl=False)
        for d in run.diagnostics:
            click_echo_err(d.render())
    return 1 if run.faulty else 0
