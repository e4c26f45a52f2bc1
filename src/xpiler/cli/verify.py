"""`xpiler verify`: a kernel and its translation, run on the same inputs and compared."""

from __future__ import annotations

import json
from typing import Any

import click

from xpiler.cli.common import kernel_options, read_source


@click.command("verify")
@click.argument("source_file")
@click.argument("target_file")
@click.option("-t", "--to", "target", help="the target's platform (default: from its suffix)")
@kernel_options
def command(source_file: str, target_file: str, target: str | None, **given: Any) -> int:
    """Compare SOURCE_FILE with its translation TARGET_FILE by running both.

    Exit code 0: verified; 1: not verified; 2: error.
    """
    from xpiler.cli.output import failed, problems
    from xpiler.cli.translate import options_of
    from xpiler.diagnostics import XpilerError
    from xpiler.platforms.registry import platform_of
    from xpiler.report.terminal import Terminal
    from xpiler.verify.session import verify_pair

    try:
        source, text = read_source(source_file), read_source(target_file)
        name = target or platform_of(target_file, text).name
        verdict = verify_pair(source, text, source_file, options_of(source_file, name, given))
    except XpilerError as why:
        return failed(why.diagnostics, given["as_json"])
    if given["as_json"]:
        click.echo(json.dumps(verdict.to_json(), indent=2, sort_keys=True, default=str))
    else:
        click.echo(f"{source_file} ~ {target_file}: {verdict.render()}")
        Terminal().grounds(verdict)
        problems(verdict.diagnostics())
    return 0 if verdict.ok else 1
