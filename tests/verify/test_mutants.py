"""The verifier says no: wrong variants of translated kernels do not pass it.

A dozen of what `benchmarks/mutants.py` measures with hundreds.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from xpiler.host.sandbox import capabilities

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import mutants
from mutation import edits

pytestmark = pytest.mark.skipif(not capabilities().isolated, reason=capabilities().reason)

VARIANTS = 4


@pytest.mark.parametrize("name", ["gemv/constant_vector.cu", "scan/blelloch.cu", "sub/pitch_2d.cu"])
def test_wrong_variants_do_not_pass(name: str) -> None:
    kernel = mutants.prepared(name, 1)
    assert isinstance(kernel, mutants.Kernel), kernel
    found = []
    for edit, of_source in mutants.variants(kernel)[:VARIANTS]:
        judge = mutants.judge_source if of_source else mutants.judge
        found.append((edit.kind, *judge(kernel, edit)))
    assert [f for f in found if f[1] == "survived"] == []
    assert sum(f[1] == "caught" for f in found) >= 2


def test_every_kind_of_edit() -> None:
    text = """void sums(const float *x, const float *y, float *z, int rows, int cols)
{
    float part[32];
    for (int i = 0; i < rows; i++) {
        float sum = 0.0f;
        for (int j = 0; j < cols; j++) {
            if (j > i) {
                sum += x[i * cols + j] + y[j];
            }
        }
        part[i] = sum;
    }
    for (int i = 0; i < rows; i++) {
        z[i] = part[i];
    }
}
"""
    kinds = {e.kind for e in edits(text)}
    assert kinds == {
        "off-by-one bound", "off-by-one index", "swapped indices", "dropped tail", "dropped term",
        "dropped statement", "wrong width", "early exit", "narrowed type", "wrong operator",
        "wrong constant", "wrong array", "missing initialisation", "missing barrier",
        "dropped guard",
    }  # fmt: skip
    assert all(e.apply(text) != text for e in edits(text))
