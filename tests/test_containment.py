"""A failure of ours costs the functions that show it, not the file."""

from __future__ import annotations

import pytest

from xpiler import passes
from xpiler.ir.program import Program
from xpiler.passes import lowering
from xpiler.pipeline import Options, translate

KERNEL = """__global__ void NAME(const float *x, float *y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = 2 * x[i];
}
"""
HOST = """void run_NAME(const float *x, float *y, int n) {
    float *dx, *dy;
    cudaMalloc(&dx, n * sizeof(float));
    cudaMalloc(&dy, n * sizeof(float));
    cudaMemcpy(dx, x, n * sizeof(float), cudaMemcpyHostToDevice);
    NAME<<<(n + 63) / 64, 64>>>(dx, dy, n);
    cudaMemcpy(y, dy, n * sizeof(float), cudaMemcpyDeviceToHost);
    cudaFree(dx);
    cudaFree(dy);
}
"""


def text(*names: str) -> str:
    return "".join((KERNEL + HOST).replace("NAME", name) for name in names)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lowering fails on whatever has a function with `odd` in its name."""
    whole = lowering.lower

    def lower(program: Program, *args: object, **more: object) -> object:
        assert not any("odd" in f.name for f in program.functions), "odd"
        return whole(program, *args, **more)  # type: ignore[arg-type]

    monkeypatch.delenv("XPILER_DEBUG", raising=False)
    monkeypatch.setattr(passes.lowering, "lower", lower)


def test_the_rest_of_a_file_is_translated(failing: None) -> None:
    done = translate(text("one", "odd", "two"), "a.cu", Options(target="c", seed=1))
    assert done.text is not None
    assert "run_one" in done.text
    assert "run_two" in done.text
    assert "odd" not in done.text
    said = [(d.code, d.message) for d in done.errors]
    assert [code for code, _ in said] == ["XP0999", "XP0999"]
    assert said[0][1] == "odd is left out with run_odd, on which Xpiler failed"
    assert said[1][1].startswith("run_odd: AssertionError")
    assert done.partial
    assert done.verdict is not None
    assert not done.verdict.ok


def test_where_nothing_is_left_it_is_said_once(failing: None) -> None:
    done = translate(text("odd"), "a.cu", Options(target="c", seed=1))
    assert done.text is None
    assert [d.code for d in done.errors] == ["XP0999"]
