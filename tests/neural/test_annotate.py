"""What loop nests are taken for."""

from __future__ import annotations

import pytest

from xpiler.frontend import read
from xpiler.neural.annotate import annotate
from xpiler.passes.cleanup import clean_up
from xpiler.platforms.registry import platform

CASES = {
    "elementwise": ("for (int i = 0; i < n; i++) c[i] = a[i] + b[i];", "elementwise (add) f32"),
    "copy": ("for (int i = 0; i < n; i++) c[i] = a[i];", "copy f32"),
    "fill": ("for (int i = 0; i < n; i++) c[i] = 0.0f;", "fill f32"),
    "gather": ("for (int i = 0; i < n; i++) c[i] = a[k[i]];", "gather f32"),
    "scatter": ("for (int i = 0; i < n; i++) c[k[i]] = a[i];", "scatter f32"),
    "sum": ("float s = 0; for (int i = 0; i < n; i++) s += a[i]; c[0] = s;", "sum f32"),
    "max": (
        "float s = a[0]; for (int i = 1; i < n; i++) if (a[i] > s) s = a[i]; c[0] = s;",
        "max f32",
    ),
    "dot": ("float s = 0; for (int i = 0; i < n; i++) s += a[i] * b[i]; c[0] = s;", "dot f32"),
    "transpose": (
        "for (int i = 0; i < n; i++) for (int j = 0; j < m; j++) c[j * n + i] = a[i * m + j];",
        "transpose f32",
    ),
    "matvec": (
        "for (int i = 0; i < n; i++) { float s = 0;"
        " for (int j = 0; j < m; j++) s += a[i * m + j] * b[j]; c[i] = s; }",
        "matvec f32",
    ),
    "matmul": (
        "for (int i = 0; i < n; i++) for (int j = 0; j < m; j++) { float s = 0;"
        " for (int l = 0; l < n; l++) s += a[i * n + l] * b[l * m + j]; c[i * m + j] = s; }",
        "matmul f32",
    ),
    "conv": (
        "for (int y = 0; y < n; y++) for (int o = 0; o < m; o++) { float s = 0;"
        " for (int r = 0; r < 3; r++) for (int l = 0; l < 8; l++)"
        " s += a[(y + r) * 8 + l] * b[(o * 3 + r) * 8 + l]; c[y * m + o] = s; }",
        "conv f32",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_operations(case: str) -> None:
    body, wanted = CASES[case]
    head = "void f(const float *a, const float *b, const int *k, float *c, int n, int m)"
    program = read(f"{head} {{ {body} }}", "f.c", platform("c").words).program
    nests = annotate(clean_up(program).program)
    found = [p.render() for n in nests for p in n.pieces]
    assert any(f.startswith(wanted) for f in found), found
