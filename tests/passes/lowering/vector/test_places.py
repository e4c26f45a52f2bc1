"""The place of an extreme: each lane keeps its own, and the first one counts."""

from __future__ import annotations

import pytest
from tests.passes.lowering.vector.test_vector import lowered

LOOP = (
    "void f(const {0} *x, float *y, int n, int m) {{ {0} s = 0; int k = -1;"
    " for (int i = 0; i < n; i++) {{ {1} }} y[0] = s + k; }}"
)


@pytest.mark.parametrize(
    ("body", "way"),
    [
        ("if (x[i] > s) { s = x[i]; k = i; }", "_mm512_reduce_min_epi32"),
        ("if (x[i] >= s) { s = x[i]; k = i; }", "_mm512_reduce_max_epi32"),
        ("if (s > x[i]) { s = x[i]; k = i; }", "_mm512_reduce_min_ps"),
        ("if (i != m && x[i] > s) { k = m + i; s = x[i]; }", "_mm512_cmp_epi32_mask"),
        ("if (x[m + i] > s) { k = m + i; s = x[k]; }", "count_from(m + i)"),
    ],
)
def test_the_place_of_an_extreme_is_found_in_lanes(body: str, way: str) -> None:
    text, found = lowered(LOOP.format("float", body))
    assert found.loops == (1, 1)
    assert "_mm512_mask_blend_epi32(better, k_lanes" in text
    assert way in text


@pytest.mark.parametrize(
    "body",
    [
        "if (x[i] > s) { s = x[i]; k = 2 * i; }",
        "if (x[i] > s) { s = x[i]; k = k + i; }",
        "if (x[i] > s) { s = x[i + 1]; k = i; }",
        "if (x[i] + k > s) { s = x[i] + k; k = i; }",
    ],
)
def test_other_searches_stay_in_order(body: str) -> None:
    text, found = lowered(LOOP.format("float", body))
    assert found.loops == (0, 1)
    assert "_mm512" not in text


def test_windows_which_start_anywhere_stay_in_order() -> None:
    text = LOOP.format("float", "if (x[i] > s) { s = x[i]; k = i; }")
    assert lowered(text.replace("int i = 0", "int i = m"))[1].loops == (0, 1)


def test_numbers_of_another_size_than_the_places_stay_in_order() -> None:
    assert lowered(LOOP.format("double", "if (x[i] > s) { s = x[i]; k = i; }"))[1].loops == (0, 1)


def test_a_last_place_that_no_lane_found_is_the_one_from_before() -> None:
    text, _ = lowered(LOOP.format("int", "if (x[i] >= s) { s = x[i]; k = i; }"))
    assert "k_lanes = _mm512_set1_epi32(-2147483647);" in text
    assert "if (last != -2147483647) {\n        k = last;" in text
    first, _ = lowered(LOOP.format("int", "if (x[i] > s) { s = x[i]; k = i; }"))
    assert "k_lanes = _mm512_set1_epi32(k);" in first
