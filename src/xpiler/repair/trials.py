"""Try many variants of a text at once: one program, one short run each, compared in place."""

from __future__ import annotations

import re
import struct
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from xpiler.host.sandbox import Limits
from xpiler.platforms.protocol import emulator_of
from xpiler.repair.clones import Unit, Variant, combined
from xpiler.repair.subject import Answer, Question
from xpiler.verify.building import BuildError, Executable, build_variants
from xpiler.verify.driver import variants_text
from xpiler.verify.dtypes import Bools, canonical
from xpiler.verify.execution import execute
from xpiler.verify.executor import spelled
from xpiler.verify.invocation import RETURNED, BufferArg, Invocation, ScalarArg
from xpiler.verify.session import sandboxed

_KINDS = {
    "uint8": 0, "bool": 0, "int8": 1, "uint16": 2, "int16": 3, "uint32": 4, "int32": 5,
    "uint64": 6, "int64": 7, "float16": 8, "bf16": 9, "float32": 10, "float64": 11,
}  # fmt: skip
_RESULTS = "the results of trials"
_MEMORY = 4 << 30
_LONGEST = 400  # milliseconds that a variant may work
_ROUNDS = 4  # of builds, each without the variants that the last one could not compile


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a variant did: `wrong` elements of `elements`, of which `few` are let pass, and faults
    that the emulator told.

    `apart` sums up how far the wrong ones are from right, each from 0 to 1. `took` is in seconds.
    `state`: it did not `build`, it crashed or hung (`ended`), or it came to its end (`done`).
    """

    state: str
    wrong: int = 0
    errors: int = 0
    elements: int = 1
    apart: float = 0.0
    took: float = 0.0
    few: int = 0

    @property
    def passes(self) -> bool:
        """Whether it looks right; a rounding apart here and there is left to the full check."""
        return self.state == "done" and self.errors == 0 and self.wrong <= self.few

    @property
    def share(self) -> float:
        """How wrong it is, from 0 to 1; above 1 where it gave no answer."""
        wrong = (self.wrong + self.apart) / 2 / max(1, self.elements)
        return wrong if self.state == "done" else 2.0


@dataclass
class Trials:
    """Tries variants of one text on one platform; `strict`: no element may be wrong."""

    unit: Unit
    platform: str
    arch: str | None = None
    filename: str = "translation"
    sandbox: str = "required"
    made: int = field(default=0)
    strict: bool = False
    _known: dict[tuple[Question, bool], float] = field(default_factory=dict)

    def run(
        self,
        variants: Sequence[Variant],
        questions: Sequence[Question],
        *,
        checks: bool = False,
        schedule: int = 0,
        to_the_end: bool = False,
    ) -> list[Outcome]:
        """The outcome of each variant on the first question that it answers wrongly, or the last.

        `to_the_end`: each variant answers all; the outcomes are one list, question by question.
        All questions have one entry.
        """
        out = [Outcome("build")] * (len(variants) * (len(questions) if to_the_end else 1))
        left = list(range(len(variants)))
        self.made += len(variants)
        entry = questions[0].call.entry
        with sandboxed(self.sandbox), tempfile.TemporaryDirectory(prefix="xpiler-") as name:
            for _ in range(_ROUNDS):
                text, entries = combined(self.unit, [variants[k] for k in left], entry)
                able = [(k, e) for k, e in zip(left, entries, strict=True) if e is not None]
                if not able:
                    break
                try:
                    program = self._built(text, [e for _, e in able], questions[0], checks, name)
                except BuildError as error:
                    bad = _blamed(error, [variants[k] for k in left])
                    if not bad:
                        break
                    left = [k for i, k in enumerate(left) if i not in bad]
                    continue
                self._ask(program, [k for k, _ in able], questions, schedule, to_the_end, out)
                break
        return out

    def _ask(
        self,
        program: Executable,
        numbers: Sequence[int],
        questions: Sequence[Question],
        schedule: int,
        to_the_end: bool,
        out: list[Outcome],
    ) -> None:
        """Fill in the outcomes of the variants with these numbers."""
        skipped = np.zeros(len(numbers), np.bool_)
        for n, question in enumerate(questions):
            found = self._answers(program, question, schedule, skipped)
            if numbers == [0] and len(out) == len(questions) and found[0].state == "done":
                self._known[question, program.checks] = found[0].took
            for i, (k, outcome) in enumerate(zip(numbers, found, strict=True)):
                if to_the_end:
                    out[n * (len(out) // len(questions)) + k] = outcome
                elif not skipped[i]:
                    out[k] = outcome
                    skipped[i] = not outcome.passes
            if skipped.all():
                break

    def _built(
        self, text: str, entries: Sequence[str], question: Question, checks: bool, folder: str
    ) -> Executable:
        spec = emulator_of(self.platform).of_text(self.unit.tree.text, self.filename)
        call = spelled(question.call, spec.scalar_types)
        whole = _with_answers(call, question.answers, np.zeros(len(entries), np.bool_), 0)
        driver = variants_text(
            call, entries, spec.language, spec.launcher, len(call.args), len(whole.args)
        )
        return build_variants(
            text, self.platform, driver, Path(folder), arch=self.arch, checks=checks,
            filename=self.filename,
        )  # fmt: skip

    def _answers(
        self, program: Executable, question: Question, schedule: int, skipped: Bools
    ) -> list[Outcome]:
        call = spelled(question.call, emulator_of(self.platform).scalar_types)
        most = self._most(question, program.checks)
        whole = _with_answers(call, question.answers, skipped, most)
        seconds = 10.0 + len(skipped) * most / 1000 * 2
        limits = Limits(seconds=seconds, memory_bytes=_MEMORY, processes=64)
        run = execute(program, whole, poison=1, schedule=schedule, limits=limits)
        data = run.outputs.get(_RESULTS)
        if data is None:
            return [Outcome("ended")] * len(skipped)
        rows, n = data.reshape(-1, 4).tolist(), question.elements
        few = 0 if self.strict else n // 500
        return [
            Outcome("done", int(w), int(e), n, a / 1e3, (f - 1) / 1e6, few)
            if f
            else Outcome("ended")
            for f, w, e, a in rows
        ]

    def _most(self, question: Question, checks: bool) -> int:
        """How many milliseconds of work a variant is given: many times what the text as it is took.

        Few variants need more than a right one, and those that never end cost as much as this is.
        """
        took = self._known.get((question, checks))
        return _LONGEST if took is None else min(_LONGEST, int(30 + 20_000 * took))


def _with_answers(
    call: Invocation, answers: Sequence[Answer], skipped: Bools, milliseconds: int
) -> Invocation:
    """The call with what should come out, as `_runtime/trials.cpp` wants it."""
    place = {a.name: i for i, a in enumerate(call.args) if isinstance(a, BufferArg)}
    shape = struct.pack("<2I", len(answers), milliseconds)
    more: list[ScalarArg | BufferArg] = []
    for a in answers:
        b = a.buffer
        kind = _KINDS[canonical(b.dtype)]
        shape += struct.pack("<2IQ", place[b.name], kind, a.expected.size)
        for what, values in (("expected", a.expected), ("allowed", a.allowed)):
            more.append(BufferArg(f"{what} {b.name}", "", "float64", values.size, values))
    rows = np.zeros((len(skipped), 4), np.uint32)
    rows[:, 0] = skipped
    results = BufferArg(_RESULTS, "", "uint32", rows.size, rows.reshape(-1))
    return replace(call, args=(*call.args, ScalarArg("", shape), *more, results))


def _blamed(error: BuildError, variants: Sequence[Variant]) -> set[int]:
    """The variants that the compiler or the linker did not take."""
    bad: set[int] = set()
    for d in error.diagnostics:
        if d.loc is not None and (m := re.fullmatch(r"<variant (\d+)>", d.loc.file)):
            bad.add(int(m[1]))
        elif d.code == "XP0602" and (name := re.match(r"\w+", d.message)):
            bad |= {k for k, v in enumerate(variants) if any(name[0] in e.new for e in v)}
    return bad


__all__ = ["RETURNED", "Outcome", "Trials"]
