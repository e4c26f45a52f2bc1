"""Extents as polynomials through what is counted."""

from __future__ import annotations

from xpiler.analysis import fit
from xpiler.analysis.interpolate import polynomial
from xpiler.ir import expr as e
from xpiler.ir.types import I32, I64

NAMES = {n: e.Cast(e.Var(n, I32), I64) for n in ("rows", "cols", "ld")}
BASE = {"rows": 2, "cols": 3, "ld": 4}
LARGE = {"rows": 40, "cols": 7, "ld": 90}


def found(count, base=BASE, unit=1, others=()):
    return polynomial(count, base, unit, NAMES, others)


def test_rows_with_gaps_end_with_the_last_element_of_the_last_row():
    def count(at):
        return (at["rows"] - 1) * at["ld"] + at["cols"]

    assert fit.value(found(count), LARGE) == count(LARGE)


def test_a_triangle_has_halves():
    def count(at):
        return at["rows"] * (at["rows"] + 1) // 2 * at["cols"]

    assert fit.value(found(count), LARGE) == count(LARGE)


def test_quotients_are_factors_where_they_are_named():
    def count(at):
        return at["rows"] * ((at["cols"] - 3) // 2 + 1)

    less = e.Binary("-", e.Var("cols", I32), e.Const(3, I32), I32)
    half = e.Cast(e.Binary("/", less, e.Const(2, I32), I32), I64)
    base = {**BASE, "cols": 5}
    assert found(count, base) is None
    assert fit.value(found(count, base, others=(half,)), LARGE) == count(LARGE)


def test_what_no_polynomial_describes_is_not_found():
    assert found(lambda at: max(at["rows"], at["cols"] * at["cols"])) is None
    assert found(lambda at: at["rows"] if at["rows"] < 5 else 2 * at["rows"]) is None


def test_sizes_for_which_nothing_is_counted_are_not_guessed():
    assert found(lambda at: at["rows"] if at["rows"] < 4 else None) is None


def test_multiples_stay_multiples():
    def count(at):
        return None if at["rows"] % 16 else at["rows"] * at["cols"]

    base = {"rows": 16, "cols": 32, "ld": 48}
    assert fit.value(found(count, base, 16), LARGE) == 40 * 7
