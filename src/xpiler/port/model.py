"""What port mode gives back: the text, each change that was made, and what is left to a person."""

from __future__ import annotations

from dataclasses import dataclass

from xpiler.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True)
class Change:
    """One edit: where in the source (line and column from 1), what stood there, what stands now.

    `group` names the part of the API tables that the edit comes from (`memory`, `waves`, ...).
    """

    line: int
    column: int
    old: str
    new: str
    group: str


@dataclass(frozen=True, slots=True)
class Ported:
    """The edited text. An error among `diagnostics` marks a place that will not work as it is."""

    text: str
    diagnostics: tuple[Diagnostic, ...] = ()
    changes: tuple[Change, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether nothing was met that port mode cannot handle."""
        return all(d.severity != "error" for d in self.diagnostics)
