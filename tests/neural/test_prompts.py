"""Prompts: a template for each pass, filled in the same way every time."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from xpiler.diagnostics import XpilerError
from xpiler.neural import prompts
from xpiler.neural.instructions import Instruction
from xpiler.neural.prompts import PASSES, again, mark_for, messages, pass_name, pass_prompt
from xpiler.neural.retrieve import Index, instructions_for, manual, passages_for, words
from xpiler.neural.stages import stages, usual_passes
from xpiler.pipeline import Options, workbench
from xpiler.platforms.registry import platform, platforms

GOLDEN = Path(__file__).with_name("golden")
SOURCE = """\
// scales the rows of a matrix by a vector
__global__ void scale_rows(const float *x, const float *s, float *y, int rows, int cols) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < rows * cols) y[i] = x[i] * s[i / cols];
}
"""
SEQUENTIAL = """\
void scale_rows(const float *x, const float *s, float *y, int rows, int cols)
{
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < cols; j++) {
            y[i * cols + j] = x[i * cols + j] * s[i];
        }
    }
}
"""
TARGETS = {
    "loop_recovery": "bang", "loop_bind": "bang", "loop_split": "c", "loop_fuse": "c",
    "loop_reorder": "c", "loop_expansion": "c", "loop_contraction": "c", "cache": "cuda",
    "pipeline": "hip", "tensorize": "bang", "detensorize": "c",
}  # fmt: skip


@pytest.mark.parametrize("name", PASSES)
def test_golden(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found_one = [Instruction("vector_add", "void vector_add(T * dst, T * a, int n)", 1, "adds")]
    monkeypatch.setattr(prompts, "instructions_for", lambda *_: found_one)
    text, file = (SEQUENTIAL, "k.c") if TARGETS[name] == "c" else (SOURCE, "k.cu")
    if name == "detensorize":
        text, file = SOURCE, "k.cu"
    target = platform(TARGETS[name])
    bench = workbench(text, file, Options(target=target.name, seed=1))
    part = pass_prompt(name)
    plain = platform("c")
    here = {"source": bench.source_platform, "sequential": plain, "target": target}
    after = {"source": here["source"], "sequential": plain, "target": target}[part.gives]
    stage = stages((name,), here[part.takes], after)[0]
    before = SEQUENTIAL if part.takes == "sequential" else text
    material = replace(bench.material(stage, before), knobs=('step(loop="i", factor=32)',))
    turns = messages(name, material)
    found = "\n".join(f"--- {m.role} ---\n{m.text}" for m in turns)
    path = GOLDEN / f"{name}.md"
    if os.environ.get("XPILER_WRITE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PASSES)
def test_templates_are_complete(name: str) -> None:
    part = pass_prompt(name)
    assert part.version >= 1
    assert {"does", "holds", "mistakes", "example"} == set(part.sections)
    assert all(part.sections.values())
    assert {part.takes, part.gives} <= {"source", "sequential", "target"}


def test_names_of_passes() -> None:
    assert pass_name("Loop bind") == pass_name("loop-bind") == "loop_bind"
    with pytest.raises(XpilerError, match="XP1513"):
        pass_name("loop_unroll")


@pytest.mark.parametrize("source", ["cuda", "hip", "bang", "c"])
@pytest.mark.parametrize("target", ["cuda", "hip", "bang", "c"])
def test_usual_passes_chain(source: str, target: str) -> None:
    here, there = platform(source), platform(target)
    for special in (False, True):
        found = stages(usual_passes(here, there, special), here, there)
        assert found[0].before.name == source
        assert found[-1].after.name == target
        assert all(a.after.name == b.before.name for a, b in pairwise(found))


@pytest.mark.parametrize(
    "names", [("loop_bind",), ("loop_recovery",), ("loop_recovery", "tensorize"), ("cache",)]
)
def test_passes_that_do_not_chain(names: tuple[str, ...]) -> None:
    with pytest.raises(XpilerError, match="XP1513"):
        stages(names, platform("cuda"), platform("bang"))


@pytest.mark.parametrize("name", ["cuda", "hip", "bang", "c"])
def test_manuals(name: str) -> None:
    passages = manual(platform(name).folder)
    assert len(passages) >= 10
    assert all(0 < len(p.text) < 2000 for p in passages)
    assert all(set(p.passes) <= set(PASSES) for p in passages)
    assert all("`" in p.text or p.title for p in passages)


def test_retrieval() -> None:
    bang = platform("bang")
    titles = [
        p.title for p in passages_for(bang, "loop_fuse", "copy rows of a matrix with a stride")
    ]
    assert "Copies with strides" in titles[:3]
    names = [i.name for i in instructions_for(bang, "matrix multiply matmul", 3)]
    assert "__bang_matmul" in names
    dots = [i.name for i in instructions_for(platform("c"), "dpbusd dot product epi32", 5)]
    assert any("dpbusd" in n for n in dots)


def test_words_take_identifiers_apart() -> None:
    assert words("__bang_active_exp(dst)") == ["bang_active_exp", "bang", "active", "exp", "dst"]
    assert words("loops") == words("loop")
    assert Index([]).search("anything", 3) == []
    assert Index(["alpha beta", "gamma"]).search("gamma", 3)[0][0] == 1


def test_a_mark_is_never_part_of_its_text() -> None:
    text = "x"
    for _ in range(3):
        mark = mark_for(text)
        assert mark not in text
        text += mark
    assert mark_for("x") == mark_for("x")
    assert len(again("y" * 100_000).text) < 6000


def test_every_platform_has_instructions_and_limits_in_its_prompts() -> None:
    for p in platforms().values():
        if p.writable:
            assert len(instructions_for(p, "max add mul sqrt load store", 8)) > 3
