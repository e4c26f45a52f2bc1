"""What the printing of one file shares: the program, the words, names, made helpers."""

from __future__ import annotations

from dataclasses import dataclass, field

from xpiler.backend.generated import Generated
from xpiler.backend.spelling import Spelling
from xpiler.diagnostics import Diagnostic, XpilerError
from xpiler.ir.program import Function, Program
from xpiler.ir.types import Type


@dataclass
class Unit:
    """`functions` and `globals` map IR names to C names; `structs` holds the fields of each.

    `places`: where each function runs ("host", "device", "both"). `dynamic`: the type of each
    name that stands for memory sized by the launch.
    """

    program: Program
    spelling: Spelling
    functions: dict[str, tuple[str, Function]] = field(default_factory=dict)
    globals: dict[str, str] = field(default_factory=dict)
    structs: dict[str, dict[str, Type]] = field(default_factory=dict)
    macros: dict[str, str] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    dynamic: dict[str, str] = field(default_factory=dict)
    generated: Generated = field(default_factory=Generated)
    diagnostics: list[Diagnostic] = field(default_factory=list)


def cannot_print(what: str, reason: str) -> XpilerError:
    """The error for IR that this back end has no text for."""
    return XpilerError(Diagnostic("XP0610", f"{what} cannot be written", reason=reason))
