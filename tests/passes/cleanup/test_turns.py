"""Loops in which only one lane of each warp acts; block reductions that hand over through those."""

from __future__ import annotations

import pytest

from xpiler.frontend import read
from xpiler.ir.text import show_body
from xpiler.passes.cleanup import clean_up
from xpiler.pipeline import Options, translate
from xpiler.platforms.registry import platform

LOOP = "void f(const float *x, float *y, int n) { for (int t = 0; t < 128; t++) { %s } }"
FEW = {
    "by mask": ("int l = t & 31; if (l == 0) y[t >> 5] = x[t];", "y[t] = x[(t * 32)]", 4),
    "by rest": ("if (t % 32 == 5) y[t / 32] = x[t];", "x[((t * 32) + 5)]", 4),
    "unsigned": ("if (((unsigned)t & 15) == 1) y[t] = x[t];", "x[((t * 16) + 1)]", 8),
    "of three": ("if (3 == t % 64) y[t] = x[t];", "x[((t * 64) + 3)]", 2),
}
ALL = {
    "no power of two": "if ((t & 30) == 0) y[t] = x[t];",
    "but": "if (t % 32 != 0) y[t] = x[t];",
    "by another": "if (n % 32 == 0) y[t] = x[t];",
}


def cleaned(body: str) -> str:
    found = read(LOOP % body, "t.c", platform("c").words)
    assert not found.diagnostics
    return show_body(clean_up(found.program).program.functions[0].body)


@pytest.mark.parametrize("name", FEW)
def test_only_the_turns_that_do_something_are_taken(name: str) -> None:
    body, place, turns = FEW[name]
    text = cleaned(body)
    assert f"[0, {turns})" in text
    assert place in text
    assert "if" not in text


@pytest.mark.parametrize("name", ALL)
def test_other_conditions_are_asked_in_every_turn(name: str) -> None:
    assert "[0, 128)" in cleaned(ALL[name])


BLOCK = """
__device__ float whole(float v, float *part)
{
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    for (int o = 16; o > 0; o /= 2) v += __shfl_down_sync(0xffffffff, v, o);
    __syncthreads();
    if (lane == 0) part[warp] = v;
    __syncthreads();
    if (threadIdx.x == 0) for (int k = 1; k < 8; k++) part[0] += part[k];
    __syncthreads();
    return part[0];
}
__global__ void center(const float *x, float *y, int n)
{
    __shared__ float part[8];
    float v = 0;
    for (int i = threadIdx.x; i < n; i += 256) v += x[blockIdx.x * n + i];
    float mean = whole(v, part) / n;
    for (int i = threadIdx.x; i < n; i += 256) y[blockIdx.x * n + i] = x[blockIdx.x * n + i] - mean;
}
void run(const float *x, float *y, int m, int n) { center<<<m, 256>>>(x, y, n); }
"""


def test_a_reduction_over_warps_and_a_block_is_one_loop() -> None:
    done = translate(BLOCK, "t.cu", Options("c", verify=False, plain=True))
    assert done.text is not None
    assert "shfl" not in done.text
    assert "part[" not in done.text
    assert done.text.count("for (") == 3


TAIL = """
__global__ void clip(float *x, int n)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n / 4) { x[4 * i] = 0; x[4 * i + 1] = 1; x[4 * i + 2] = 2; x[4 * i + 3] = 3; }
    if (blockIdx.x == 0 && threadIdx.x < n % 4) x[n - 1 - (int)threadIdx.x] = 4;
}
void run(float *x, int n, int g) { clip<<<g, 128>>>(x, n); }
"""


def test_what_one_block_does_with_the_rest_is_a_loop_of_its_own() -> None:
    done = translate(TAIL, "t.cu", Options("c", verify=False, plain=True))
    assert done.text is not None
    assert "block == 0" not in done.text
    assert "t < n % 4" in done.text
