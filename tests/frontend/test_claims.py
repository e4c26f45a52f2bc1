"""OpenMP pragmas over loops: what they claim, and what becomes of it."""

from __future__ import annotations

import pytest

from xpiler.analysis.claims import is_claim, without_claims
from xpiler.frontend import read
from xpiler.frontend.loops import claimed_loops
from xpiler.ir.rewrite import walk
from xpiler.ir.stmt import For
from xpiler.pipeline import Options, translate
from xpiler.platforms.registry import platform


@pytest.mark.parametrize(
    ("above", "loops"),
    [
        ("#pragma omp parallel for\n    ", 1),
        ("#pragma omp parallel for collapse(2) schedule(static)\n", 2),
        ("#  pragma omp parallel for \\\n    collapse( 3 )\n\n", 3),
        ("#ifdef _OPENMP\n#pragma omp for\n#endif\n", 1),
        ("#pragma omp target teams distribute\n", 1),
        ("#pragma omp parallel for ordered\n", 0),
        ("#pragma omp parallel\n", 0),
        ("#pragma omp parallel for\nint k = 0;\n", 0),
        ("#pragma unroll\n", 0),
    ],
)
def test_what_a_pragma_claims(above: str, loops: int) -> None:
    assert claimed_loops("x = 1;\n" + above) == loops


TEXT = """
void f(const int *at, const float *x, float *y, int n, int m) {
    #pragma omp parallel for collapse(2)
    for (int i = 0; i < n; i++)
        for (int j = 0; j < m; j++)
            for (int k = 0; k < 2; k++) y[at[i * m + j] * 2 + k] = x[i * m + j] + k;
}
"""


def test_collapsed_loops_are_claimed_and_no_others() -> None:
    program = read(TEXT, "f.c", platform("c").words).program
    loops = [n for n in walk(program.functions[0].body) if isinstance(n, For)]
    assert [loop.claimed for loop in loops] == [True, True, False]
    left = without_claims(program).functions[0].body
    assert not any(n.claimed for n in walk(left) if isinstance(n, For))


def test_a_claim_is_an_assumption() -> None:
    found = translate(TEXT, "f.c", Options("cuda", "c", verify=False))
    assert any(map(is_claim, found.assumptions))
    assert "threadIdx" in (found.text or "")


def test_a_claim_that_does_not_hold_is_given_up() -> None:
    text = """
    void f(const float *x, float *y, int n) {
        #pragma omp parallel for
        for (int i = 0; i < n; i++) y[i / 2] = x[i] * 0.5f;
    }"""
    found = translate(text, "f.c", Options("cuda", "c", seed=3))
    assert found.verified, found.verdict
    assert not any(map(is_claim, found.assumptions))
    assert any("OpenMP" in d.message for d in found.diagnostics)
