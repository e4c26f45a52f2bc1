"""`xpiler passes`: lists, knobs, text after each step, the verdict, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from xpiler.cli.main import cli
from xpiler.passes.steps import REGISTRY

ROWS = """
void rows(float *a, const float *b, int n)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < 16; j++)
            a[i * 16 + j] = b[i * 16 + j] * 2.0f;
}
"""


@pytest.fixture
def rows(tmp_path: Path) -> str:
    path = tmp_path / "rows.c"
    path.write_text(ROWS)
    return str(path)


def called(*args: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["passes", *args], standalone_mode=False)
    assert done.exception is None, done.exception
    return done.return_value, done.output


def test_passes_are_listed_and_shown():
    assert called("list")[1].split("\n")[0].startswith("loop_recovery")
    assert [p["name"] for p in json.loads(called("list", "--json")[1])] == list(REGISTRY)
    assert "legal where" in called("show", "cache")[1]
    assert called("show", "nothing")[0] == 2
    assert called("knobs", "gone.c", "--pass", "nothing") == (
        2, "nothing: no such pass; `xpiler passes list` names them\n",
    )  # fmt: skip


def test_knobs_of_a_file(rows: str):
    code, text = called("knobs", rows, "--pass", "loop_fuse", "--pass", "tensorize")
    assert code == 0
    assert 'loop_fuse(loop="i")' in text
    assert 'tensorize(loop="j", form="scale_16")' in text


def test_steps_show_their_text_and_are_verified(rows: str):
    code, text = called("apply", rows, "--to", "c", "--pass", 'loop_split(loop="i", factor=4)',
                        "--pass", 'tensorize(loop="j", form="scale_16")')  # fmt: skip
    assert '// loop_split(loop="i", factor=4)\n// solver:' in text
    assert "scale_16(&a[" in text
    assert "\n// tested (" in text
    assert code == 0


def test_a_schedule_file_and_a_refusal(rows: str, tmp_path: Path):
    path = tmp_path / "schedule.toml"
    path.write_text('[[step]]\npass = "loop_split"\nloop = "i"\nfactor = 8\n')
    code, text = called("apply", rows, "--schedule", str(path), "--ir", "--no-verify", "--pass",
                        'loop_split(loop="j", factor=16)')  # fmt: skip
    assert code == 2
    assert "for i.1: i32" in text
    assert "refused: the loop j has 16 iterations" in text


def test_apply_prints_one_document(rows: str):
    split = 'loop_split(loop="i", factor=4)'
    code, text = called("apply", rows, "--json", "--no-verify", "--pass", split)
    found = json.loads(text)
    assert code == 1, "what was not run is not verified"
    assert [(s["step"], s["check"]) for s in found["steps"]] == [(split, "solver")]
    assert "i * 4" in found["steps"][0]["text"]
    assert found["translation"]["text"] == found["steps"][0]["text"].rstrip("\n") + "\n"
    code, text = called("apply", rows, "--json", "--pass", 'loop_split(loop="z", factor=4)')
    assert code == 2
    assert json.loads(text)["steps"][0]["refused"] == "there is no counting loop z"
