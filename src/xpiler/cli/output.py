"""What commands print: one line a result on standard output, problems on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from xpiler.diagnostics import Diagnostic
from xpiler.report.data import diagnostic_data as plain

if TYPE_CHECKING:
    from xpiler.pipeline import Translation

__all__ = ["Reporter", "click_echo_err", "failed", "plain", "problems"]


class Reporter:
    """Collects results; prints as it goes, or everything at the end as JSON."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.items: list[dict[str, Any]] = []

    @contextmanager
    def progress(self, what: str) -> Iterator[None]:
        """A transient line on a terminal while something runs; nothing in a pipe."""
        show = sys.stderr.isatty() and not self.as_json
        if show:
            sys.stderr.write(f"\r\033[K{what} ...")
            sys.stderr.flush()
        try:
            yield
        finally:
            if show:
                sys.stderr.write("\r\033[K")

    def failed(self, path: str, target: str, diagnostics: Sequence[Diagnostic]) -> None:
        """Nothing came of this file."""
        self.items.append(
            {
                "file": path,
                "to": target,
                "status": "error",
                "diagnostics": [plain(d) for d in diagnostics],
            }
        )
        if not self.as_json:
            problems(diagnostics)

    def translated(self, result: Translation, where: str | None) -> None:
        """One translation: a line with its verdict, its diagnostics below."""
        from xpiler.report.data import translation_data
        from xpiler.report.terminal import Terminal

        self.items.append(translation_data(result, where))
        if self.as_json:
            return
        Terminal(sys.stderr if where == "-" else sys.stdout).translation(result, where)
        problems(result.diagnostics)

    def finish(self) -> None:
        if self.as_json:
            print(json.dumps(self.items, indent=2, sort_keys=True, default=str))


def failed(diagnostics: Sequence[Diagnostic], as_json: bool) -> int:
    """Why nothing came of a command, on standard error and, if asked for, as JSON; exit code 2."""
    if as_json:
        print(json.dumps({"diagnostics": [plain(d) for d in diagnostics]}, indent=2))
    problems(diagnostics)
    return 2


def problems(diagnostics: Sequence[Diagnostic]) -> None:
    """Diagnostics on standard error."""
    from xpiler.report.terminal import Terminal

    sys.stdout.flush()
    Terminal(sys.stderr).diagnostics(diagnostics)


def click_echo_err(text: str) -> None:
    sys.stderr.write(text + "\n")
