"""Which passes bring a source to a target when a model is asked: texts between them are whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xpiler.diagnostics import Diagnostic, XpilerError
from xpiler.neural.prompts import pass_name, pass_prompt
from xpiler.platforms.registry import Platform, all_platforms


@dataclass(frozen=True, slots=True)
class Stage:
    """One pass between two texts. An `optional` one may be left out: its text before will do."""

    name: str
    before: Platform
    after: Platform
    optional: bool

    @property
    def title(self) -> str:
        return pass_prompt(self.name).title


def sequential_platform() -> Platform:
    """The platform whose plain programs are sequential: its recipe of lowering is optional."""
    for p in all_platforms():
        if p.tables.get("lowering", {}).get("optional"):
            return p
    raise LookupError("no platform takes sequential programs")


def usual_passes(source: Platform, target: Platform, instructions: bool) -> tuple[str, ...]:
    """The passes of a direction; `instructions`: the source uses special ones.

    The target's table may say which passes it wants: `[neural] passes`.
    """
    plain = sequential_platform()
    first: tuple[str, ...] = ()
    if source.name != plain.name:
        first = ("loop_recovery",)
    elif instructions:
        first = ("detensorize",)
    usual = ["tensorize"] if target.name == plain.name else ["loop_bind"]
    return (*first, *target.tables.get("neural", {}).get("passes", usual))


def stages(names: Sequence[str], source: Platform, target: Platform) -> tuple[Stage, ...]:
    """The passes as steps from text to text; raises XpilerError (XP1513) if they do not chain."""
    plain = sequential_platform()
    here, out = source, []
    for raw in names:
        part = pass_prompt(pass_name(raw))
        wanted = {"source": here, "sequential": plain, "target": target}
        if wanted[part.takes].name != here.name:
            message = f"{part.title} takes {wanted[part.takes].title}, not {here.title}"
            raise XpilerError(Diagnostic("XP1513", message))
        after = wanted[part.gives]
        out.append(Stage(part.name, here, after, after.name == here.name))
        here = after
    if here.name != target.name:
        message = f"these passes end in {here.title}, not in {target.title}"
        raise XpilerError(Diagnostic("XP1513", message))
    return tuple(out)
