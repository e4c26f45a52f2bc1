"""Operations that programs make, by interpretation."""

from __future__ import annotations

import pytest

from xpiler.frontend import read
from xpiler.platforms.registry import platform
from xpiler.verify.inference.work import Operations, operations, steady_accesses


def counted(text: str, **scalars: int) -> Operations | None:
    program = read(text, "k.c", platform("c").words).program
    return operations(program, program.functions[-1], scalars, {})


@pytest.mark.parametrize(
    ("body", "floats", "whole"),
    [
        ("for (int i = 0; i < n; i++) y[i] = x[i] * 2.0f + 1.0f;", 200, 0),
        ("for (int i = 0; i < n; i++) y[i] = x[i];", 0, 0),
        ("for (int i = 0; i < n; i++) k[i] = k[i] + 1;", 0, 100),  # numbers, not addresses
        ("for (int i = 0; i < n; i++) for (int j = 0; j < i; j++) y[i] += x[j];", 4950, 0),
        ("for (int i = 0; i < n; i++) if (i < 25) y[i] = x[i] + 1.0f;", 25, 0),
        ("for (int i = 0; i < n; i++) y[i] = i % 2 ? x[i] + x[i + 1] : x[i];", 100, 100),
        ("for (int i = 0; i < n; i++) y[i] = expf(x[i]);", 200, 0),  # by way of exp2
    ],
)
def test_operations_are_counted_by_trips(body: str, floats: int, whole: int) -> None:
    text = f"#include <math.h>\nvoid f(float *y, const float *x, int *k, int n) {{ {body} }}"
    found = counted(text, n=100)
    assert found is not None
    assert found.floats == pytest.approx(floats, rel=0.15)
    assert found.whole == pytest.approx(whole, rel=0.15)


def test_long_loops_are_sampled() -> None:
    text = """void f(float *y, const float *x, int n) {
        for (int i = 0; i < n; i++) for (int j = i; j < n; j++) for (int k = 0; k < j; k++)
            y[i] += x[k]; }"""
    found = counted(text, n=1000)
    assert found is not None
    assert found.floats == pytest.approx(1000**3 / 3, rel=0.15)


KERNEL = """#include <bang.h>
__mlu_entry__ void f(float *y, const float *x, const int *k, int n) {{
  __nram__ float t[16];
  for (int i = 0; i < n; i++) {{ {body} }}
}}"""


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ("y[i] = x[i];", 2),
        ("t[0] = t[1];", 0),
        ("t[0] = x[k[i]];", 1),  # k itself, whose place does not depend on data
        ("__memcpy(t, &x[i], 4, GDRAM2NRAM); if (t[0] > 0.0f) y[i] = t[0];", 0),
        ("const float *row = x + i; t[0] = row[1];", 1),
    ],
)
def test_scalar_accesses_that_data_does_not_decide(body: str, places: int) -> None:
    text = KERNEL.format(body=body)
    program = read(text, "k.mlu", platform("bang").words).program
    assert steady_accesses(program) == places
