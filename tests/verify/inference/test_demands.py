"""Sizes that a function asks to fit together, else it returns at once."""

from __future__ import annotations

import pytest

from xpiler.frontend import read
from xpiler.platforms.registry import platform
from xpiler.verify.inference.demands import demands, met
from xpiler.verify.inference.infer import infer
from xpiler.verify.spec import Spec

LOOP = "for (int i = 0; i < n; i++) y[i] = x[i]; return 0;"
SHAPE = """typedef struct { int dims[2]; } shape;
static int at(const shape *s, int k) { return s->dims[k]; }
"""


def met_by(body: str, front: str = "", params: str = "int n, int m, int k", **sizes: int):
    text = f"{front} int f(const float *x, float *y, {params}) {{ {body} {LOOP} }}"
    p = read(text, "a.c", platform("c").words).program
    asked = demands(p, p.function("f"), sizes.keys())
    return met(asked, sizes)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("if (n != m * k) return -1;", (35, 5, 7)),
        ("if (n <= 0 || m * k != n) return -1;", (35, 5, 7)),
        ("int a = n; if (!(a == m && m == k)) return -1;", (7, 7, 7)),
        ("if (n % m != 0) return -1; if (m % 4) return -2;", (8, 8, 7)),
        ("assert(k == m);", (3, 5, 5)),
        ("if (n != m) { y[0] = 0; return 0; }", (3, 5, 7)),
        ("if (n == m) return -1;", (3, 5, 7)),
        ("if (n != m + n) return -1;", (3, 5, 7)),
        ("if (n != m) y[0] = 1;", (3, 5, 7)),
        ("for (int i = 0; i < 1; i++) y[i] = 0; if (n != m) return -1;", (3, 5, 7)),
    ],
)
def test_what_is_asked_of_sizes(body: str, expected: tuple[int, int, int]) -> None:
    front = "#include <assert.h>\n"
    assert met_by(body, front, n=3, m=5, k=7) == dict(zip("nmk", expected, strict=True))


def test_sizes_in_structs_and_behind_functions() -> None:
    body = "if (at(a, 1) != at(b, 1) * b->dims[0]) return -1;"
    sizes = {"a.dims[1]": 9, "b.dims[0]": 2, "b.dims[1]": 3}
    found = met_by(body, SHAPE, "const shape *a, const shape *b, int n", **sizes)
    assert found == {**sizes, "a.dims[1]": 6}


def test_every_case_of_a_function_meets_what_it_asks() -> None:
    text = (
        "int f(const float *x, int n, float *y, int m, int k) {"
        " if (n != m * k) return -1;"
        " for (int i = 0; i < m; i++) { y[i] = 0; for (int j = 0; j < k; j++) y[i] += x[i * k + j];"
        " } return 0; }"
    )
    (plan,) = infer(read(text, "a.c", platform("c").words).program, Spec())
    cases = [c.scalars for c in (*plan.cases, *plan.further)]
    assert len(cases) > 2
    assert all(c["n"] == c["m"] * c["k"] for c in cases)
    assert [b.count for b in plan.cases[0].buffers] == [cases[0]["n"], cases[0]["m"]]
