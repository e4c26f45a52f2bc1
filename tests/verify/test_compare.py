"""Comparison: rounding passes, anything larger does not, and exceptions are excused narrowly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xpiler.verify.compare import (
    Bound,
    Precision,
    Surroundings,
    compare,
    is_exact,
    measured_size,
    rounding_decides,
    surroundings,
)
from xpiler.verify.dtypes import encode, spacing, unit_roundoff

F = np.float32
finite = st.floats(-1e6, 1e6, width=32)
vectors = arrays(F, st.integers(1, 40), elements=finite)
anything = arrays(F, st.integers(1, 40), elements=st.floats(width=32))
dtypes = st.sampled_from(("float16", "bf16", "float32", "float64"))


def bound(size: float | np.ndarray = 0.0, terms: float = 1.0, dtype: str = "float32") -> Bound:
    return Bound(dtype, terms, np.asarray(size, dtype=np.float64))


@given(anything)
def test_everything_agrees_with_itself(x: np.ndarray) -> None:
    for limit in (None, bound(np.zeros(x.size))):
        found = compare("y", x, x.copy(), "float32", bound=limit)
        assert found.ok
        assert found.first is None
        assert found.compared == x.size


@given(vectors, st.data())
def test_one_unit_in_the_last_place_agrees_and_many_do_not(
    x: np.ndarray, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, x.size - 1))
    near, far = x.copy(), x.copy()
    near[at] = np.nextafter(x[at], F(np.inf))
    far[at] = F(x[at] + 40 * spacing(x[at : at + 1].astype(np.float64), "float32")[0])
    assert compare("y", x, near, "float32", bound=bound(np.zeros(x.size))).ok
    found = compare("y", x, far, "float32", bound=bound(np.zeros(x.size)))
    assert not found.ok
    assert found.first is not None
    assert found.first.index == at
    assert not compare("y", x, near, "float32", bound=None).ok


@given(dtypes, st.floats(-1000, 1000), st.floats(0, 1000), st.integers(1, 10**6))
def test_the_bound_grows_with_terms_and_their_size(dtype: str, y: float, s: float, n: int) -> None:
    value = np.array([y])
    small, more, larger = (
        bound(size, terms, dtype).at(value)[0]
        for size, terms in ((s, n), (s, 4 * n), (2 * s + 1, n))
    )
    assert spacing(value, dtype)[0] <= small <= more
    assert small < larger


@given(st.integers(2, 2000), st.integers(0, 2**32 - 1))
def test_another_order_of_summation_agrees(n: int, seed: int) -> None:
    terms = np.random.default_rng(seed).standard_normal((8, n)).astype(F)
    one = np.cumsum(terms, axis=1, dtype=F)[:, -1]
    two = np.cumsum(terms[:, ::-1], axis=1, dtype=F)[:, -1]
    size = np.sqrt((terms.astype(np.float64) ** 2).sum(axis=1))
    assert compare("y", one, two, "float32", bound=bound(size, n)).ok


@given(st.integers(2, 4000), st.integers(0, 2**32 - 1))
def test_a_dropped_term_does_not(n: int, seed: int) -> None:
    terms = np.random.default_rng(seed).standard_normal((8, n)).astype(F)
    size = np.sqrt((terms.astype(np.float64) ** 2).sum(axis=1))
    one, two = terms.sum(axis=1), terms[:, 1:].sum(axis=1)
    assert not compare("y", one, two, "float32", bound=bound(size, n)).ok


@given(st.integers(8, 500), st.integers(0, 2**32 - 1))
def test_sums_in_half_precision_do_not(n: int, seed: int) -> None:
    terms = np.random.default_rng(seed).standard_normal((50, n)).astype(F)
    size = np.sqrt((terms.astype(np.float64) ** 2).sum(axis=1))
    half = np.cumsum(terms, axis=1, dtype=np.float16)[:, -1].astype(F)
    assert not compare("y", terms.sum(axis=1), half, "float32", bound=bound(size, n)).ok


def test_special_values() -> None:
    y = np.array([np.nan, np.inf, -np.inf, 0.0, 1.0], F)
    same = np.array([-np.nan, np.inf, -np.inf, -0.0, 1.0], F)
    assert compare("y", y, same, "float32", bound=bound(np.zeros(5))).ok
    assert compare("y", y, same, "float32", bound=None).ok
    for other in ([1.0, np.inf], [np.nan, -np.inf], [np.nan, 5.0], [np.inf, np.inf]):
        z = y.copy()
        z[:2] = other
        assert not compare("y", y, z, "float32", bound=bound(np.zeros(5))).ok


def test_overflow_by_rounding_is_no_difference() -> None:
    y, z = np.array([65504], np.float16), np.array([np.inf], np.float16)
    assert compare("y", y, z, "float16", bound=bound(np.zeros(1), dtype="float16")).ok
    assert not compare("y", y / 2, z, "float16", bound=bound(np.zeros(1), dtype="float16")).ok


@pytest.mark.parametrize("dtype", ["int8", "int32", "int64", "uint32", "bool"])
def test_integers_must_be_equal(dtype: str) -> None:
    y = np.array([0, 1, 0, 1]).astype(dtype)
    z = y.copy()
    assert compare("y", y, z, dtype, bound=bound(np.full(4, 1e9))).ok
    z[2] = 1
    assert compare("y", y, z, dtype, bound=bound(np.full(4, 1e9))).wrong == 1


def test_large_integers_are_compared_as_integers() -> None:
    y = np.array([2**62], np.int64)
    assert not compare("y", y, y + 1, "int64", bound=None).ok


def test_bf16_bits() -> None:
    y = encode(np.array([1.0, -3.5]), "bf16")
    limit = bound(np.zeros(2), dtype="bf16")
    assert compare("y", y, y + np.uint16(1), "bf16", bound=limit).ok
    assert compare("y", y, y + np.uint16(3), "bf16", bound=limit).wrong == 2


def test_elements_that_the_source_leaves_alone_do_not_count() -> None:
    y, z = np.array([1, 2, 3], F), np.array([1, 9, 3], F)
    found = compare("y", y, z, "float32", bound=None, skip=np.array([False, True, False]))
    assert found.ok
    assert found.compared == 2


def around(values: np.ndarray, step: float, f: object) -> Surroundings:
    call = f if callable(f) else None
    assert call is not None
    near = [call(values * (1 + step)), call(values * (1 - step))]
    base, far = call(values), call(values * (1 + 64 * step))
    dtype = str(base.dtype)
    noise = (
        np.zeros(base.size) if base.dtype.kind == "i" else 4 * spacing(base.astype(float), dtype)
    )
    return surroundings(base, near, far, dtype, 64, noise)


def test_jumps_are_seen_where_they_are() -> None:
    x = np.linspace(0.05, 4.95, 50).astype(F)  # rounding jumps at halves: at none of these
    x[7] = 2.5 + 1e-6
    found = around(x, 1e-5, lambda v: np.rint(v).astype(np.int32))
    assert found.jumps[7]
    assert found.jumps.sum() <= 3


@pytest.mark.parametrize("f", [np.exp, np.sin, np.tanh, np.square, np.cbrt])
def test_smooth_functions_do_not_jump(f: object) -> None:
    x = np.random.default_rng(1).uniform(-2, 2, 2000).astype(F)
    assert around(x, 4e-6, f).jumps.mean() < 0.002


def test_a_jump_excuses_the_other_side_only() -> None:
    y, sides = np.array([2, 2, 2], np.int32), np.array([True, True, False])
    there = Surroundings(sides, np.array([2.0, 2.0, 2.0]), np.array([3.0, 3.0, 3.0]))
    found = compare("y", y, np.array([3, 4, 3], np.int32), "int32", bound=None, around=there)
    assert found.excused == 1
    assert found.wrong == 2
    assert found.first is not None
    assert found.first.index == 1


def test_the_size_of_terms_is_measured() -> None:
    random = np.random.default_rng(5)
    x, w = random.standard_normal((2, 300))
    moved = [np.array([(x * (1 + 1e-4 * random.choice([-1, 1], 300))) @ w]) for _ in range(200)]
    sizes = [measured_size(np.array([x @ w]), [m], "float64", 1e-4)[0] for m in moved]
    true = np.sqrt(((x * w) ** 2).sum())
    assert np.sqrt(np.mean(np.square(sizes))) == pytest.approx(true, rel=0.15)


def test_exactness_is_told_from_the_bits() -> None:
    assert is_exact(np.array([1, -3.25, 1000], F), "float32", Precision())
    assert not is_exact(np.array([1, 1 / 3], F), "float32", Precision())
    assert not is_exact(np.array([1, 2.0**24], F), "float32", Precision())
    assert not is_exact(np.array([249044.984375, 3], F), "float32", Precision())
    assert not is_exact(np.array([np.nan], F), "float32", Precision())
    assert is_exact(np.array([100], F), "float32", Precision("float16"))
    assert not is_exact(np.array([1500], F), "float32", Precision("float16"))


def test_the_text_of_a_bound() -> None:
    assert bound(0, 64).describe() == "ulp(float32) + 8 u sqrt(n) (|y|+s), u=2^-24, n=64"
    coarse = Bound("float16", 9, np.zeros(1), Precision("float16"))
    assert "u=2^-11" in coarse.describe()
    assert unit_roundoff("float16") == 2.0**-11


def _decided(actual: np.ndarray, near: np.ndarray, apart: float) -> bool:
    y = np.linspace(1, 2, 50, dtype=F)
    runs, rounded = (y, actual.astype(F)), (y + F(apart), y - F(apart))
    return rounding_decides(runs, rounded, near, bound(np.ones(50)), np.zeros(50, np.bool_))


def test_what_rounding_moves_as_far_is_nobodys_fault() -> None:
    y, noisy = np.linspace(1, 2, 50, dtype=F), np.linspace(1.01, 2.02, 50, dtype=F)
    assert _decided(y + F(0.01), noisy, 0.01)
    assert not _decided(y + F(0.01), noisy, 1e-5)  # further apart than rounding explains
    assert not _decided(y + F(0.01), y, 0.01)  # rounded on purpose: other inputs change nothing
    assert not _decided(y, noisy, 0.01)  # nothing to explain
    assert not _decided(np.where(y > 1.5, np.nan, y + F(0.01)), noisy, 0.01)
