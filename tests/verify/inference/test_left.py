"""Integers that a loop chooses, and lists that it keeps in order."""

from __future__ import annotations

import pytest

from xpiler.frontend import read
from xpiler.platforms.registry import platform
from xpiler.verify.inference.footprint import Footprint, probe
from xpiler.verify.inference.values import BLANK, Interval, join, point

CHOICE = """void nearest(const float* x, const int* by, float* y, int rows, int n) {
    for (int r = 0; r < rows; r++) {
        int best = %s;
        for (int k = 0; k < n; k++)
            if (x[r * n + k] > 0) { %s }
        y[best] += 1;
    }
}"""
LIST = """void ranks(const float* x, float* y, int n) {
    float top[4];
    int ids[4];
    int found = 0;
    for (int k = 0; k < n; k++) {
        int p = found;
        while (p > 0 && x[k] > top[p - 1]) {
            if (p < 4) { %s top[p] = top[p - 1]; }
            --p;
        }
        if (p < 4) { top[p] = x[k]; ids[p] = k; }
        if (found < 4) ++found;
    }
    for (int j = 0; j < found; j++) y[j] = x[ids[j]];
}"""
SIZES = {"rows": 3, "n": 50}


def seen(text: str) -> Footprint:
    program = read(text, "k.c", platform("c").words).program
    (f,) = program.functions
    return probe(program, f, SIZES, {})


@pytest.mark.parametrize(
    ("first", "step", "written"),
    [
        ("0", "best = k;", (0, 200)),
        ("60", "best = k;", (0, 244)),
        ("0", "int half = k / 2; best = half;", (0, 100)),
        ("0", "for (int j = 3; j < 9; j++) best = k + j;", (0, 232)),
        ("0", "if (best < 8) best++;", (0, 36)),
        ("0", "best = by[k];", None),
        ("0", "best = best * 2 + 1;", None),
    ],
)
def test_what_a_loop_chooses_lies_between_what_it_chooses_from(
    first: str, step: str, written: tuple[int, int] | None
) -> None:
    span = seen(CHOICE % (first, step)).regions["y"].written
    assert span is not None
    assert span.bounded == (written is not None)
    if written is not None:
        assert (span.lo, span.hi) == written


@pytest.mark.parametrize("moved", ["ids[p] = ids[p - 1];", "int id = ids[p - 1]; ids[p] = id;"])
def test_lists_that_are_moved_before_they_hold_anything_hold_what_is_stored(moved: str) -> None:
    regions = seen(LIST % moved).regions
    assert (regions["x"].touched, regions["y"].touched) == (Interval(0, 200), Interval(0, 16))


def test_what_is_not_known_of_a_list_stays_so() -> None:
    touched = seen(LIST % "ids[p] = (int)x[p];").regions["x"].touched
    assert touched is not None
    assert not touched.bounded


def test_nothing_adds_nothing() -> None:
    assert join(BLANK, point(3)) == join(point(3), BLANK) == point(3)
    assert join(BLANK, BLANK) is BLANK
