"""Sizes that take a translation's loops over tiles past their first turn."""

from __future__ import annotations

import pytest

from xpiler.pipeline import Options
from xpiler.verify.session import verify_pair
from xpiler.verify.spec import ArgSpec, Spec

SOURCE = """
void twice(const float *x, float *y, int rows, int cols)
{
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < cols; c++)
            y[r * cols + c] = 2.0f * x[r * cols + c];
}
"""
TILED = """
#define TILE 3000

void twice(const float *x, float *y, int rows, int cols)
{
    float tile[TILE];
    for (int r = 0; r < rows; r++) {
        for (int c0 = 0; c0 < cols; c0 += TILE) {
            int n = LENGTH;
            for (int c = 0; c < n; c++)
                tile[c] = x[r * cols + c0 + c];
            for (int c = 0; c < n; c++)
                y[r * cols + c0 + c] = 2.0f * tile[c];
        }
    }
}
"""


@pytest.mark.parametrize(
    ("length", "right"),
    [
        ("cols - c0 < TILE ? cols - c0 : TILE", True),
        ("cols < TILE ? cols : TILE", False),
        ("cols - c0", False),
    ],
)
def test_the_second_tile_is_tested(length: str, right: bool) -> None:
    text = TILED.replace("LENGTH", length)
    verdict = verify_pair(SOURCE, text, "twice.c", Options(target="c", seed=2))
    assert (verdict.outcome == "verified") == right, verdict


BLOCKS = """
#include <stdlib.h>
#include <string.h>

void twice(const float *x, float *y, int rows, int cols)
{
    float *row = malloc(cols * sizeof(float));
    for (int r = 0; r < rows; r++) {
        for (int b = 0; b < (cols + 199) / 200; b++) {
            if (b > LAST)
                break;
            for (int c = b * 200; c < cols && c < (b + 1) * 200; c++)
                row[c] = 2.0f * x[r * cols + c];
        }
        memcpy(&y[r * cols], row, cols * sizeof(float));
    }
    free(row);
}
"""


@pytest.mark.parametrize(("last", "right"), [("cols", True), ("2", False)])
def test_blocks_of_a_size_are_tiles(last: str, right: bool) -> None:
    text = BLOCKS.replace("LAST", last)
    verdict = verify_pair(SOURCE, text, "twice.c", Options(target="c", seed=2))
    assert (verdict.outcome == "verified") == right, verdict


def test_of_a_given_size_a_multiple_is_tested() -> None:
    spec = Spec(args={"rows": ArgSpec(values=(3,)), "cols": ArgSpec(values=(1000,))})
    text = TILED.replace("LENGTH", "cols < TILE ? cols : TILE")
    verdict = verify_pair(SOURCE, text, "twice.c", Options(target="c", seed=2, spec=spec))
    assert verdict.outcome == "wrong", verdict


GUARDED = """
typedef struct { int rows, cols; } Shape;

void twice(const float *x, float *y, Shape s)
{
    if (s.rows > LEAST)
        for (int i = 0; i < s.rows * s.cols; i++)
            y[i] = 2.0f * x[i];
}
"""


@pytest.mark.parametrize("least", [1, 7])
def test_sizes_that_a_guard_leaves_out_are_tested(least: int) -> None:
    source, target = (GUARDED.replace("LEAST", str(k)) for k in (0, least))
    same = verify_pair(source, source, "twice.c", Options(target="c", seed=2))
    assert same.ok, same
    verdict = verify_pair(source, target, "twice.c", Options(target="c", seed=2))
    assert verdict.outcome == "wrong", verdict
