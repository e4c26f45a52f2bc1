"""`xpiler explain CODE`: the long text of a diagnostic."""

from __future__ import annotations

import json

import click


@click.command("explain")
@click.argument("code", required=False)
@click.option("--json", "as_json", is_flag=True, help="machine-readable output")
def command(code: str | None, as_json: bool) -> int:
    """Say more about a diagnostic; without CODE list them all."""
    from xpiler.diagnostics import all_codes, lookup

    if code is None:
        entries = list(all_codes().values())
        lines = [f"{e.code}  {e.severity:7}  {e.title}" for e in entries]
        click.echo(json.dumps([_plain(e) for e in entries]) if as_json else "\n".join(lines))
        return 0
    entry = lookup(code)
    if entry is None:
        click.echo(f"{code}: no such diagnostic; `xpiler explain` lists them all", err=True)
        return 2
    text = f"{entry.code} ({entry.severity}): {entry.title}\n\n{entry.text}"
    click.echo(json.dumps(_plain(entry)) if as_json else text)
    return 0


def _plain(entry: object) -> dict[str, str]:
    return {k: getattr(entry, k) for k in ("code", "title", "severity", "text")}
