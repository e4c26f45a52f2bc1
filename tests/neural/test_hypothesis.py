"""Instructions that a model describes: found, fenced in, marked, kept for review."""

from __future__ import annotations

from pathlib import Path

import pytest

from xpiler.diagnostics import Diagnostic
from xpiler.neural.asker import Asker
from xpiler.neural.hypothesis import Entry, describe, unknown, with_entries
from xpiler.neural.provider import Answer, Request
from xpiler.neural.settings import Settings
from xpiler.platforms.registry import platform
from xpiler.proposers import ModelProposer, translate

NAME = "__bang_active_softsign"
KERNEL = f"""\
#include <bang.h>
#define N 256
/* the
work */
__mlu_entry__ void softsign(float *y, const float *x, int n) {{
    __nram__ float a[N];
    if (__is_mpu()) return;
    for (int i = taskId * N; i < n; i += taskDim * N) {{
        int m = n - i < N ? n - i : N;
        __memcpy(a, x + i, m * sizeof(float), GDRAM2NRAM);
        {NAME}(a, a, m);
        __memcpy(y + i, a, m * sizeof(float), NRAM2GDRAM);
    }}
}}
"""
MEANING = f"""\
__mlu_func__ void {NAME}(float *dst, const float *src, int n) {{
    for (int i = 0; i < n; i++)  // one by one
        dst[i] = src[i] / (1.0f + fabsf(src[i]));
}}
"""


class Knows:
    """A model that knows the instruction, or says something else."""

    name, paid = "test", False

    def __init__(self, text: str) -> None:
        self.text, self.asked = text, 0

    def ask(self, request: Request, seconds: float) -> Answer:
        self.asked += 1
        return Answer(f"```\n{self.text}```\n", self.name)


def test_unknown_functions_are_found() -> None:
    remark = Diagnostic("XP0110", f"use of undeclared identifier '{NAME}'")
    other = Diagnostic("XP0110", "use of undeclared identifier 'width'")
    assert unknown([remark, other, remark], KERNEL) == (NAME,)


def test_definitions_stand_before_the_code_and_lines_keep_their_numbers() -> None:
    text = with_entries(KERNEL, [Entry(NAME, MEANING, "test")])
    assert text is not None
    assert text.count("\n") == KERNEL.count("\n")
    assert text.splitlines()[4].startswith(f"__mlu_func__ void {NAME}(")
    assert "one by one" not in text


@pytest.mark.parametrize(
    "text",
    [
        "",
        MEANING.replace(NAME, "other"),
        f'#include "/etc/passwd"\n{MEANING}',
        f"#define fabsf(x) x\n{MEANING}",
        f"{MEANING}int also;\n",
        f"int before; {MEANING}",
        MEANING.replace("}", ""),
        MEANING.replace("fabsf", "f" * 5000),
    ],
)
def test_answers_that_are_no_definition(text: str) -> None:
    asker = Asker(Knows(text))
    assert describe(NAME, KERNEL, platform("bang"), asker, Settings()) is None


def test_a_described_instruction_is_marked_as_a_hypothesis(tmp_path: Path) -> None:
    from xpiler.pipeline import Options

    entries = tmp_path / "entries"
    settings = Settings(proposer="both", model="test", entries=str(entries))
    model = Knows(MEANING)
    proposer = ModelProposer(Asker(model), settings)
    options = Options(target="c", plain=True, seed=1)
    result = translate(KERNEL, "k.mlu", options, proposer)
    assert result.verified
    assert result.verdict is not None
    assert result.verdict.assumptions[0] == (
        f"{NAME} does what test says (a HYPOTHESIS, not reviewed)"
    )
    assert "XP1511" in {d.code for d in result.diagnostics}
    saved = entries / f"{NAME}.cpp"
    saved.write_text(saved.read_text().replace("// hypothesis by", "// reviewed by"))
    asked = model.asked
    again = translate(KERNEL, "k.mlu", options, proposer)
    assert again.verified
    assert model.asked == asked == 1
    assert "XP1511" not in {d.code for d in again.diagnostics}
