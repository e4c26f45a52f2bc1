"""What the bench makes of a run's counters."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from xpiler.api import kernels
from xpiler.bench import Outcome, journal_for, summary, work_of
from xpiler.cli.bench import command


def outcome(direction: str, **work: int) -> Outcome:
    return Outcome("k.cu", direction, "verified", 1.0, work=work)


@pytest.mark.parametrize(
    ("work", "ok"),
    [
        ({"vector_f32": 1000, "scalar_scratch": 100}, True),
        ({"vector_f32": 1000, "scalar_scratch": 101}, False),
        ({"mac_f32": 500, "reduced": 500, "scalar_scratch": 100}, True),
        ({"vector_f32": 100000, "scalar_buffer": 1}, False),  # memory of the device, one by one
        ({"dma_gdram2nram": 4096, "dma_nram2gdram": 4096}, True),  # nothing but copies
        ({"scalar_scratch": 1}, False),
    ],
)
def test_scalar_work_is_a_tenth_of_the_work_on_elements(work: dict[str, int], ok: bool) -> None:
    assert outcome("cuda-bang", **work).scalar_ok is ok


def test_platforms_without_a_table_of_work_are_not_judged() -> None:
    assert work_of("hip", {"launches": 1, "scalar_buffer": 9}) is None
    assert outcome("cuda-hip", launches=1).scalar_ok is None


def test_a_summary_counts_those_whose_work_is_known() -> None:
    outcomes = [
        outcome("cuda-bang", vector_f32=10),
        outcome("cuda-bang", scalar_scratch=10),
        outcome("cuda-bang"),
    ]
    row = summary(outcomes)["directions"]["cuda-bang"]
    assert (row["scalar_ok"], row["counted"]) == (1, 2)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    words = [str(tmp_path / "none"), "--to", "c"]
    found = CliRunner().invoke(command, words, standalone_mode=False)
    assert found.return_value == 2
    assert "no such file or folder" in found.output


def test_kernels_of_one_platform(tmp_path: Path) -> None:
    for name in ("a.cu", "b.hip", "c.mlu"):
        (tmp_path / name).write_text("")
    assert [f.name for f in kernels([str(tmp_path)], ["cuda", "bang"])] == ["a.cu", "c.mlu"]
    assert len(kernels([str(tmp_path)])) == 3


def test_outcomes_of_another_xpiler_are_not_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = journal_for([], ["c"], tmp_path).path
    monkeypatch.setattr("xpiler.bench._own_code", lambda: "edited")
    assert journal_for([], ["c"], tmp_path).path != before
