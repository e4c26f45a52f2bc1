"""Extents as products of sizes."""

from __future__ import annotations

from xpiler.analysis import fit
from xpiler.ir import expr as e
from xpiler.ir.types import I32


def test_the_product_that_follows_the_sizes_is_found():
    cases = [({"n": 3, "h": 5, "w": 7, "k": 2}, 105), ({"n": 2, "h": 4, "w": 9, "k": 3}, 72)]
    more = [({"n": 4, "h": 5, "w": 7, "k": 2}, 140), ({"n": 3, "h": 5, "w": 7, "k": 9}, 105)]
    assert fit.product(cases, more, ["n", "h", "w", "k"]) == (1, ("n", "h", "w"))


def test_a_coincidence_is_no_extent():
    cases = [({"h": 5, "s": 6}, 30)]
    assert fit.product(cases, [({"h": 6, "s": 6}, 34)], ["h", "s"]) is None


def test_the_product_is_right_in_every_case():
    cases = [({"n": 10}, 10), ({"n": 20}, 21), ({"n": 30}, 30)]
    assert fit.product(cases, [], ["n"]) is None


def test_values_and_expressions_agree():
    x = fit.as_expr((2, ("a", "b")), {"a": I32, "b": I32})
    assert fit.value(x, {"a": 3, "b": 5}) == 30


def test_bits_of_sizes_are_numbers_too():
    whole = e.Binary("&", e.Var("n", I32), e.Const(-64, I32), I32)
    assert fit.value(whole, {"n": 130}) == 128
    assert fit.value(whole, {"n": 63}) == 0
