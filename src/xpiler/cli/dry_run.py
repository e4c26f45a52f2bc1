"""`xpiler translate --dry-run`: what a model would be asked, and what that would cost."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from xpiler.cli.common import model_settings, read_source


def run(tasks: list[tuple[str, str]], given: dict[str, Any]) -> int:
    """Print a line for each question; nothing is asked. Exit code 0, or 2 after an error."""
    from xpiler.cli.output import problems
    from xpiler.cli.translate import options_of
    from xpiler.diagnostics import XpilerError
    from xpiler.estimates import estimate

    rows, code = [], 0
    for path, target in tasks:
        try:
            options = options_of(path, target, given)
            plan = estimate(read_source(path), path, options, model_settings(given))
            rows += [{"file": path, "to": target, **asdict(row)} for row in plan]
        except XpilerError as why:
            problems(why.diagnostics)
            code = 2
    if given["as_json"]:
        click.echo(json.dumps(rows, indent=2))
        return code
    for row in rows:
        click.echo(_line(row))
    if rows:
        click.echo(_total(rows, model_settings(given)))
    return code


def _line(row: dict[str, Any]) -> str:
    least, most = row["least_usd"], row["most_usd"]
    money = "price not known" if least is None else f"${least:.4f} to ${most:.4f}"
    head = f"{row['file']} -> {row['to']}: {row['step']}, a prompt of {row['tokens_in']} tokens"
    return f"{head}, up to {row['questions']} questions: {money}"


def _total(rows: list[dict[str, Any]], settings: Any) -> str:
    least = sum(row["least_tokens"] for row in rows)
    most = sum(row["most_tokens"] for row in rows)
    money = ""
    if all(row["least_usd"] is not None for row in rows):
        low, high = (sum(row[f"{k}_usd"] for row in rows) for k in ("least", "most"))
        money = f", ${low:.4f} to ${high:.4f}"
    limits = settings.budget
    bounds = {"tokens": limits.tokens, "usd": limits.usd, "seconds": limits.seconds}
    budget = ", ".join(f"{v:g} {k}" for k, v in bounds.items() if v is not None)
    return f"in all {least} to {most} tokens{money} ({settings.model}; budget: {budget})"
