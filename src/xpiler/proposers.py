"""Puts together whoever proposes beside the symbolic passes: a model under a user's settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xpiler.diagnostics import Diagnostic, XpilerError
from xpiler.neural.asker import Asker
from xpiler.neural.road import Bench, Mended, Road, proposers
from xpiler.neural.settings import Settings
from xpiler.neural.stages import Stage, stages, usual_passes

if TYPE_CHECKING:
    from xpiler.workbench import Workbench


@dataclass
class ModelProposer:
    """Walks the passes of a direction with a model; see neural/road.py."""

    asker: Asker
    settings: Settings

    def __post_init__(self) -> None:
        self._road = Road(self.asker, self.settings)

    @property
    def first(self) -> bool:
        return self.settings.proposer == "model"

    def propose(self, bench: Workbench) -> str | None:
        """A text that passed the check, or None."""
        self._road = Road(self.asker, self.settings, _mend)
        if not bench.judged:
            message = "it is not known how to run the source, so a model's text cannot be checked"
            self._road.remarks.append(Diagnostic("XP1507", message))
            return None
        return self._road.walk(bench, stages_for(bench, self.settings))

    def remarks(self) -> list[Diagnostic]:
        """What there is to say about the last proposal."""
        return list(self._road.remarks)


def stages_for(bench: Workbench, settings: Settings) -> tuple[Stage, ...]:
    """The passes that a source goes through; raises XpilerError (XP1513)."""
    source, target = bench.source_platform, bench.target
    special = bool(bench.reading.program.externals)
    names = settings.passes or usual_passes(source, target, special)
    return stages(names, source, target)


def proposer_of(
    settings: Settings | None, log: Callable[[str], None] = lambda line: None
) -> ModelProposer | None:
    """The proposer that settings ask for, None for the symbolic passes alone; raises XpilerError
    (XP1501, XP1503)."""
    from xpiler.neural.choose import asker

    if settings is None or settings.proposer == "symbolic":
        return None
    return ModelProposer(asker(settings, _injector, log=log), settings)


def _mend(bench: Bench, stage: Stage, text: str) -> Mended | None:
    """Localise and repair what is wrong in a proposal; None where that fails in any way."""
    try:
        return bench.mended(text, stage)
    except XpilerError:
        return None


def _injector(text: str, platform: str, seed: int, n: int) -> str:
    """Faults of the library, for the provider that pretends to be a model."""
    from xpiler.repair.faults import inject

    return inject(text, platform, seed, n).text


__all__ = ["ModelProposer", "proposer_of", "proposers", "stages_for"]
