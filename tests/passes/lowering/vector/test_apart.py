"""Calls with effects, short vectors and structs are taken apart where that puts a loop in lanes."""

from __future__ import annotations

from tests.passes.lowering.vector.test_vector import lowered

SIMD = "#pragma omp simd"
PAIR = "typedef struct { float a; float b; } pair;\n"


def test_sums_in_a_struct_are_sums() -> None:
    text, found = lowered(
        PAIR + "void f(const float *x, float *y, int n) { pair p = {0, 0};"
        " for (int i = 0; i < n; i++) { p.a += x[i]; p.b += x[i] * x[i]; }"
        " y[0] = p.a; y[1] = p.b; }"
    )
    assert found.loops == (1, 1)
    assert text.count("_mm512_reduce_add_ps") == 2


def test_a_call_that_writes_is_what_it_does() -> None:
    text, found = lowered(
        "static float step(float g, float *m, float k) { float v = k * m[0] + g; m[0] = v;"
        " return g + k * v; }\n"
        "void f(float *w, float *m, const float *g, float k, int n) {"
        " for (int i = 0; i < n; i++) { float d = step(g[i], m + i, k); w[i] -= d; } }"
    )
    assert found.loops == (1, 1)
    assert "step(" not in text


def test_what_gains_nothing_stays_as_it_was() -> None:
    text, found = lowered(
        "static void put(float *at, float v) { at[0] = v; }\n"
        "void f(float *y, const float *x, const int *k, int n) {"
        " for (int i = 0; i < n; i++) put(y + k[i], x[i]); }"
    )
    assert found.loops == (0, 1)
    assert "put(y + k[i], x[i]);" in text


def test_an_argument_that_the_call_changes_is_kept_before_it() -> None:
    text, found = lowered(
        "static void twice(float *at, float v) { at[0] = 2.0f * v; at[0] = at[0] + v; }\n"
        "void f(const float *x, float *y, int n) { for (int i = 0; i < n; i++) {"
        " float t = x[i]; twice(&t, t); y[i] = t; } }"
    )
    assert found.loops == (1, 1)
    assert "v = t;" in text


def test_functions_that_only_read_may_be_called_in_lanes() -> None:
    text, found = lowered(
        "static float at(const float *x, int i, int n) { if (i < 0) return 0.0f;"
        " float v = x[i]; if (v > 3.0f) v = x[n - 1]; return v; }\n"
        "void f(const float *x, const int *k, float *y, int n) { float s = 0;"
        " for (int i = 0; i < n; i++) s += at(x, k[i], n); y[0] = s; }"
    )
    assert f"{SIMD} reduction(+:s)" in text
    assert found.loops == (1, 1)


def test_sizes_that_all_calls_give_are_known() -> None:
    text = (
        "static void rows(float *y, const float *x, int n) {{ for (int i = 0; i < 32; i++)"
        " y[i / 4 * n + i % 4] = x[i]; }}\n"
        "void f(float *y, const float *x) {{ rows(y, x, 8); rows(x[0] > 0 ? y : y + 9, x, {}); }}"
    )
    assert lowered(text.format(8))[1].loops == (1, 1)
    assert lowered(text.format(3))[1].loops == (0, 1)
    assert lowered(text.format(8).replace("static ", ""))[1].loops == (0, 1)


def test_a_struct_that_a_function_hands_on_is_its_fields() -> None:
    text, found = lowered(
        PAIR + "static pair add(pair p, float v) { p.a += v; p.b += v * v; return p; }\n"
        "void f(const float *x, float *y, int n) { for (int t = 0; t < 32; t++) {"
        " pair p = {0, 0}; for (int i = t; i < n; i += 32) { p = add(p, x[i]); }"
        " y[t] = p.a + p.b; } }"
    )
    assert found.loops[0] == found.loops[1] > 0
    assert "add(p" not in text
