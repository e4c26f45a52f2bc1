"""What clean-up makes of typical kernels, word for word, and that it computes the same."""

from __future__ import annotations

import random
from collections.abc import Callable

import build
import pytest
from interp import run

from xpiler.analysis.atoms import REORDERED
from xpiler.ir.check import check
from xpiler.ir.program import Program
from xpiler.ir.text import show_body
from xpiler.passes.cleanup import clean_up

GOLDEN: dict[str, tuple[Callable[[], Program], str]] = {
    "elementwise": (
        build.elementwise,
        """
parallel for i: i32 in [0, n)
  c[i] = (a[i] + b[i])
""",
    ),
    "guarded_2d": (
        build.guarded_2d,
        """
parallel for row: i32 in [0, m)
  for col: i32 in [0, n)
    c[((row * n) + col)] = a[((row * n) + col)]
""",
    ),
    "grid_stride": (
        build.grid_stride,
        """
parallel for i: i32 in [0, n)
  c[i] = a[i]
""",
    ),
    "gemm": (
        lambda: build.gemm(False),
        """
parallel for row.1: i32 in [0, ((m / 4) * 4))
  for col.1: i32 in [0, ((n / 4) * 4))
    acc: f32 = 0.0
    for kk: i32 in [0, ((k_size / 4) * 4))
      acc += (a[((row.1 * k_size) + kk)] * b[((kk * n) + col.1)])
    c[((row.1 * n) + col.1)] = acc
""",
    ),
    "gemm_padded": (
        lambda: build.gemm(True),
        """
parallel for row.1: i32 in [0, m)
  for col.1: i32 in [0, n)
    acc: f32 = 0.0
    for kk: i32 in [0, k_size)
      acc += (a[((row.1 * k_size) + kk)] * b[((kk * n) + col.1)])
    c[((row.1 * n) + col.1)] = acc
""",
    ),
    "transpose": (
        build.transpose,
        """
parallel for col.1: i32 in [0, m)
  for row.1: i32 in [0, n)
    c[((row.1 * m) + col.1)] = a[((col.1 * n) + row.1)]
""",
    ),
    "softmax": (
        build.softmax,
        """
parallel for block_x: i32 in [0, m)
  part.1: f32 = 0.0
  for i: i32 in [0, n)
    part.1 += exp(a[((block_x * n) + i)])
  for i.1: i32 in [0, n)
    c[((block_x * n) + i.1)] = (exp(a[((block_x * n) + i.1)]) / part.1)
""",
    ),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_text(name: str) -> None:
    make, want = GOLDEN[name]
    program = make()
    assert check(program) == []
    result = clean_up(program)
    assert result.failures == ()
    got = result.program
    assert check(got, sequential=True) == []
    assert show_body(got.functions[0].body) == want.lstrip("\n")


@pytest.mark.parametrize("name", GOLDEN)
@pytest.mark.parametrize("sizes", [(4, 8, 4), (5, 3, 7), (1, 1, 1), (9, 4, 0)])
def test_meaning(name: str, sizes: tuple[int, int, int]) -> None:
    program = GOLDEN[name][0]()
    f = program.functions[0]
    known = dict(zip(("m", "n", "k_size"), sizes, strict=True)) | {"grid": 2}
    rng = random.Random(7)
    buffers = {p: [float(rng.randint(-4, 4)) for _ in range(200)] for p in "abc"}
    out = []
    cleaned = clean_up(program)
    for one in (program, cleaned.program):
        mine = {k: list(v) for k, v in buffers.items()}
        run(one, f.name, [mine[p.name] if p.name in mine else known[p.name] for p in f.params])
        out.append(mine)
    if REORDERED in cleaned.assumptions:
        assert all(out[0][k] == pytest.approx(out[1][k], rel=1e-6) for k in "abc")
    else:
        assert out[0] == out[1]
