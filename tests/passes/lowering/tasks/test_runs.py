"""Flat loops over rows: one number and a counting place instead of quotients."""

from __future__ import annotations

import pytest

from xpiler.pipeline import Options, translate

HEAD = """
__global__ void f(const float* x, const float* s, float* y, int n, int h, int w) {{
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n * h * w) {{ {body} }}
}}
extern "C" void run(const float* x, const float* s, float* y, int n, int h, int w) {{
  f<<<(n * h * w + 127) / 128, 128>>>(x, s, y, n, h, w);
}}
"""

BODIES = {
    "a value for each row": "y[i] = x[i] * s[i / w];",
    "a value for each column": "y[i] = x[i] + s[i % w];",
    "rows of rows": "int c = i % w, r = i / w % h; y[i] = x[(r * 2) * w + c] - s[r];",
    "quotients of quotients": "int q = i; int c = q % w; q /= w; int r = q % h; q /= h;"
    " y[i] = x[(q * h + r) * w + c] + s[q];",
    "a fixed row": "y[i] = x[i % 48] + s[i / 96] + s[i / 48];",
}


@pytest.mark.parametrize("name", BODIES)
def test_rows_are_copied_and_computed_as_a_whole(name: str) -> None:
    made = translate(HEAD.format(body=BODIES[name]), "f.cu", Options("bang", seed=1))
    assert made.verified, (made.verdict, made.errors)
    assert made.text is not None
    assert "for (int row = " in made.text
    assert "k++" not in made.text
    assert any("overflow" in x or "at least 1" in x for x in made.assumptions)


def test_short_rows_stay() -> None:
    body = "y[i] = x[i] * s[i % 4];"
    made = translate(HEAD.format(body=body), "f.cu", Options("bang", seed=1, verify=False))
    assert "int row" not in (made.text or "")
