"""What commands print: one line a result on standard output, problems on standard error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from xpiler.diagnostics import Diagnostic

if TYPE_CHECKING:
    from xpiler.pipeline import Translation

STYLE = {"verified": "32", "not verified": "33", "partial": "33", "refused": "31", "error": "31"}


def colour(text: str, code: str) -> str:
    """`text` in colour where standard output is a terminal and NO_COLOR is unset."""
    on = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return f"\033[{code}m{text}\033[0m" if on else text


def plain(d: Diagnostic) -> dict[str, Any]:
    """A diagnostic for JSON."""
    where = {"file": d.loc.file, "line": d.loc.line, "column": d.loc.column} if d.loc else None
    return {
        "code": d.code,
        "severity": d.severity,
        "message": d.message,
        "where": where,
        "reason": d.reason,
        "help": d.help,
        "source_line": d.source_line,
    }


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

    def problems(self, diagnostics: Sequence[Diagnostic]) -> None:
        if not self.as_json:
            for d in diagnostics:
                click_echo_err(d.render())

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
        self.problems(diagnostics)

    def translated(self, result: Translation, where: str | None) -> None:
        """One translation: a line with its verdict, its diagnostics below."""
        status = status_of(result)
        verdict = result.verdict.render() if result.verdict is not None else ""
        self.items.append(
            {
                "file": result.file,
                "from": result.source,
                "to": result.target,
                "output": where,
                "status": status,
                "seed": result.trace.seed,
                "seconds": round(result.trace.seconds(), 3),
                "verdict": result.verdict.to_json() if result.verdict is not None else None,
                "assumptions": list(result.assumptions),
                "diagnostics": [plain(d) for d in result.diagnostics],
                **({"text": result.text} if where == "-" else {}),
            }
        )
        if self.as_json:
            return
        arrow = f"{result.file} -> {where or result.target}"
        line = f"{arrow}: {colour(status, STYLE[status])}{': ' + verdict if verdict else ''}"
        show = click_echo_err if where == "-" else print
        show(line)
        if result.verdict is not None and result.verdict.ok and result.verdict.assumptions:
            show(f"    given that {'; '.join(result.verdict.assumptions)}")
        self.problems(result.diagnostics)

    def finish(self) -> None:
        if self.as_json:
            print(json.dumps(self.items, indent=2, sort_keys=True, default=str))


def status_of(result: Translation) -> str:
    if result.text is None:
        return "refused"
    if result.partial:
        return "partial"
    return "verified" if result.verified else "not verified"


def click_echo_err(text: str) -> None:
    sys.stderr.write(text + "\n")
