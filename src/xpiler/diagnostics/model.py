"""The shape of a diagnostic and of a place in a source file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class SourceLoc:
    """A place in a user's file; line and column count from 1, 0 means unknown."""

    file: str
    line: int
    column: int = 0

    def __str__(self) -> str:
        return (
            f"{self.file}:{self.line}:{self.column}" if self.column else f"{self.file}:{self.line}"
        )


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One numbered remark about the user's program or about this machine.

    `code` is a key of the registry (`XP0304`); `message` says what, `reason` why,
    `help` names the option or the rewrite that mends it; `source_line` is the user's text at `loc`.
    """

    code: str
    message: str
    severity: Severity = "error"
    loc: SourceLoc | None = None
    source_line: str = ""
    reason: str = ""
    help: str = ""

    def render(self) -> str:
        """The diagnostic as plain text, in the order what, where, why, help."""
        head = f"{self.loc}: " if self.loc else ""
        lines = [f"{head}{self.severity}[{self.code}]: {self.message}"]
        if self.source_line.strip():
            lines.append(f"    {self.source_line.rstrip()}")
            if self.loc and self.loc.column:
                indent = "".join(
                    "\t" if c == "\t" else " " for c in self.source_line[: self.loc.column - 1]
                )
                lines.append(f"    {indent}^")
        lines += [f"    why: {self.reason}"] if self.reason else []
        lines += [f"    help: {self.help}"] if self.help else []
        return "\n".join(lines)


class XpilerError(Exception):
    """A failure that is told to the user as diagnostics, never as a traceback."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__("; ".join(f"{d.code}: {d.message}" for d in diagnostics))
        self.diagnostics = diagnostics
