"""`xpiler audit`: what is wrong with a kernel, before anyone translates it."""

from __future__ import annotations

import json
from typing import Any

import click

from xpiler.cli.common import kernel_options, read_source


@click.command("audit")
@click.argument("file")
@kernel_options
def command(file: str, **given: Any) -> int:
    """Run FILE under several inputs and schedules and report every fault with its line.

    Exit code 0: none found; 1: faults; 2: error.
    """
    from xpiler.cli.output import click_echo_err, plain
    from xpiler.cli.translate import options_of
    from xpiler.diagnostics import XpilerError
    from xpiler.verify.running import audit_source

    try:
        found = audit_source(read_source(file), file, options_of(file, "c", given))
    except XpilerError as why:
        found, failed = list(why.diagnostics), True
    else:
        failed = False
    errors = [d for d in found if d.severity == "error"]
    if given["as_json"]:
        click.echo(json.dumps([plain(d) for d in found], indent=2))
    else:
        for d in found:
            click_echo_err(d.render())
        if not failed:
            click.echo(f"{file}: {len(errors)} fault{'s' * (len(errors) != 1)} found")
    return 2 if failed else 1 if errors else 0
