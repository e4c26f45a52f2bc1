"""A wrong translation is mended by the smallest change, at the line that is wrong, or refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from xpiler.pipeline import Options
from xpiler.platforms.registry import platform_of
from xpiler.repair.mend import Mended, Refused, mend
from xpiler.verify.session import verify_pair

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
SOURCE = """
__global__ void scale(const float* x, const float* w, float* y, int rows, int cols) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < rows * cols) y[i] = x[i] * w[i % cols] + 1.5f;
}
extern "C" void scale_all(const float* x, const float* w, float* y, int rows, int cols) {
    float *dx, *dw, *dy;
    cudaMalloc(&dx, rows * cols * 4);
    cudaMalloc(&dw, cols * 4);
    cudaMalloc(&dy, rows * cols * 4);
    cudaMemcpy(dx, x, rows * cols * 4, cudaMemcpyHostToDevice);
    cudaMemcpy(dw, w, cols * 4, cudaMemcpyHostToDevice);
    scale<<<(rows * cols + 127) / 128, 128>>>(dx, dw, dy, rows, cols);
    cudaMemcpy(y, dy, rows * cols * 4, cudaMemcpyDeviceToHost);
    cudaFree(dx);
    cudaFree(dw);
    cudaFree(dy);
}
"""
RIGHT = """
void scale_all(const float *x, const float *w, float *y, int rows, int cols)
{
    for (int r = 0; r < rows; r++) {
        for (int c = 0; c < cols; c++) {
            y[r * cols + c] = x[r * cols + c] * w[c] + 1.5f;
        }
    }
}
"""
SECONDS = 300.0  # on a busy machine; a few are enough on a quiet one


def _mend(text: str, **how: object) -> Mended | Refused:
    return mend(SOURCE, text, "scale.cu", Options(target="c", seed=1), seconds=SECONDS, **how)


@pytest.mark.parametrize(
    ("right", "wrong", "cls"),
    [
        ("r < rows;", "r < rows - 1;", "bound or guard"),
        ("x[r * cols + c]", "x[r * rows + c]", "index"),
        ("* w[c]", "* w[r]", "index"),
        ("+ 1.5f", "+ 1.25f", "constant"),
        ("* w[c] +", "/ w[c] +", "operand"),
    ],
)
def test_one_fault_is_mended_where_it_is(right: str, wrong: str, cls: str) -> None:
    text = RIGHT.replace(right, wrong, 1)
    out = _mend(text)
    assert isinstance(out, Mended)
    assert out.changed == 1
    assert out.verdict.ok
    (place,) = out.places
    assert place.cls == cls
    assert wrong in text.splitlines()[place.line - 1]
    assert place.index >= 0
    assert place.expected != place.actual


def test_two_faults_are_mended_together() -> None:
    wrong = RIGHT.replace("r < rows;", "r < rows - 1;").replace("* w[c]", "+ w[c]")
    out = _mend(wrong)
    assert isinstance(out, Mended)
    assert sorted(p.line for p in out.places) == [4, 6]
    verdict = verify_pair(SOURCE, out.text, "scale.cu", Options(target="c", seed=5))
    assert verdict.ok, verdict.render()


def test_a_right_text_is_left_alone() -> None:
    out = _mend(RIGHT)
    assert isinstance(out, Mended)
    assert out.changed == 0
    assert out.text == RIGHT


def test_another_computation_is_refused() -> None:
    out = _mend(RIGHT.replace("x[r * cols + c] * w[c] + 1.5f", "3.0f"), faults=1)
    assert isinstance(out, Refused)
    assert out.diagnostic.code == "XP1401"


def test_text_that_does_not_parse_is_refused() -> None:
    out = _mend(RIGHT.replace("{", "{ )", 1))
    assert isinstance(out, Refused)
    assert out.diagnostic.code == "XP1402"


@pytest.mark.parametrize("text", ["", "void scale_some(float *y) { y[0] = 1.0f; }"])
def test_a_text_without_the_entry_is_not_searched(text: str) -> None:
    out = _mend(text)
    assert isinstance(out, Refused)
    assert (out.diagnostic.code, out.tried) == ("XP1403", 0)
    assert "scale_all" in out.diagnostic.message


@pytest.mark.nightly
@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "wrong").iterdir()), ids=lambda p: p.name)
def test_every_example_of_a_class_is_mended(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    options = Options(target=platform_of(path.name, text).name, seed=1)
    source = (EXAMPLES / "softmax.cu").read_text(encoding="utf-8")
    out = mend(source, text, "softmax.cu", options, seconds=SECONDS)
    assert isinstance(out, Mended)
    assert out.changed == 1
    assert path.stem in out.places[0].cls


def test_the_command_writes_the_mended_file_and_its_diff(tmp_path: Path) -> None:
    (tmp_path / "scale.cu").write_text(SOURCE)
    (tmp_path / "scale.c").write_text(RIGHT.replace("* w[c]", "* w[r]"))
    call = [sys.executable, "-m", "xpiler.cli.main", "repair", "scale.cu", "scale.c",
            "-o", "good.c", "--json", "--seconds", str(SECONDS)]  # fmt: skip
    done = subprocess.run(call, cwd=tmp_path, capture_output=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr.decode()
    told = json.loads(done.stdout)
    assert told["places"][0]["line"] == 6
    assert "+            y[r * cols + c] = x[r * cols + c] * w[c] + 1.5f;" in told["diff"]
    assert (tmp_path / "good.c").read_text() == RIGHT
