"""`xpiler prompt`: the prompt by which a model is asked for a pass."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from xpiler.cli.common import kernel_options, read_source


@click.command("prompt")
@click.argument("name", metavar="PASS")
@click.argument("file")
@click.option("-t", "--to", "target", required=True, metavar="PLATFORM", help="target platform")
@kernel_options
def command(name: str, file: str, target: str, **given: Any) -> int:
    """Print the prompt for PASS on FILE; nothing is asked.

    PASS is loop_recovery, loop_bind, loop_split, loop_fuse, loop_reorder, loop_expansion,
    loop_contraction, cache, pipeline, tensorize or detensorize. Where the pass takes sequential C
    or the target's language, the symbolic passes bring FILE there first.

    Exit code 0, or 2 after an error.
    """
    from xpiler.cli.output import failed
    from xpiler.cli.translate import options_of
    from xpiler.diagnostics import XpilerError
    from xpiler.estimates import one_prompt
    from xpiler.neural.provider import estimate_tokens

    try:
        options = options_of(file, target, given)
        asked = one_prompt(read_source(file), file, options, name)
    except XpilerError as why:
        return failed(why.diagnostics, given["as_json"])
    tokens = sum(estimate_tokens(len(m.text)) for m in asked.turns)
    if given["as_json"]:
        data = {"pass": asked.stage.name, "tokens": tokens, "messages": [*map(asdict, asked.turns)]}
        click.echo(json.dumps(data, indent=2))
        return 0
    for turn in asked.turns:
        click.echo(f"--- {turn.role} ---\n\n{turn.text}")
    click.echo(f"about {tokens} tokens", err=True)
    return 0
