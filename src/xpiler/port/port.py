"""One text from one platform to another of its family: the rules in their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xpiler.diagnostics import Diagnostic, SourceLoc
from xpiler.platforms._simt.lexer import lex
from xpiler.port import assembly, calls, groups, headers, launches, macros, names, prologue, vectors
from xpiler.port.editor import Editor
from xpiler.port.model import Ported
from xpiler.port.tables import Tables, tables

if TYPE_CHECKING:
    from xpiler.platforms.registry import Platform


@dataclass(slots=True)
class Job:
    """What every rule works on. `waves` is the pair of wave widths; `arch` the source's chip."""

    editor: Editor
    tables: Tables
    source: Platform
    target: Platform
    arch: str
    waves: tuple[int, int]
    include_dirs: tuple[str, ...] = ()
    defines: Mapping[str, str] = field(default_factory=dict)
    defined: frozenset[str] = frozenset()


def can_port(source: Platform, target: Platform) -> bool:
    """Whether both platforms are of one family for which there are tables."""
    family = source.tables.get("family", {}).get("name")
    if source.name == target.name or not family:
        return False
    if target.tables.get("family", {}).get("name") != family:
        return False
    try:
        tables(source.name, target.name)
    except LookupError:
        return False
    return True


def port(
    text: str,
    file: str,
    source: Platform,
    target: Platform,
    *,
    include_dirs: Sequence[str] = (),
    defines: Mapping[str, str] | None = None,
    arch: str | None = None,
) -> Ported:
    """`text` for `target` by edits to the text itself; comments, licence and layout stay.

    Never raises for what the text holds: what has no counterpart is an error among the
    diagnostics, at its place, and stays in the text as it was. A text that is `target`'s already
    comes back unchanged. `arch` is the source's chip (default: the platform's).
    """
    if _ported_before(text, source, target):
        remark = f"{file} is {target.title} already: nothing was changed"
        return Ported(text, (Diagnostic("XP1009", remark, "note", loc=SourceLoc(file, 1)),))
    chip = arch or source.default_arch
    job = Job(
        Editor(text, file),
        tables(source.name, target.name),
        source,
        target,
        chip,
        (source.wave(chip), target.wave(None)),
        tuple(include_dirs),
        defines or {},
    )
    job.defined = names.defined(job)
    if calls.wave_free(job):
        job.waves = (job.waves[1], job.waves[1])
    for rule in (
        prologue.remove,
        macros.regions,
        headers.rewrite,
        headers.implicit,
        macros.rewrite,
        launches.rewrite,
        assembly.rewrite,
        groups.rewrite,
        vectors.rewrite,
        vectors.give_back,
        calls.rewrite,
        names.rewrite,
        prologue.add,
    ):
        rule(job)
    made = job.editor
    order = sorted(made.diagnostics, key=lambda d: (d.loc.line, d.loc.column) if d.loc else (0, 0))
    changes = sorted(made.changes, key=lambda c: (c.line, c.column))
    return Ported(made.result(), tuple(order), tuple(changes))


def _ported_before(text: str, source: Platform, target: Platform) -> bool:
    """Whether the text has the target's headers or API and nothing of the source's."""
    there, back = tables(source.name, target.name), tables(target.name, source.name)
    tokens = lex(prologue.strip(text))
    words = {t.text for t in tokens if t.kind == "name"}
    ours, theirs = any(map(there.tells, words)), any(map(back.tells, words))
    theirs = theirs or headers.of_platform(tokens, back)
    return theirs and not ours and not headers.of_platform(tokens, there)
