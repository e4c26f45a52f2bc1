"""`xpiler platforms`: what can be read, written and run here."""

from __future__ import annotations

import json
from typing import Any

import click


@click.command("platforms")
@click.option("--json", "as_json", is_flag=True, help="machine-readable output")
def command(as_json: bool) -> int:
    """List the platforms and what each can do."""
    from xpiler.platforms.registry import all_platforms

    rows: list[dict[str, Any]] = [
        {
            "name": p.name,
            "title": p.title,
            "aliases": list(p.aliases),
            "suffixes": list(p.suffixes),
            "read": p.readable,
            "write": p.writable,
        }
        for p in all_platforms()
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return 0
    click.echo(f"{'name':6} {'read':5} {'write':6} {'files':18} title")
    for r in rows:
        read, write = ("yes" if r[k] else "-" for k in ("read", "write"))
        click.echo(f"{r['name']:6} {read:5} {write:6} {' '.join(r['suffixes']):18} {r['title']}")
    return 0
