"""Instruction sets come from the kernel's list; where that is missing there are none."""

from pathlib import Path

import pytest

from xpiler.host import processor
from xpiler.pipeline import Options, translate

TEXT = "__global__ void k(float *x, int n) { int i = blockIdx.x * 64 + threadIdx.x; if (i < n) x[i] *= 2; }"  # noqa: E501


@pytest.fixture(autouse=True)
def _fresh() -> None:
    processor.features.cache_clear()


def test_flags_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cpuinfo").write_text("model name : x\nflags\t\t: fpu avx512f avx2\nflags : sse\n")
    monkeypatch.setattr(processor, "_CPUINFO", tmp_path / "cpuinfo")
    assert processor.features() == {"fpu", "avx512f", "avx2"}


def test_without_the_instructions_the_text_is_plain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processor, "_CPUINFO", tmp_path / "missing")
    result = translate(TEXT, "k.cu", Options(target="c", seed=1))
    assert result.verified
    assert result.text is not None
    assert "_mm512" not in result.text
    assert [d.code for d in result.diagnostics] == ["XP0804"]
    processor.features.cache_clear()
