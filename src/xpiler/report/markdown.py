"""Reports in Markdown: of one translation, of a bench."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from xpiler.diagnostics import Diagnostic
from xpiler.pipeline import Translation
from xpiler.report.data import status_of
from xpiler.report.tables import Table, direction_table, failure_table, step_table

_LANGUAGE = {"c": "c", "cuda": "cuda", "hip": "cpp", "bang": "cpp"}


def markdown_table(table: Table) -> str:
    """A pipe table with its title as a heading; empty when it has no rows."""
    if not table.rows:
        return ""
    rule = ["---:" if table.is_right(k) else "---" for k in range(len(table.heads))]
    lines = [_row(table.heads), _row(rule), *map(_row, table.rows)]
    return f"## {table.title}\n\n" + "\n".join(lines) + "\n"


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(c.replace("|", "\\|").replace("\n", " ") for c in cells) + " |"


def bench_markdown(summary: Mapping[str, Any]) -> str:
    """The bench: a row a direction, then why kernels failed, then what nobody expected."""
    parts = ["# Bench\n", markdown_table(direction_table(summary))]
    parts.append(markdown_table(failure_table(summary)))
    odd = [f for row in summary["directions"].values() for f in row.get("unexpected", ())]
    if odd:
        parts.append("## Not as expected\n\n" + "\n".join(f"- `{f}`" for f in odd) + "\n")
    return "\n".join(p for p in parts if p)


def translation_markdown(result: Translation) -> str:
    """One translation: the verdict and what it rests on, diagnostics, steps, the text."""
    parts = [f"# {result.file}: {result.source} -> {result.target}\n", _verdict(result)]
    if result.diagnostics:
        parts.append("## Diagnostics\n\n" + "\n".join(map(_diagnostic, result.diagnostics)))
    parts.append(markdown_table(step_table(result.trace)))
    if result.text is not None:
        fence = _fence(result.text)
        language = _LANGUAGE.get(result.target, "")
        parts.append(f"## Text\n\n{fence}{language}\n{result.text.rstrip()}\n{fence}\n")
    return "\n".join(p for p in parts if p)


def _verdict(result: Translation) -> str:
    lines = [f"**{status_of(result)}**"]
    if result.verdict is not None:
        lines[0] += f": {result.verdict.render()}"
        lines += [f"- given that {a}" for a in result.verdict.assumptions]
        lines += [f"- {n}" for n in result.verdict.notes]
    lines.append(f"- seed {result.trace.seed}, {result.trace.seconds():.2f} s")
    return lines[0] + "\n\n" + "\n".join(lines[1:]) + "\n"


def _diagnostic(d: Diagnostic) -> str:
    text = d.render()
    fence = _fence(text)
    return f"{fence}text\n{text}\n{fence}\n"


def _fence(text: str) -> str:
    """Backticks enough that `text` cannot end the block."""
    fence = "```"
    while fence in text:
        fence += "`"
    return fence
