"""Butterflies over lanes: blocks change places by two copies."""

from __future__ import annotations

from xpiler.pipeline import Options, translate

SUM = """
__global__ void sum(const float* x, float* y) {{
  float v = x[blockIdx.x * 32 + threadIdx.x];
  for (int o = {first}; o > 0; o {step}) v = v * 0.5f - __shfl_xor_sync(0xffffffff, v, o);
  y[blockIdx.x * 32 + threadIdx.x] = v;
}}
extern "C" void run(const float* x, float* y) {{ sum<<<3, 32>>>(x, y); }}
"""


def text_of(first: int, step: str) -> str:
    made = translate(SUM.format(first=first, step=step), "f.cu", Options("bang", seed=1))
    assert made.verified, (made.verdict, made.errors)
    return made.text or ""


def test_blocks_are_exchanged_by_copies() -> None:
    text = text_of(16, ">>= 1")
    assert "32 / (2 * o) - 1" in text
    assert "^ o" not in text


def test_masks_that_are_no_powers_of_two_stay() -> None:
    assert "^ o" in text_of(12, ">>= 1")
    assert "^ o" in text_of(16, "-= 3")
