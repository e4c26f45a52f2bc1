"""Writes `docs/diagnostics.md`, the index of diagnostics: `python -m xpiler.report.docs [FILE]`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from textwrap import dedent

from xpiler.diagnostics import CodeEntry, all_codes

RANGES = {
    "XP01": "Reading and parsing",
    "XP02": "Constructs that the front end does not understand",
    "XP03": "Launch shapes, extents and values that the text lacks",
    "XP04": "Loop recovery",
    "XP05": "Faults that the emulator finds",
    "XP06": "Writing and building the target text",
    "XP07": "Outcome of verification",
    "XP08": "Sandbox, tools and this machine",
    "XP09": "Use of the command line",
    "XP10": "Port mode, between CUDA and HIP",
    "XP11": "Grids of blocks of threads as the target",
    "XP12": "Tasks on cores with memories of their own as the target",
    "XP13": "Schedules of passes",
    "XP14": "Repair",
    "XP15": "Language models as proposers",
}
_HEAD = """\
# Diagnostics

What Xpiler finds wrong with a text, a translation or this machine has a number; `xpiler explain
XP0201` shows the text below for one. (A command line that makes no sense gets a plain sentence.)
The severity is the usual one: a message may be a warning or a note where it stops nothing.
This page is made from the tables in `src/xpiler/diagnostics/codes/` by `python -m
xpiler.report.docs`: change those, not the page.
"""


def index(entries: Iterable[CodeEntry]) -> str:
    """The page for these diagnostics, which come in ascending order of their codes."""
    listed = list(entries)
    parts = [_HEAD]
    for prefix, group in groupby(listed, key=lambda e: e.code[:4]):
        parts.append(f"## {prefix}: {RANGES.get(prefix, 'Others')}\n")
        parts += [_section(e) for e in group]
    return "\n".join(parts)


def _section(e: CodeEntry) -> str:
    return f"### {e.code}: {e.title}\n\nSeverity: {e.severity}.\n\n{_paragraphs(e.text)}\n"


def _paragraphs(text: str) -> str:
    """The text with indented lines (examples) fenced, so that Markdown keeps them."""
    out: list[str] = []
    for indented, lines in groupby(text.splitlines(), key=lambda x: x.startswith((" ", "\t"))):
        if indented:
            out += ["```text", dedent("\n".join(lines)), "```"]
        else:
            out += map(_escaped, lines)
    return "\n".join(out)


def _escaped(line: str) -> str:
    """A line whose angle brackets are no HTML, except in code."""
    parts = line.split("`")
    parts[::2] = [p.replace("<", "&lt;") for p in parts[::2]]
    return "`".join(parts)


def main(arguments: list[str]) -> int:
    """Write the page to the file named, else to `docs/diagnostics.md` below the current folder."""
    target = Path(arguments[0] if arguments else "docs/diagnostics.md")
    target.write_text(index(all_codes().values()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
