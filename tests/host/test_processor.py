"""Instruction sets come from the kernel's list; where that is missing there are none."""

from pathlib import Path

import pytest

from xpiler.host import processor


@pytest.fixture(autouse=True)
def _fresh() -> None:
    processor.features.cache_clear()


def test_flags_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cpuinfo").write_text("model name : x\nflags\t\t: fpu avx512f avx2\nflags : sse\n")
    monkeypatch.setattr(processor, "_CPUINFO", tmp_path / "cpuinfo")
    assert processor.features() == {"fpu", "avx512f", "avx2"}
