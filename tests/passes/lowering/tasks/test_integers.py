"""Integers in lanes: widened, summed, narrowed, as C does it."""

from __future__ import annotations

import pytest

from xpiler.pipeline import Options, translate

HEAD = (
    "__global__ void f({args}, int n) {{ int i = blockIdx.x * blockDim.x + threadIdx.x; {body} }}"
)

BODIES = {
    "widened": ("const signed char* a, int* y", "if (i < n) y[i] = a[i] * 3;", "int82int32"),
    "unsigned": ("const unsigned char* a, int* y", "if (i < n) y[i] = a[i] - 7;", "band_scalar"),
    "half words": ("const short* a, float* y", "if (i < n) y[i] = a[i] * 0.5f;", "int162float"),
    "narrowed": ("const int* a, signed char* y", "if (i < n) y[i] = (signed char)(a[i] * 5);",
                 ", 1, 4, n2 - 1"),
    "low words": ("const int* a, int* y", "if (i < n) y[i] = (int)((long long)a[i] * a[i]);",
                  "bang_mul("),
    "rounded": ("const float* a, float* y", "if (i < n) y[i] = rintf(a[i] * 9.0f);", "int32_rn"),
    "flags": ("const float* a, int* y", "if (i < n) y[i] = (a[i] > 0.0f) + 2;", "gt_scalar"),
    "wrapping": ("const unsigned* a, unsigned* y", "if (i < n) y[i] = a[i] * 2654435761u;",
                 "(int)2654435761u"),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_an_element_has_an_instruction(name: str) -> None:
    args, body, wanted = BODIES[name]
    made = translate(HEAD.format(args=args, body=body), "f.cu", Options("bang", seed=1))
    assert made.verified, made.verdict
    assert made.text is not None
    assert wanted in made.text
    assert "k++" not in made.text


def test_a_row_of_integers_is_halved() -> None:
    text = """
__global__ void dot(const signed char* a, const signed char* b, int* y, int n, int k) {
  for (int i = blockIdx.x; i < n; i += gridDim.x) {
    int sum = 0;
    for (int j = 0; j < k; j++) sum += a[j] * b[i + j] * (j < 3 ? 1 : 2);
    if (threadIdx.x == 0) y[i * i] = sum;
  }
}"""
    made = translate(text, "dot.cu", Options("bang", seed=1))
    assert made.verified, made.verdict
    assert made.text is not None
    assert "while (left > 1)" in made.text
