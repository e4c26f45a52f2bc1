"""Faults are seeded, parse, are told at their lines, and exist in many kinds on every platform."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from xpiler.platforms.registry import platform_of
from xpiler.repair.faults import KINDS, edits, inject, parses, tree_of

EXAMPLES = Path(__file__).parents[2] / "examples"
FILES = ("softmax.cu", "gelu.hip", "scaled_add.mlu", "dot_vnni.c")


def _read(name: str) -> tuple[str, str]:
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    return text, platform_of(name, text).name


@pytest.mark.parametrize("name", FILES)
def test_the_same_seed_gives_the_same_faults_which_parse(name: str) -> None:
    text, platform = _read(name)
    found = inject(text, platform, seed=3, n=2)
    assert found == inject(text, platform, seed=3, n=2)
    assert len(found.faults) == 2
    assert found.text != inject(text, platform, seed=4, n=2).text
    assert parses(found.text, platform)


@pytest.mark.parametrize("name", FILES)
def test_a_fault_is_told_at_the_line_that_changed(name: str) -> None:
    text, platform = _read(name)
    for seed in range(4):
        found = inject(text, platform, seed)
        (fault,) = found.faults
        matcher = difflib.SequenceMatcher(a=text.splitlines(), b=found.text.splitlines())
        changed = [c for c in matcher.get_opcodes() if c[0] != "equal"]
        assert changed[0][3] + 1 <= fault.line <= max(changed[-1][4], changed[0][3] + 1)


def test_kinds_of_every_category_are_found() -> None:
    kinds = set()
    for name in FILES:
        text, platform = _read(name)
        kinds |= {e.kind for e in edits(tree_of(text, platform))}
    assert kinds <= set(KINDS)
    assert len(kinds) >= 30
    assert {KINDS[k][0] for k in kinds} == {"parallelism", "memory", "instruction"}


def test_only_the_kinds_asked_for_are_made() -> None:
    text, platform = _read("softmax.cu")
    found = inject(text, platform, seed=1, n=2, kinds=["missing barrier"])
    assert [f.kind for f in found.faults] == ["missing barrier"] * 2
    assert found.text.count("__syncthreads") == text.count("__syncthreads") - 2
