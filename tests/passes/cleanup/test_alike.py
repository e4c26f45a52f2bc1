"""Work that threads repeat is done once; what one of them sees of itself or of others stays."""

from __future__ import annotations

import pytest

from xpiler.analysis.atoms import Ledger
from xpiler.frontend import read
from xpiler.ir.text import show_body
from xpiler.passes.cleanup import Assumptions, clean_up
from xpiler.passes.cleanup.alike import Alike
from xpiler.passes.cleanup.base import Context
from xpiler.passes.recovery import recover
from xpiler.platforms.registry import platform

HEAD = """__global__ void k(const float *x, float *y, int n) {
    __shared__ float row[96];
    for (int i = threadIdx.x; i < 96; i += 32) row[i] = x[96 * blockIdx.x + i];
    __syncthreads();
"""
TAIL = """}
void run(const float *x, float *y, int n) { k<<<n, 32>>>(x, y, n); }"""
SUM = "float s = 0.0f; for (int j = 0; j < 96; j++) s += row[j] * row[j];"


def cleaned(body: str) -> str:
    program = read(HEAD + body + TAIL, "k.cu", platform("cuda").words).program
    return show_body(clean_up(recover(program, {}).program).program.function("k").body)


def test_a_sum_that_all_threads_make_is_made_once() -> None:
    shown = cleaned(
        SUM + "for (int i = threadIdx.x; i < 96; i += 32) y[96 * blockIdx.x + i] = row[i] / s;"
    )
    assert "s: f32 = " in shown
    assert "s[" not in shown
    assert shown.count("s += ") == 1


@pytest.mark.parametrize(
    "body",
    [
        SUM.replace("j = 0", "j = threadIdx.x") + "y[32 * blockIdx.x + threadIdx.x] = s;",
        SUM + "s += row[threadIdx.x]; y[32 * blockIdx.x + threadIdx.x] = s;",
        "float a = row[threadIdx.x]; " + SUM.replace("0.0f", "a") + "y[threadIdx.x] = s;",
        "y[threadIdx.x] = 0;" + SUM.replace("row[j] * row[j]", "y[32]") + "y[threadIdx.x] = s;",
    ],
)
def test_what_differs_stays_in_the_loop(body: str) -> None:
    program = read(HEAD + body + TAIL, "k.cu", platform("cuda").words).program
    raised = recover(program, {}).program
    ctx = Context(Assumptions(), Ledger(), raised)
    assert Alike().apply(raised, ctx) == raised
    text = HEAD + SUM + "y[threadIdx.x] = s;" + TAIL
    same = recover(read(text, "k.cu", platform("cuda").words).program, {}).program
    assert Alike().apply(same, ctx) != same


def test_a_condition_that_all_share_does_not_hide_the_work() -> None:
    shown = cleaned(
        "if (x[96 * n + blockIdx.x] == 0) return;"
        + SUM
        + "for (int i = threadIdx.x; i < 96; i += 32) y[96 * blockIdx.x + i] = row[i] / s;"
    )
    assert "[0, 32)" not in shown
    assert shown.count("s += ") == 1
