"""Inputs: right type, within bounds, repeatable, and telling."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.verify.programs import buffer

from xpiler.verify import inputs
from xpiler.verify.dtypes import decode, encode, is_float, spacing, storage, unit_roundoff
from xpiler.verify.inputs import BufferSpec, InputPlan, Recipe

RECIPES: tuple[Recipe, ...] = get_args(Recipe)
FLOATS = ("float16", "bf16", "float32", "float64")
WHOLE = ("int8", "uint8", "int16", "int32", "int64", "uint32", "bool")
recipes, dtypes = st.sampled_from(RECIPES), st.sampled_from(FLOATS + WHOLE)
seeds, counts = st.integers(0, 2**32 - 1), st.integers(0, 300)


def drawn(spec: BufferSpec, recipe: Recipe, seed: int) -> np.ndarray:
    return inputs.draw(spec, recipe, np.random.default_rng(seed))


@given(dtypes, recipes, counts, seeds)
def test_type_and_count(dtype: str, recipe: Recipe, count: int, seed: int) -> None:
    data = drawn(buffer("x", count, dtype), recipe, seed)
    assert data.dtype == storage(dtype)
    assert data.shape == (count,)
    assert np.isfinite(decode(data, dtype)).all()


@given(dtypes, recipes, st.integers(2, 300), seeds)
def test_never_all_ones(dtype: str, recipe: Recipe, count: int, seed: int) -> None:
    values = decode(drawn(buffer("x", count, dtype), recipe, seed), dtype)
    assert not (values == 1).all()


bounds = st.tuples(st.floats(-1000, 1000), st.floats(0.01, 1000)).map(lambda p: (p[0], p[0] + p[1]))


@given(st.sampled_from(FLOATS), recipes, bounds, seeds)
def test_real_bounds_hold(
    dtype: str, recipe: Recipe, limits: tuple[float, float], seed: int
) -> None:
    spec = buffer("x", 200, dtype, bounds=limits)
    values = decode(drawn(spec, recipe, seed), dtype)
    slack = spacing(np.array(limits), dtype).max()
    assert values.min() >= limits[0] - slack
    assert values.max() <= limits[1] + slack


@given(st.sampled_from(("int8", "int32", "int64", "uint32")), recipes, seeds, st.data())
def test_indices_stay_in_range(dtype: str, recipe: Recipe, seed: int, data: st.DataObject) -> None:
    high = data.draw(st.integers(0, 100))
    spec = buffer("x", 200, dtype, bounds=(0, high), is_index=True)
    values = drawn(spec, recipe, seed)
    assert values.min() >= 0
    assert values.max() <= high
    assert high < 3 or len(set(values.tolist())) > 1


@given(recipes, seeds)
def test_integral_inputs_are_whole(recipe: Recipe, seed: int) -> None:
    values = drawn(buffer("x", 100, integral=True), recipe, seed)
    assert (values == np.rint(values)).all()
    assert values.min() >= 0
    assert values.max() <= 100


@given(seeds, st.integers(0, 11))
def test_the_same_seed_gives_the_same_inputs(seed: int, run: int) -> None:
    plan, buffers = InputPlan(seed), [buffer("x", 64), buffer("w", 8, "int8"), buffer("y", 64)]
    first, again = plan.draw(buffers, run), plan.draw(buffers[::-1], run)
    assert set(first) == {"x", "w"}
    assert all((first[name] == again[name]).all() for name in first)
    assert (plan.draw(buffers, run + 12)["x"] != first["x"]).any()


def test_integers_make_dropped_terms_visible() -> None:
    values = drawn(buffer("x", 10_000), "integers", 1)
    assert not np.isin(values, (0, 1)).any()
    assert (values == np.rint(values)).all()


def test_bounds_that_leave_few_integers_give_a_lattice() -> None:
    values = drawn(buffer("x", 1000, bounds=(-1.0, 1.0)), "integers", 1)
    assert (values * 8 == np.rint(values * 8)).all()
    assert len(np.unique(values)) >= 3
    assert 0 not in values


def test_edges_have_both_zeros() -> None:
    values = drawn(buffer("x", 1000), "edges", 1)
    zeros = values[values == 0]
    assert np.signbit(zeros).any()
    assert not np.signbit(zeros).all()


def test_impulses_have_both_ends() -> None:
    values = drawn(buffer("x", 640), "impulses", 1)
    assert values[0] != 0
    assert values[-1] != 0
    assert np.count_nonzero(values) < 20


@pytest.mark.parametrize("dtype", FLOATS)
def test_perturbation_moves_a_little(dtype: str) -> None:
    specs = [buffer("x", 500, dtype), buffer("i", 500, "int32")]
    values = InputPlan(3).draw(specs, 0)
    signs = inputs.signs(specs, np.random.default_rng(0))
    size = inputs.perturbation(specs, far=False)
    moved = inputs.perturb(specs, values, size, signs)
    assert (moved["i"] == values["i"]).all()
    before, after = decode(values["x"], dtype), decode(moved["x"], dtype)
    assert (before != after).mean() > 0.9
    assert np.abs(after - before).max() <= (size + unit_roundoff(dtype)) * np.abs(before).max() * 2
    assert size < inputs.perturbation(specs, far=True)


def test_nothing_to_perturb() -> None:
    assert inputs.perturbation([buffer("i", 5, "int32")], far=True) == 0


@given(st.floats(-3e38, 3e38))
@settings(max_examples=300)
def test_bf16_rounds_to_nearest(value: float) -> None:
    exact = np.array([value])
    back = decode(encode(exact, "bf16"), "bf16")
    assert abs(back[0] - np.float32(value)) <= spacing(exact, "bf16")[0] / 2 * (1 + 1e-6)
    assert (decode(encode(back, "bf16"), "bf16") == back).all()
    assert is_float("bf16")


@pytest.mark.parametrize("dtype", ["float32", "float16", "int32", "uint8"])
def test_extremes_lie_at_the_ends_of_every_row_and_column(dtype: str) -> None:
    for recipe, step in (("negative", 1), ("positive", -1)):
        values = inputs.draw(buffer("x", 12 * 7, dtype), recipe, np.random.default_rng(3))
        table = decode(values, dtype).reshape(12, 7) * step
        for axis in (0, 1):
            assert (np.diff(table, axis=axis) >= 0).all()
        assert table[0, 0] < table[0, -1]


@pytest.mark.parametrize("recipe", inputs.RECIPES)
@pytest.mark.parametrize("count", [1, 2, 3, 40, 1000])
def test_ascending_values_reach_both_ends_in_few_steps(recipe: str, count: int) -> None:
    spec = BufferSpec(
        "x", "i64", "int64", count, bounds=(0, 300), is_index=True, ascending=True
    )  # fmt: skip
    drawn = inputs.draw(spec, recipe, np.random.default_rng(count))  # type: ignore[arg-type]
    assert drawn.dtype == np.int64
    assert (np.diff(drawn) >= 0).all()
    assert drawn[0] == 0
    assert count == 1 or drawn[-1] == 300
    assert len(set(drawn.tolist())) <= 8
