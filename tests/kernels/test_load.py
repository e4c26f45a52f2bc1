"""The loader's own arithmetic."""

import load
import numpy as np
import pytest


@pytest.mark.parametrize(
    ("expression", "value"),
    [(7, 7), ("n", 10), ("(n+3)/4", 3), ("n-1", 9), ("0-n", -10), ("max(n, 3) % 4", 2)],
)
def test_size_expressions(expression: int | str, value: int) -> None:
    assert load.evaluate(expression, {"n": 10}) == value


def test_other_expressions_are_refused() -> None:
    with pytest.raises(ValueError, match="not an integer expression"):
        load.evaluate("n.bit_length", {"n": 1})


def test_brain_floats_round_to_nearest_even() -> None:
    values = np.array([1.0, 1 + 2**-8, 1 + 3 * 2**-8, -2.5], np.float32)
    assert load.widen(load.to_bf16(values), "bf16").tolist() == [1.0, 1.0, 1 + 2**-6, -2.5]


def test_inputs_depend_on_the_seed_alone() -> None:
    case = next(load.cases("add"))
    first, again, other = (load.inputs(case, case.sizes[0], seed) for seed in (1, 1, 2))
    assert np.array_equal(first["a"], again["a"])
    assert not np.array_equal(first["a"], other["a"])


def test_mismatch_names_the_worst_element() -> None:
    case = next(load.cases("add"))
    want = np.zeros(4)
    assert load.mismatch(case, "c", np.array([0, 0, 1, 3], np.float32), want) == (
        "c[3]: 3.0 != 0.0 (2 of 4 differ)"
    )
    assert load.mismatch(case, "c", np.array([0, 0, 0, np.nan], np.float32), want) != ""
