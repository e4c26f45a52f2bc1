"""Interval arithmetic: every operation covers what its operands can give."""

from __future__ import annotations

import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpiler.verify.inference import values as v
from xpiler.verify.inference.values import Interval

small = st.integers(-40, 40)


@st.composite
def intervals(draw: st.DrawFn, low: int = -40) -> tuple[Interval, int]:
    a, b = sorted((draw(st.integers(low, 40)), draw(st.integers(low, 40))))
    return Interval(a, b), draw(st.integers(a, b))


@given(intervals(), intervals())
def test_sums_differences_products(a: tuple[Interval, int], b: tuple[Interval, int]) -> None:
    for op, f in ((operator.add, v.add), (operator.sub, v.subtract), (operator.mul, v.multiply)):
        got = f(a[0], b[0])
        assert got.lo <= op(a[1], b[1]) <= got.hi


@given(intervals(), intervals(low=1))
def test_quotients_and_remainders(a: tuple[Interval, int], b: tuple[Interval, int]) -> None:
    q = int(a[1] / b[1])
    quotient, rest = v.divide(a[0], b[0], floating=False), v.remainder(a[0], b[0])
    assert quotient.lo <= q <= quotient.hi
    assert rest.lo <= a[1] - q * b[1] <= rest.hi


@given(intervals(low=0), intervals(low=0))
def test_bits(a: tuple[Interval, int], b: tuple[Interval, int]) -> None:
    for op, f in (("&", operator.and_), ("|", operator.or_), ("^", operator.xor)):
        got = v.bitwise(op, a[0], b[0])
        assert got.lo <= f(a[1], b[1]) <= got.hi
    for op, f in (("<<", operator.lshift), (">>", operator.rshift)):
        got = v.shift(op, a[0], b[0])
        assert got.lo <= f(a[1], b[1]) <= got.hi


@pytest.mark.parametrize(("a", "b"), [((0, 9), (3, 5)), ((2, 2), (2, 2))])
def test_meet_and_join(a: tuple[int, int], b: tuple[int, int]) -> None:
    x, y = Interval(*a), Interval(*b)
    assert x.meet(y) == y
    assert x.join(y) == x
