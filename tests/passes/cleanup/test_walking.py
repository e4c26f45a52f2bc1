"""Which steps become sums with a loop's index, and which have to stay."""

from __future__ import annotations

import pytest

from xpiler.frontend import read
from xpiler.ir.text import show_body, show_function
from xpiler.passes.cleanup import Assumptions, clean_up
from xpiler.passes.recovery import recover
from xpiler.platforms.registry import platform


def cleaned(body: str, in_order: bool = False) -> str:
    head = "void f(const float *x, float *y, int *count, int n, int m) {"
    found = read(head + body + "}", "t.c", platform("c").words)
    assert not found.diagnostics
    return show_body(clean_up(found.program, in_order=in_order).program.functions[0].body)


COPIES = {
    "end": "const float *end = x + n; while (x != end) *y++ = *x++;",
    "before the end": "for (const float *p = x; p < x + n; p++) *y++ = *p;",
    "down": "while (n--) *y++ = *x++;",
    "down to zero": "for (; n > 0; n--) *y++ = *x++;",
    "two counters": "int k = 0; for (int i = 0; i < n; i++) y[k++] = x[i];",
}


@pytest.mark.parametrize("name", COPIES)
def test_a_walk_is_a_counting_loop(name: str) -> None:
    lines = cleaned(COPIES[name]).splitlines()
    assert lines[0].startswith("parallel for ")
    assert lines[0].endswith("in [0, n)")
    assert [x.strip()[:2] for x in lines[1:]] == ["y["]


def test_what_an_inner_loop_steps_the_outer_one_steps_too() -> None:
    text = cleaned(
        "int at = 0; for (int i = 0; i < n; i++)"
        " for (int j = 0; j + 3 <= m; j += 2) y[at++] = x[i * m + j];"
    )
    assert "y[((i * ((m - 1) / 2)) + (j.1 / 2))]" in text


def test_the_value_behind_the_loop_is_kept() -> None:
    text = cleaned("int k = 3; for (int i = 0; i < n; i++) y[k++] = x[i]; *count = k;")
    assert "= (n + 3)" in text
    assert "count[0] = k" in text


@pytest.mark.parametrize(
    "body",
    [
        "int k = 0; for (int i = 0; i < n; i++) if (x[i] > 0) y[k++] = x[i];",
        "int k = 0; for (int i = 0; i < n; i++) { if (x[i] > 0) continue; y[k++] = x[i]; }",
        "int k = 0; for (int i = 0; i < n; i++) { y[k++] = x[i]; if (x[i] > 0) break; }",
        "int k = 0; for (int i = 0; i < n; i++) { y[k] = x[i]; k += count[i]; }",
        "const float *end = x + n; while (x != end) { *y++ = *x++; if (*y > 0) x++; }",
    ],
)
def test_steps_that_depend_on_data_stay(body: str) -> None:
    assert "parallel" not in cleaned(body)


def test_an_end_that_is_moved_is_no_bound() -> None:
    text = cleaned("const float *end = x + n; while (x < end) { *y++ = *x++; end -= m; }")
    assert "while (x < end)" in text


def test_a_loop_that_counts_and_steps_a_pointer() -> None:
    text = cleaned("int i = 0; for (const float *p = x; i < n; i++, p += m) y[i] = *p;")
    assert "while" not in text
    assert "y[i" in text


def test_a_loop_that_counts_down_in_steps_leaves_a_rest() -> None:
    text = cleaned(
        "unsigned left = m; const float *p = x; int at = 0;"
        " while (left >= 4) { y[at++] = p[3]; p += 4; left -= 4; }"
        " *count = left; y[n] = *p;"
    )
    assert "while" not in text
    assert "[0, ((u32(m) / 4) * 4)) step 4" in text
    assert "u32(m) - ((u32(m) / 4) * 4)" in text


def test_a_loop_down_to_another_value_than_its_step_stays() -> None:
    assert "while" in cleaned("int left = m; while (left >= 3) { *y++ = *x; left -= 4; }")


def test_a_counter_that_starts_anew_counts_again() -> None:
    text = cleaned(
        "int c = 0; for (; c + 4 <= n; c += 4) y[c] = x[c]; y[c] = 0;"
        " for (c = 0; c + 2 <= n; c += 2) y[c] = 1; for (; c < n; c++) y[c] = 2;"
    )
    assert "while" not in text
    assert "in [((n / 2) * 2), n)" in text


def test_an_unsigned_window_is_two_bounds_not_one() -> None:
    text = cleaned(
        "if (n < 0) return;"
        "for (int i = 0; i < m; i++) if ((unsigned)(i - 3) < (unsigned)n) y[i] = 1;"
    )
    assert "if (u32((i - 3)) < u32(n))" in text


def test_where_nobody_looks_the_value_behind_nested_loops_goes() -> None:
    text = cleaned(
        "if (n < 1) return; for (int i = 0; i < n; i++, x += m) for (int j = 0; j < m; j++)"
        " *y++ = x[j];"
    )
    assert "y = " not in text
    assert "x = " not in text


def test_an_optional_pointer_steps_along() -> None:
    text = cleaned(
        "for (int i = 0; i < n; i++, x += m) { int at = 0; for (int j = 0; j < m; j++)"
        " if (x[j] > x[at]) at = j; *y++ = x[at]; if (count) *count++ = at; }"
    )
    assert "(count + i.1)" in text
    assert "(count != " in text
    assert "given" not in text


def test_an_optional_pointer_that_is_used_unasked_stays() -> None:
    text = cleaned("for (int i = 0; i < n; i++) { if (count) *count++ = i; y[i] = count[0]; }")
    assert "count += 1" in text or "count = (count + 1)" in text


@pytest.mark.parametrize("by", ["2", "n"])
def test_a_number_that_steps_is_a_product_if_that_is_no_overflow(by: str) -> None:
    body = f"int k = m; for (int i = 0; i < n; i++) {{ y[i] = x[k] + x[k + 1]; k += {by}; }}"
    text = cleaned(body)
    assert "parallel for" in text
    assert f"(i * {by})" in text
    head = "void f(const float *x, float *y, int n, int m) {"
    program = read(head + body + "}", "t.c", platform("c").words).program
    found = clean_up(program)
    assert f"n * {by} does not overflow i32" in found.assumptions
    strict = clean_up(program, assume=Assumptions(no_wrap=False)).program
    assert "k += " in show_body(strict.functions[0].body)


def test_what_an_iteration_leaves_in_its_own_variables_goes() -> None:
    text = cleaned(
        "for (int i = 0; i < n; i++) { float *p = y + i * m;"
        " for (int j = 0; j < m; j++, p += 2) { p[0] = x[i]; p[1] = x[j]; } }"
    )
    assert "+=" not in text


def test_what_the_next_step_of_an_inner_loop_reads_stays() -> None:
    text = cleaned(
        "for (int i = 0; i < n; i++) { float at = 1.0f;"
        " for (int j = 0; j < m; j++) { y[i * m + j] = at; at = x[j]; } }"
    )
    assert "at = x[j" in text


STAGED = """#define T 16
__global__ void product(const float *A, const float *B, float *C, int M, int N, int K) {
    __shared__ float As[T][T], Bs[T][T];
    int tx = threadIdx.x, ty = threadIdx.y, row = blockIdx.y * T + ty, col = blockIdx.x * T + tx;
    const float *ap = A + row * K + tx, *bp = B + ty * N + col;
    float acc = 0.0f;
    for (int k0 = 0; k0 < K; k0 += T) {
        As[ty][tx] = row < M && k0 + tx < K ? *ap : 0.0f;
        Bs[ty][tx] = col < N && k0 + ty < K ? *bp : 0.0f;
        __syncthreads();
        for (int k = 0; k < T; ++k) acc += As[ty][k] * Bs[k][tx];
        __syncthreads();
        ap += T;
        bp += STEP;
    }
    if (row < M && col < N) C[row * N + col] = acc;
}
void run(const float *A, const float *B, float *C, int M, int N, int K) {
    product<<<dim3((N + T - 1) / T, (M + T - 1) / T), dim3(T, T)>>>(A, B, C, M, N, K);
}"""


@pytest.mark.parametrize(
    ("step", "plain"),
    [("T * N", True), ("N * T", True), ("T * N; if (k0 == M) bp += 1", False)],
)
def test_pointers_that_threads_step_along_are_sums_before_threads_are_loops(
    step: str, plain: bool
) -> None:
    program = read(STAGED.replace("STEP", step), "k.cu", platform("cuda").words).program
    shown = show_function(clean_up(recover(program, {}).program).program.function("product"))
    assert ("bp" in shown) != plain
    assert ("for k0: i32 in [0, K)\n" in shown) == plain
