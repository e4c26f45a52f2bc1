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


SOURCE = {"source_floats": 1000, "source_whole": 0, "scalar_floats": 0, "steady_accesses": 0}


@pytest.mark.parametrize(
    ("work", "ok"),
    [
        ({"vector_f32": 900, "scalar_floats": 100}, True),
        ({"vector_f32": 900, "scalar_floats": 101}, False),
        ({"vector_f32": 1000, "reduced": 1000}, True),
        ({"vector_f32": 1000, "reduced": 1001}, False),  # more than twice the source's
        ({"mac_f32": 1000}, True),  # a product and a sum each
        ({"mac_f32": 1001}, False),
        ({"vector_int": 2002, "source_whole": 1}, True),
        ({"scalar_buffer": 1}, True),  # because data says where
        ({"scalar_buffer": 1, "steady_accesses": 1}, False),
        ({"steady_accesses": 1}, True),  # in the text, but never run
        ({"scalar_scratch": 1000, "source_floats": 0}, True),  # nothing but copies
    ],
)
def test_work_is_measured_by_the_source(work: dict[str, int], ok: bool) -> None:
    found = outcome("cuda-bang", **{**SOURCE, **work}).counted
    assert found is not None
    assert found.ok is ok


def test_platforms_without_a_table_of_work_are_not_judged() -> None:
    assert work_of("hip", {"launches": 1, **SOURCE}) is None
    assert outcome("cuda-hip", launches=1).counted is None


def test_sources_whose_operations_are_not_known_are_not_judged() -> None:
    assert work_of("bang", {"vector_f32": 9}) is None


def test_a_summary_counts_those_whose_work_is_known() -> None:
    outcomes = [
        outcome("cuda-bang", **SOURCE, vector_f32=10),
        outcome("cuda-bang", **{**SOURCE, "scalar_floats": 1000}),
        outcome("cuda-bang"),
    ]
    row = summary(outcomes)["directions"]["cuda-bang"]
    assert (row["work_ok"], row["counted"]) == (1, 2)
    assert (row["mostly_vectors"], row["no_more"], row["near"]) == (1, 2, 2)


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
