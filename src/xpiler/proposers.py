"""Puts together whoever proposes beside the symbolic passes: a model under a user's settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xpiler.diagnostics import Diagnostic, SourceLoc, XpilerError
from xpiler.neural.asker import Asker
from xpiler.neural.hypothesis import Entry, describe, unknown, with_entries
from xpiler.neural.road import Bench, Mended, Road, proposers
from xpiler.neural.settings import Settings
from xpiler.neural.stages import Stage, stages, usual_passes
from xpiler.pipeline import Options, Translation
from xpiler.pipeline import translate as plain_translate
from xpiler.platforms.registry import platform, platform_of

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

    @property
    def falls_back(self) -> bool:
        return self.settings.fall_back

    def propose(self, bench: Workbench) -> str | None:
        """A text that passed the check, or None."""
        self._road = Road(self.asker, self.settings, self._mend)
        if not bench.judged:
            message = "it is not known how to run the source, so a model's text cannot be checked"
            self._road.remarks.append(Diagnostic("XP1507", message))
            return None
        return self._road.walk(bench, stages_for(bench, self.settings))

    def _mend(self, bench: Bench, stage: Stage, text: str) -> Mended | None:
        """Localise and repair what is wrong in a proposal; None where that fails in any way."""
        try:
            return bench.mended(text, stage, self.settings.repair_seconds)
        except XpilerError:
            return None

    def remarks(self) -> list[Diagnostic]:
        """What there is to say about the last proposal."""
        return list(self._road.remarks)


def translate(
    text: str, file: str, options: Options, proposer: ModelProposer | None = None
) -> Translation:
    """`pipeline.translate`; instructions that nobody knows are described by the proposer's model.

    Such a description is a hypothesis, which the verdict says.
    """
    entries = _described(text, file, options, proposer) if proposer is not None else ()
    completed = with_entries(text, entries) if entries else None
    result = plain_translate(completed or text, file, options, proposer)
    if completed is None or result.verdict is None:
        return result
    assumed = (*(e.assumption for e in entries), *result.verdict.assumptions)
    result.verdict = replace(result.verdict, assumptions=assumed)
    result.assumptions = assumed
    result.diagnostics += [
        Diagnostic("XP1511", e.assumption, "warning", SourceLoc(file, 1), reason=e.text[:400])
        for e in entries
        if not e.reviewed
    ]
    return result


def _described(
    text: str, file: str, options: Options, proposer: ModelProposer
) -> tuple[Entry, ...]:
    """Entries for all functions that nobody knows; () where there are none, or one is not to be
    had."""
    from xpiler.frontend import read

    source = platform(options.source) if options.source else platform_of(file, text)
    try:
        result = read(
            text, file, source.words,
            arch=options.arch, defines=options.defines, include_dirs=options.include_dirs,
        )  # fmt: skip
    except XpilerError:
        return ()
    names = unknown(result.diagnostics, text)
    found = [describe(n, text, source, proposer.asker, proposer.settings) for n in names]
    entries = tuple(e for e in found if e is not None)
    return entries if len(entries) == len(names) else ()


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


def _injector(text: str, platform: str, seed: int, n: int) -> str:
    """Faults of the library, for the provider that pretends to be a model."""
    from xpiler.repair.faults import inject

    return inject(text, platform, seed, n).text


__all__ = ["ModelProposer", "proposer_of", "proposers", "stages_for", "translate"]
