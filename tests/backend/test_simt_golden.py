"""CUDA and HIP text as a whole: what a reader sees."""

from __future__ import annotations

from pathlib import Path

import pytest
from simt_texts import rewritten

GOLDEN = Path(__file__).parent / "golden"
CASES = [
    ("add/vec4_wrapper.cu", None, "vec4_wrapper.cu"),
    ("softmax/block_shared.cu", None, "softmax_block.cu"),
    ("softmax/block_shared.cu", "hip", "softmax_block.hip"),
    ("self_attention/wmma_block.cu", None, "attention_wmma.cu"),
    ("batched_gemm/mfma_bf16.hip", None, "bmm_mfma.hip"),
]


@pytest.mark.parametrize(("name", "target", "expected"), CASES)
def test_text(name: str, target: str | None, expected: str) -> None:
    assert rewritten(name, target).text == (GOLDEN / expected).read_text(encoding="utf-8")
