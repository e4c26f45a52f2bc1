"""The terminal's view: colour where a person looks on, plain text in a pipe."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TextIO

from xpiler.diagnostics import Diagnostic
from xpiler.pipeline import Translation
from xpiler.report.data import status_of
from xpiler.report.tables import Table

if TYPE_CHECKING:
    from rich.console import Console

    from xpiler.verify.verdict import Verdict

STYLES = {
    "verified": "green", "not verified": "yellow", "partial": "yellow", "refused": "red",
    "error": "bold red", "warning": "bold yellow", "note": "bold cyan",
}  # fmt: skip


def wants_colour(stream: TextIO, environment: Mapping[str, str] | None = None) -> bool:
    """Whether `stream` is a terminal on which colour is welcome (https://no-color.org)."""
    env = os.environ if environment is None else environment
    return stream.isatty() and not env.get("NO_COLOR") and env.get("TERM") != "dumb"


class Terminal:
    """Writes results to a stream; `rich` is loaded only when there is colour to draw."""

    def __init__(self, stream: TextIO | None = None, colour: bool | None = None) -> None:
        self.stream = sys.stdout if stream is None else stream
        self.colour = wants_colour(self.stream) if colour is None else colour
        self._console: Console | None = None

    @property
    def console(self) -> Console:
        """The rich console behind a coloured terminal."""
        if self._console is None:
            from rich.console import Console

            self._console = Console(file=self.stream, force_terminal=True, highlight=False)
        return self._console

    def line(self, text: str, style: str = "") -> None:
        """One line, styled where colour is on."""
        if self.colour and style:
            self.console.print(text, style=style, markup=False, soft_wrap=True)
        else:
            self.stream.write(text + "\n")

    def diagnostics(self, found: Iterable[Diagnostic]) -> None:
        """Diagnostics, one after another."""
        for d in found:
            self.diagnostic(d)

    def diagnostic(self, d: Diagnostic) -> None:
        """A diagnostic: what, where, why, help."""
        if not self.colour:
            self.stream.write(d.render() + "\n")
            return
        from rich.text import Text

        head, *rest = d.render().splitlines()
        before, mark, after = head.partition(f"{d.severity}[{d.code}]")
        text = Text.assemble(before, (mark, STYLES[d.severity]), (after, "bold"))
        for line in rest:
            text.append("\n")
            text.append(line, style=_line_style(line))
        self.console.print(text, soft_wrap=True)

    def translation(self, result: Translation, output: str | None) -> None:
        """A translation in a line: where it went, its verdict; below it what that assumes."""
        status = status_of(result)
        told = result.verdict.render() if result.verdict is not None else status
        verdict = "" if told == status else f": {told.removeprefix(f'{status}: ')}"
        where = output if output not in (None, "-") else result.target
        self._status(f"{result.file} -> {where}: ", status, verdict)
        if result.verdict is not None:
            self.grounds(result.verdict)

    def grounds(self, verdict: Verdict) -> None:
        """What a verdict assumes and what else there is to know of it."""
        if verdict.ok and verdict.assumptions:
            self.line(f"    given that {'; '.join(verdict.assumptions)}", "dim")
        for note in verdict.notes:
            self.line(f"    note: {note}", "dim")

    def _status(self, before: str, status: str, after: str) -> None:
        if not self.colour:
            self.stream.write(f"{before}{status}{after}\n")
            return
        from rich.text import Text

        text = Text.assemble(before, (status, STYLES[status]), after)
        self.console.print(text, soft_wrap=True)

    def table(self, table: Table) -> None:
        """A table; nothing when it has no rows."""
        if not table.rows:
            return
        if self.colour:
            self._drawn(table)
        else:
            self.stream.write("\n".join(plain_table(table)) + "\n")

    def _drawn(self, table: Table) -> None:
        from rich.box import SIMPLE_HEAD
        from rich.table import Table as Drawn

        drawn = Drawn(title=table.title, box=SIMPLE_HEAD, title_justify="left", pad_edge=False)
        for k, head in enumerate(table.heads):
            drawn.add_column(head, justify="right" if table.is_right(k) else "left")
        for row in table.rows:
            drawn.add_row(*row)
        self.console.print(drawn)


def _line_style(line: str) -> str:
    text = line.strip()
    if text == "^":
        return "green"
    return "cyan" if text.startswith("help:") else ""


def plain_table(table: Table) -> list[str]:
    """The lines of a table without colour: columns aligned with blanks."""
    widths = table.widths()

    def row(cells: tuple[str, ...]) -> str:
        parts = (
            c.rjust(w) if table.is_right(k) else c.ljust(w)
            for k, (c, w) in enumerate(zip(cells, widths, strict=True))
        )
        return "  ".join(parts).rstrip()

    return [row(table.heads), *map(row, table.rows)]
