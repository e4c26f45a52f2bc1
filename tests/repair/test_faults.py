"""Faults are seeded, parse, are told at their lines, and exist in many kinds on every platform."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from faults_by_text import inject_by_text

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


DEVICE = """__global__ void k(const float* x, float* y, int n)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    __syncthreads();
    float v = __shfl_down_sync(0xffffffff, x[i], 16);
    if (i < n) atomicAdd(&y[i], v);
}
void host(const float* x, float* y, int n) {
    float* d;
    cudaMalloc(&d, n * sizeof(float));
    cudaMemcpy(d, x, n * sizeof(float), cudaMemcpyHostToDevice);
    dim3 grid((n + 31) / 32, 2);
    k<<<grid, 32>>>(d, y, n);
}
"""


def test_kinds_of_edits_of_a_device_text() -> None:
    found = edits(tree_of(DEVICE, "cuda"))
    changed = {(e.kind, DEVICE[e.start : e.end], e.new) for e in found}
    assert {
        ("missing barrier", "    __syncthreads();\n", ""),
        ("wrong lane", "__shfl_down_sync", "__shfl_up_sync"),
        ("wrong dimension", "x", "y"),
        ("launch size", "32", "(32) - 1"),
        ("swapped launch", "(n + 31) / 32, 2", "2, (n + 31) / 32"),
        ("copy direction", "cudaMemcpyHostToDevice", "cudaMemcpyDeviceToHost"),
        ("allocation size", "n * sizeof(float)", "(n * sizeof(float)) / 2"),
        ("dropped guard", "i < n", "1"),
        (
            "missing copy",
            "    cudaMemcpy(d, x, n * sizeof(float), cudaMemcpyHostToDevice);\n",
            "",
        ),
    } <= changed
    assert {e.kind for e in found} >= {"wrong mask", "wrong width"}


def test_kinds_of_edits_of_a_c_text() -> None:
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
    found = edits(tree_of(text, "c"))
    kinds = {e.kind for e in found}
    assert kinds >= {
        "off-by-one bound", "off-by-one index", "swapped indices", "dropped tail", "dropped term",
        "dropped statement", "wrong width", "early exit", "narrowed type", "wrong operator",
        "wrong constant", "wrong array", "missing initialisation", "missing barrier",
        "dropped guard",
    }  # fmt: skip
    assert all(e.apply(text) != text for e in found)


@pytest.mark.parametrize("name", FILES)
def test_the_second_generator_makes_faults_that_parse(name: str) -> None:
    text, platform = _read(name)
    found = inject_by_text(text, platform, seed=3, n=2)
    assert found == inject_by_text(text, platform, seed=3, n=2)
    assert len(found.faults) == len(found.edits) == 2
    assert found.text != text
    assert parses(found.text, platform)
