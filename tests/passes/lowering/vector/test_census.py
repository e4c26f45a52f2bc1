"""Which loops count, and which keep their order because of what they do."""

from __future__ import annotations

import pytest
from tests.passes.lowering.vector.test_vector import lowered

LOOP = "void f(const int *k, const float *x, float *y, int n) {{ {} }}"


def test_a_loop_around_a_call_with_loops_is_no_innermost_one() -> None:
    _, found = lowered(
        "static void g(float *y, int n) { for (int i = 0; i < n; i++) y[i] = 2.0f * y[i]; }\n"
        "void f(float *y, int n) { while (n > 1) { g(y, n); n = n / 2; y[n] = 0.0f; } }"
    )
    assert found.loops == (1, 1)


@pytest.mark.parametrize(
    "body",
    [
        "for (int i = 0; i < n; i++) y[k[i]] += x[i];",
        "for (int i = 0; i < n; i++) { int at = k[i] / 2; y[at] = x[i]; }",
        "float s = 0; for (int i = 0; i < n; i++) { s += x[i]; y[i] = s; }",
    ],
)
def test_scatters_and_scans_are_in_the_order_of_their_data(body: str) -> None:
    _, found = lowered(LOOP.format(body))
    assert found.loops == (0, 1)
    assert found.ordered == 1


def test_what_only_a_proof_lacks_is_not() -> None:
    _, found = lowered(LOOP.format("for (int i = 0; i < n; i++) y[i * i % 7] = x[i];"))
    assert (found.loops, found.ordered) == ((0, 1), 0)
