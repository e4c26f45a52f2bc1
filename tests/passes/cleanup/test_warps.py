"""A warp for each row, with threads that leave early: one loop over the row is left."""

from __future__ import annotations

import pytest
from raised import cleaned_kernel

SOURCE = """
__global__ void dots(const float *a, const float *x, float *y, int m, int n) {
  int lane = threadIdx.x %% 32, row = (blockIdx.x * blockDim.x + threadIdx.x) / 32;
  if (row >= m) return;
  float sum = 0.0f;
  %s
  %s
  if (lane == 0) y[row] = sum;
}
void run(const float *a, const float *x, float *y, int m, int n) {
  dots<<<(m * 32 + 127) / 128, 128>>>(a, x, y, m, n);
}
"""
FILL = "for (int k = lane; k < n; k += 32) sum += a[row * n + k] * x[k];"
DOWN = "sum += __shfl_down_sync(~0u, sum, "
WRITTEN_OUT = f"{DOWN}16); {DOWN}8); {DOWN}4); {DOWN}2); {DOWN}1);"
DOT = """\
parallel for row: i32 in [0, m)
  sum.1: f32 = 0.0
  for k: i32 in [0, n)
    sum.1 += (a[((row * n) + k)] * x[k])
  y[row] = sum.1
"""


def cleaned(fill: str, combine: str) -> str:
    return cleaned_kernel(SOURCE % (fill, combine))


@pytest.mark.parametrize(
    "combine",
    [
        f"for (int s = 16; s > 0; s /= 2) {DOWN}s);",
        f"for (int s = 16; s; s >>= 1) {DOWN}s);",
        f"#pragma unroll\n for (int s = 16; s; s >>= 1) {DOWN}s);",
        WRITTEN_OUT,
    ],
)
def test_a_row_for_each_warp(combine: str) -> None:
    assert cleaned(FILL, combine).strip() == DOT.strip()


def test_a_choice_that_is_the_same_for_all_lanes() -> None:
    text = cleaned(f"if (n % 2 == 0) {{ {FILL} }} else {{ {FILL.replace('*', '-')} }}", WRITTEN_OUT)
    assert [x.split(" in ")[1] for x in text.splitlines() if " in " in x] == [
        "[0, m)", "[0, n)", "[0, n)",
    ]  # fmt: skip


def test_what_threads_do_that_have_not_left_is_kept() -> None:
    text = cleaned(FILL, f"y[row] = 1.0f; {WRITTEN_OUT} if (lane == 1) y[row + m] = sum;")
    assert "y[(row + m)]" in text
