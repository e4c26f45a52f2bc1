"""Reads a kernel of ours and writes it back, unraised, in a SIMT dialect."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from xpiler.backend import write_unit
from xpiler.diagnostics import Diagnostic
from xpiler.passes.lowering import EntryPoint
from xpiler.pipeline import Options
from xpiler.platforms.registry import platform, platform_of
from xpiler.verify.reading import Reading, read
from xpiler.verify.session import check_translation
from xpiler.verify.spec import load_sidecar
from xpiler.verify.verdict import Verdict

KERNELS = Path(__file__).parents[1] / "kernels"


@dataclass(frozen=True)
class Rewritten:
    """A source, what was read of it, and its text as it was written again."""

    reading: Reading
    text: str
    target: str

    def verdict(self) -> Verdict:
        """The new text against the source, on the first sizes of each entry."""
        plans = tuple(replace(p, cases=p.cases[:1]) for p in self.reading.plans)
        shapes = {
            p.entry.name: EntryPoint("kernel", c.grid, c.block, c.shared_bytes)
            for p in plans
            for c in p.cases
            if p.kind == "kernel"
        }
        reading = replace(self.reading, plans=plans)
        return check_translation(reading, self.text, platform(self.target), seed=1, entries=shapes)


def rewritten(name: str, target: str | None = None) -> Rewritten:
    path = KERNELS / name
    text = path.read_text(encoding="utf-8")
    source = platform_of(path.name, text)
    options = Options(target="c", spec=load_sidecar(path))
    diagnostics: list[Diagnostic] = []
    reading = read(text, str(path), source, options, diagnostics)
    goal = target or source.name
    written = write_unit(reading.program, platform(goal).spelling)
    return Rewritten(reading, written.text, goal)


def sound(suffix: str) -> list[str]:
    """Our own kernels of a dialect, as names below `tests/kernels`."""
    found = sorted(p.relative_to(KERNELS) for p in KERNELS.glob(f"*/*{suffix}"))
    return [str(p) for p in found if p.parts[0] != "unsound"]
