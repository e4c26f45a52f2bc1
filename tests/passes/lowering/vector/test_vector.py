"""Loops in vector instructions: what fits, with which masks, and what must stay plain."""

from __future__ import annotations

from xpiler.backend import write_unit
from xpiler.frontend import read
from xpiler.passes.cleanup import Assumptions, clean_up
from xpiler.passes.lowering import Lowered, lower
from xpiler.platforms.registry import platform


def lowered(text: str) -> tuple[str, Lowered]:
    c = platform("c")
    program = clean_up(read(text, "f.c", c.words).program, assume=Assumptions()).program
    found = lower(program, c)
    return write_unit(found.program, c.spelling, ()).text, found


ONE = "void f(const float *x, float *y, int n) {{ for (int i = 0; i < n; i++) {} }}"


def test_iterations_that_do_not_meet_run_sixteen_at_a_time() -> None:
    text, _ = lowered(ONE.format("y[i] = x[i] + 1.0f;"))
    assert "i += 16" in text
    assert "_mm512_mask_storeu_ps(&y[i], live" in text
    assert "#include <immintrin.h>" in text


def test_whole_strips_need_no_mask() -> None:
    text, _ = lowered(
        "void f(const float *x, float *y) { for (int i = 0; i < 64; i++) y[i] = x[i] * x[i]; }"
    )
    assert "_mm512_storeu_ps(&y[i]" in text
    assert "first_lanes" not in text


def test_the_unit_stride_loop_of_a_product_is_the_one_in_registers() -> None:
    text, found = lowered(
        "void f(const float *a, const float *b, float *c, int m, int n, int k) {"
        " for (int i = 0; i < m; i++) for (int j = 0; j < n; j++) { float s = 0;"
        " for (int p = 0; p < k; p++) s += a[i + p * p] * b[p * n + j]; c[i * n + j] = s; } }"
    )
    assert "_mm512_fmadd_ps(_mm512_set1_ps(a[i + p * p])" in text
    assert any("fused" in x for x in found.assumptions)


def test_a_sum_says_that_its_order_changes() -> None:
    text, found = lowered(
        "void f(const float *x, float *y, int n) {"
        " float s = 0; for (int i = 0; i < n; i++) s += x[i]; y[0] = s; }"
    )
    assert "_mm512_reduce_add_ps" in text
    assert any("another order" in x for x in found.assumptions)


def test_bytes_are_multiplied_by_the_dot_product_instruction() -> None:
    text, found = lowered(
        "#include <stdint.h>\n"
        "void f(const uint8_t *a, const int8_t *b, int *y, int n) { int s = 0;"
        " for (int i = 0; i < n; i++) s += a[i] * b[i]; y[0] = s; }"
    )
    assert "_mm512_dpbusd_epi32" in text
    assert not any("order" in x for x in found.assumptions)  # integers: exact


def test_a_chain_from_iteration_to_iteration_stays_plain() -> None:
    text, _ = lowered(
        "void f(float *x, int n) { for (int i = 1; i < n; i++) x[i] = x[i] + x[i - 1]; }"
    )
    assert "_mm512" not in text


def test_a_maximum_that_forgets_numbers_beside_a_nan_stays_plain() -> None:
    body = "float s = x[0]; for (int i = 0; i < n; i++) s = %s; y[0] = s;"
    head = "void f(const float *x, float *y, int n) {"
    assert "_mm512_mask_max_ps" in lowered(f"{head}{body % 'x[i] > s ? x[i] : s'}}}")[0]
    assert "_mm512" not in lowered(f"{head}{body % 's > x[i] ? s : x[i]'}}}")[0]


def test_memory_that_no_lane_may_ask_for_is_not_read() -> None:
    text, _ = lowered(
        "void f(const float *x, const float *t, float *y, int n, int k) {"
        " for (int i = 0; i < n; i++) if (x[i] > 0.0f) y[i] = t[k]; }"
    )
    before, _, asked = text.partition("if (on != 0) {")
    assert "t[k]" in asked
    assert "t[k]" not in before
    choice = ONE.replace("int n", "int n, int k").format("y[i] = x[i] > 0.0f ? x[k] : 0.0f;")
    assert "_mm512" not in lowered(choice)[0]


def test_strided_elements_stay_plain() -> None:
    text, _ = lowered(ONE.format("y[i] = x[3 * i];"))
    assert "_mm512" not in text


def test_the_recipe_can_be_left_out() -> None:
    c = platform("c")
    program = read(ONE.format("y[i] = x[i] + 1.0f;"), "f.c", c.words).program
    assert lower(program, c, plain=True).program is program


def test_a_single_strip_needs_no_loop() -> None:
    text, _ = lowered(
        "void f(const float *x, float *y) { for (int i = 0; i < 16; i++) y[i] = x[i] * x[i]; }"
    )
    assert "for (" not in text
    assert "_mm512_storeu_ps(&y[0]" in text or "_mm512_storeu_ps(y" in text


def test_four_products_at_a_time_use_the_dot_product_instruction() -> None:
    c, cuda = platform("c"), platform("cuda")
    text = (
        "__device__ void f(const int *a, const int *b, int *y, int n) { int s = 0;"
        " for (int k = 0; k < n; k++) s = __dp4a(a[k], b[k], s); y[0] = s; }"
    )
    program = clean_up(read(text, "f.cu", cuda.words).program, assume=Assumptions()).program
    written = write_unit(lower(program, c).program, c.spelling, ()).text
    assert "dp4a_lanes(" in written
    assert "_mm512_dpbusd_epi32(" in written


def test_what_is_written_beside_a_sum_goes_along_where_iterations_do_not_meet() -> None:
    body = (
        "void f(const float *x, float *y, float *z, int n) { float s = 0;"
        " for (int i = 0; i < n; i++) { %s = 2.0f * x[i]; s += x[i]; } z[0] = s; }"
    )
    text, _ = lowered(body % "y[i]")
    assert "_mm512_mask_storeu_ps(&y[i], live" in text
    assert "_mm512_reduce_add_ps" in text
    assert "storeu" not in lowered(body % "y[n - i]")[0]


GUARDED = (
    "void f(const double *a, const double *x, double *y, int n, int m) {{"
    " for (int b = 0; b <= n / 64; b++) for (int t = 0; t < 64; t++) {{ int c = b * 64 + t;"
    " if (c < n) {{ double p = 0; for (int r = 0; r < m; r++) p += a[r * n + c] * {}; y[c] = p; }}"
    " }} }}"
)


def test_what_all_lanes_share_is_only_read_if_one_is_on() -> None:
    text, found = lowered(GUARDED.format("x[r]"))
    assert found.loops == (1, 1)
    assert "if (on != 0) {" in text
    assert "_mm512_fmadd_pd(_mm512_maskz_loadu_pd(on, " in text
    assert "if (on" not in lowered(GUARDED.format("2.0"))[0]


def test_the_lanes_below_an_end_are_counted() -> None:
    text, _ = lowered(
        "void f(const double *x, double *y, int n, int m) { for (int i = 0; i < n; i++) {"
        " double v = 0; if (i <= m) { v = x[i]; } y[i] = v; } }"
    )
    assert "uint8_t on = live & first_lanes_of_8((int64_t)m - i + 1);" in text


def test_rows_of_an_array_may_be_guarded_where_no_strip_leaves_it() -> None:
    body = (
        "void f(const int *x, int *y, int n, int m) {{ int a[{0}]; for (int t = 0; t < {0}; t++)"
        " a[t] = t; for (int t = 0; t < {1}; t++) {{ if (t < n) {{ for (int r = 0; r < m; r++)"
        " a[t] = x[r * n + t] > a[t] ? x[r * n + t] : a[t]; y[t] = a[t]; }} }} }}"
    )
    assert lowered(body.format(512, 512))[1].loops == (2, 2)
