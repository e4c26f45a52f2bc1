"""Functions that run for their addresses alone touch what the interpreter says that they touch."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from xpiler.frontend import read
from xpiler.ir.program import Program
from xpiler.platforms.registry import platform
from xpiler.verify.inference import walked
from xpiler.verify.inference.footprint import probe
from xpiler.verify.inference.unknown import Tired
from xpiler.verify.inference.walked import Unfit, Walk

TEXTS = {
    "window": """
        void f(const float *x, float *y, int n, int m) {
          for (int i = 0; i < n; i++)
            for (int j = 0; j < m; j++) {
              float s = 0;
              for (int u = -1; u <= 1; u++)
                if (i + u >= 0 && i + u < n) s += x[(i + u) * m + j];
              y[i * m + j] = s > 0 ? s : x[0];
            } }""",
    "walk": """
        void f(const double *x, double *y, int n, int m) {
          const double *p = x + 3;
          for (int i = 0; i < n; i++, p += m) {
            int j = m - 1;
            while (j >= 0) { if (j == 5) { j -= 2; continue; } *y += p[j]; --j; }
            if (i == 7) break;
          } }""",
    "helper": """
        static int pad(int n) { return (n + 7) / 8 * 8; }
        static void row(const short *x, long *y, unsigned n) {
          for (unsigned k = n; k-- > 0;) y[k] = x[k * 2 + 1]; }
        void f(const short *x, long *y, int n, int m) {
          for (int i = n - 1; i >= 0; i -= 2) row(x + i * pad(m), y, (unsigned)m);
          if (m % 3 == -1) y[-4] = 0; }""",
    "rows": """
        void f(const float *x, float (*y)[6], int n, int m) {
          float t[6];
          for (int i = 0; i < n; i++) {
            for (int k = 0; k < 6; k++) t[k] = x[i << 2 | (k & 3)];
            do { y[i][m & 5] = t[2]; } while (m < 0); } }""",
    "data": """
        void f(const int *x, int *y, int n, int m) {
          int best = 0;
          for (int i = 0; i < n; i++)
            if (x[i] > best) best = x[i]; else y[i % m] += x[i] & 3;
          y[n + m] = best; }""",
}

LENT = """
    typedef struct { int rows, cols[2]; const float *w; } grid;
    static void row(const grid *g, int i, float *y) {
      const int *c = g->cols;
      for (int j = 0; j < c[1]; j++) y[i * c[0] + j] = g->w[i * g->rows + j]; }
    void f(grid g, float *y, int n) { for (int i = 0; i < n; i++) row(&g, i, y); }"""


def program(text: str) -> Program:
    return read(text, "a.c", platform("c").words).program


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("sizes", [(2, 3), (5, 7), (9, 4), (16, 8)])
def test_the_interpreter_says_the_same(name: str, sizes: tuple[int, int]) -> None:
    p = program(TEXTS[name])
    (f,) = [f for f in p.functions if f.name == "f"]
    given = {"n": sizes[0], "m": sizes[1]}
    found = Walk(p, f).reach(given, 10_000)
    seen = probe(p, f, given, {}, exact=True)
    spans = {n: r.touched for n, r in seen.regions.items() if n in ("x", "y")}
    assert found is not None
    assert {n: found.span(n) for n in spans} == {
        n: None if s is None else (s.lo, s.hi) for n, s in spans.items()
    }


@pytest.mark.parametrize("name", TEXTS)
def test_ends_of_loops_show_what_all_turns_do(name: str) -> None:
    p = program(TEXTS[name])
    (f,) = [f for f in p.functions if f.name == "f"]
    fast = Walk(p, f)
    with patch.object(walked, "only_ends_matter", lambda loop: False):
        slow = Walk(p, f)
    for n, m in ((1, 1), (6, 9), (13, 5)):
        few, all_ = (w.reach({"n": n, "m": m}, 10_000) for w in (fast, slow))
        assert few is not None
        assert all_ is not None
        assert (few.reads, few.writes) == (all_.reads, all_.writes)
        assert few.turns <= all_.turns


def test_linear_loops_take_two_turns() -> None:
    p = program(
        "void f(const float *x, float *y, int n) {"
        " for (int i = 0; i < n; i++) for (int j = 0; j < n; j++) y[i * n + j] = x[j * n + i]; }"
    )
    found = Walk(p, p.functions[0]).reach({"n": 1000}, 10)
    assert found is not None
    assert (found.reads["x"], found.writes["x"]) == ((0, 4_000_000), None)
    assert (found.reads["y"], found.writes["y"]) == (None, (0, 4_000_000))


@pytest.mark.parametrize(
    "body",
    [
        "y[x[0]] = 1;",
        "for (int i = 0; i < x[0]; i++) y[i] = 1;",
        "int k = 0; if (x[1]) k = 3; y[k] = 1;",
        "if (x[0]) return; y[0] = 1;",
        "y[3 / (n - n)] = 1;",
    ],
)
def test_what_memory_decides_is_not_known(body: str) -> None:
    p = program(f"void f(const int *x, int *y, int n) {{ {body} }}")
    assert Walk(p, p.functions[0]).reach({"n": 4}, 100) is None


def test_a_long_run_is_given_up() -> None:
    p = program("void f(int *y, int n) { while (n > 0) { y[n] = n; n -= 1; } }")
    with pytest.raises(Tired):
        Walk(p, p.functions[0]).reach({"n": 500}, 400)


def test_numbers_with_addresses_are_not_followed() -> None:
    p = program("static void g(int *k) { *k = 3; } void f(int *y) { int k; g(&k); y[k] = 1; }")
    with pytest.raises(Unfit):
        Walk(p, next(f for f in p.functions if f.name == "f"))


def test_structs_that_are_lent_are_known() -> None:
    p = program(LENT)
    (f,) = [f for f in p.functions if f.name == "f"]
    given = {"g.rows": 10, "g.cols[0]": 4, "g.cols[1]": 3, "n": 5}
    found = Walk(p, f).reach(given, 1_000)
    seen = probe(p, f, given, {}).regions
    assert found is not None
    assert (found.span("g.w"), found.span("y")) == ((0, 4 * 43), (0, 4 * 19))
    assert (seen["g.w"].touched.hi, seen["y"].touched.hi) == (4 * 43, 4 * 19)  # type: ignore[union-attr]


@pytest.mark.parametrize("change", ["g->rows = 1;", "int *d = g->cols; d[0] = 1;"])
def test_lent_structs_that_change_are_not_followed(change: str) -> None:
    p = program(
        LENT.replace("const grid *g, int i, float *y) {", f"grid *g, int i, float *y) {{ {change}")
    )
    (f,) = [f for f in p.functions if f.name == "f"]
    given = {"g.rows": 10, "g.cols[0]": 4, "g.cols[1]": 3, "n": 5}
    assert Walk(p, f).reach(given, 1_000) is None


def test_parameters_whose_fields_change_are_not_followed() -> None:
    p = program("struct s { int n; }; void f(struct s g, int *y) { g.n += 1; y[g.n] = 1; }")
    with pytest.raises(Unfit):
        Walk(p, p.functions[0])
