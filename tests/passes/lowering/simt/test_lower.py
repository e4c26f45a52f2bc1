"""Which loops go where: threads, blocks, several kernels, or one thread; and what is copied."""

from __future__ import annotations

import pytest
from tests.passes.lowering.simt.build import codes, kernels, lowered

from xpiler.ir import expr as e
from xpiler.ir.check import check
from xpiler.ir.text import show_body, show_function
from xpiler.ir.types import I32, I64, Struct
from xpiler.passes.lowering import Origin

ADD = "void add(const float *a, const float *b, float *c, int n) { LOOP c[i] = a[i] + b[i]; }"
LOOP = "for (int i = 0; i < n; i++)"


def test_elementwise_gets_a_guarded_thread_for_each_point():
    found = lowered(ADD.replace("LOOP", LOOP))
    (kernel,) = kernels(found)
    assert show_function(kernel) == (
        "kernel add_kernel(a: const f32*, b: const f32*, c: f32*, n: i32) -> void\n"
        "  const i: i32 = i32(((block.x * block_dim.x) + thread.x))\n"
        "  if (i < n)\n"
        "    c[i] = (a[i] + b[i])\n"
    )
    host = show_body(found.program.function("add").body)
    assert "launch add_kernel<((u32(n) + 255) / 256), 1, 1 | 256, 1, 1>" in host
    assert "host.copy(d_a, a, (u64(n) * sizeof(float))) kind=h2d" in host
    assert "host.copy(c, d_c, (u64(n) * sizeof(float))) kind=d2h" in host
    assert "host.copy(a," not in host
    assert host.count("host.free") == 3


def test_a_while_loop_that_counts_is_a_loop_too():
    text = ADD.replace(
        "LOOP c[i] = a[i] + b[i];", "int i = 0; while (i < n) { c[i] = a[i] + b[i]; i++; }"
    )
    assert "if (i < n)" in show_function(kernels(lowered(text))[0])


def test_pointers_may_be_apart_only_by_assumption():
    allowed, forbidden = (
        lowered(ADD.replace("LOOP", LOOP)),
        lowered(ADD.replace("LOOP", LOOP), no_alias=False),
    )
    assert "a and c are the same or do not overlap" in allowed.assumptions
    assert codes(forbidden) == ["XP1101"]
    assert "block.x" not in show_function(kernels(forbidden)[0])


def test_restrict_needs_no_assumption():
    text = ADD.replace("LOOP", LOOP).replace("float *c", "float *restrict c")
    found = lowered(text, no_alias=False)
    assert "block.x" in show_function(kernels(found)[0])
    assert not [x for x in found.assumptions if "overlap" in x]


def test_inner_unit_stride_lies_along_x():
    text = """void scale(const float *x, float *y, int rows, int cols) {
        for (int r = 0; r < rows; r++) for (int c = 0; c < cols; c++)
            y[r * cols + c] = 2.0f * x[r * cols + c]; }"""
    body = show_function(kernels(lowered(text))[0])
    assert "const c: i32 = i32(((block.x * block_dim.x) + thread.x))" in body
    assert "const r: i32 = i32(((block.y * block_dim.y) + thread.y))" in body


def test_rows_get_a_block_with_reductions_and_barriers():
    text = """void center(const float *x, float *y, int rows, int cols) {
        for (int r = 0; r < rows; r++) {
            float sum = 0.0f;
            for (int c = 0; c < cols; c++) sum += x[r * cols + c];
            for (int c = 0; c < cols; c++) y[r * cols + c] = x[r * cols + c] - sum / cols;
        } }"""
    for target, lanes in (("cuda", 32), ("hip", 64)):
        found = lowered(text, target)
        body = show_function(kernels(found)[0])
        assert "const r: i32 = i32(block.x)" in body
        assert "sum += block_sum(sum_part, partials)" in body
        assert "sum may be summed in another order" in found.assumptions
        assert "step i32(block_dim.x)" in body
        assert f"partials: f32[{256 // lanes}]" in body
        helper = show_function(found.program.function("block_sum"))
        assert f"step: i32 = {lanes // 2}" in helper
        assert helper.count("barrier block") == 2


def test_column_sums_are_coalesced_threads():
    text = """void columns(const float *x, float *y, int n, int c) {
        for (int j = 0; j < c; j++) { float s = 0.0f;
            for (int i = 0; i < n; i++) s += x[i * c + j]; y[j] = s; } }"""
    assert "block_sum" not in show_function(kernels(lowered(text))[0])


def test_whole_array_sum_takes_two_kernels_and_comes_back():
    text = """float total(const float *x, int n) { float s = 0.0f;
        for (int i = 0; i < n; i++) s += x[i]; return s; }"""
    found = lowered(text)
    first, second = kernels(found)
    assert "d_s_parts[block.x] = s_part" in show_function(first)
    assert "d_s[0] = s" in show_function(second)
    host = show_body(found.program.function("total").body)
    assert "host.copy(&s, d_s, sizeof(float)) kind=d2h" in host
    assert host.rstrip().endswith("return s")


def test_counts_of_keys_are_atomic():
    text = """void count(const int *keys, int *bins, int n) {
        for (int i = 0; i < n; i++) bins[keys[i] & 63] += 1; }"""
    assert "atomic.add(&bins[(keys[i] & 63)], 1)" in show_function(kernels(lowered(text))[0])


@pytest.mark.parametrize("where", ["ids[b]", "k"])
def test_what_several_blocks_count_in_is_atomic_in_each(where: str):
    of_all, of_each = ("count[ids[b]] += 1;", "") if where == "ids[b]" else ("", "count[k] += 1;")
    text = f"""void f(const float* x, const int* ids, float* y, int* count, int n, int m) {{
        for (int b = 0; b < n; b++) {{
            float most = x[b * m];
            for (int d = 0; d < m; d++) most = x[b * m + d] > most ? x[b * m + d] : most;
            {of_all}
            for (int k = 0; k < m; k++) {{ y[b * m + k] = x[b * m + k] - most; {of_each} }}
        }}
    }}"""
    (kernel,) = map(show_function, kernels(lowered(text)))
    assert "shared" in kernel
    assert f"atomic.add(&count[{where}]" in kernel


def test_argmax_prefers_the_first_of_equals():
    text = """void argmax(const float *x, int *out, int rows, int cols) {
        for (int r = 0; r < rows; r++) { float best = x[r * cols]; int at = 0;
            for (int c = 1; c < cols; c++)
                if (x[r * cols + c] > best) { best = x[r * cols + c]; at = c; }
            out[r] = at; } }"""
    body = show_function(kernels(lowered(text))[0])
    assert "where[(tid + half)] < where[tid]" in body


def test_a_carried_dependence_names_the_accesses():
    text = "void f(float *x, int n) { for (int i = 1; i < n; i++) x[i] = x[i - 1] * 2.0f; }"
    found = lowered(text)
    assert codes(found) == ["XP1101"]
    assert "write of x[i]" in found.diagnostics[0].reason
    assert "read of x[-1 + i]" in found.diagnostics[0].reason
    assert "<1, 1, 1 | 1, 1, 1>" in show_body(found.program.function("f").body)


def test_without_an_extent_the_pointers_are_the_devices():
    text = """void take(const float *table, const int *id, float *y, int n) {
        for (int i = 0; i < n; i++) y[i] = table[id[i]]; }"""
    found = lowered(text)
    assert codes(found) == ["XP1102"]
    assert "table" in found.diagnostics[0].message
    host = found.program.function("take")
    assert "host.alloc" not in show_body(host.body)
    assert "host.copy" not in show_body(host.body)
    assert host.comments == ("table, id, y: device memory.",)
    assert "table, id, y of take point to device memory" in found.assumptions


def test_where_memory_decides_what_comes_next_all_is_one_launch():
    text = """int first(const int *x, int *y, int n) {
        for (int i = 0; i < n; i++) if (x[i] < 0) return i;
        for (int i = 0; i < n; i++) y[i] = x[i];
        return n; }"""
    found = lowered(text)
    (kernel,) = kernels(found)
    assert "d_result[0] = i" in show_function(kernel)
    assert "thread" not in show_function(kernel)
    host = show_body(found.program.function("first").body)
    assert host.count("launch") == 1
    assert "d_result, sizeof(int)) kind=d2h" in host
    assert host.rstrip().endswith("return result")


def test_pointers_that_memory_decides_stay_in_one_launch():
    text = """void rows(const int *start, const float *x, float *y, int n, int m) {
        for (int r = 0; r < n; r++) {
            const float *row = x + start[r];
            for (int i = 0; i < m; i++) y[r * m + i] = row[i];
        } }"""
    found = lowered(text)
    assert [k.name for k in kernels(found)] == ["rows_kernel"]


def test_time_steps_stay_on_the_host():
    text = """void heat(float *a, float *b, int n, int steps) {
        for (int t = 0; t < steps; t++) {
            for (int i = 1; i < n; i++) b[i] = 0.5f * (a[i - 1] + a[i]);
            for (int i = 0; i < n; i++) a[i] = b[i];
        } }"""
    host = show_body(lowered(text).program.function("heat").body)
    assert "for t: i32 in [0, steps)" in host
    assert host.count("launch heat_kernel") == 2


def test_calls_in_loops_are_inlined():
    text = """static void step(float *w, float g, float lr) { *w -= lr * g; }
        void sgd(float *w, const float *g, int n, float lr) {
            for (int i = 0; i < n; i++) step(&w[i], g[i], lr); }"""
    (kernel,) = kernels(lowered(text))
    assert "w[i] -= (lr * g.1)" in show_function(kernel)


def test_every_return_of_an_inlined_call_gives_its_value():
    text = """static int step(float *w, float g) {
            if (g > 1.0f)
                return 0;
            *w -= g;
            return 1;
        }
        void sgd(float *w, const float *g, int *hits, int n) {
            for (int i = 0; i < n; i++) hits[i] += step(&w[i], g[i]); }"""
    (kernel,) = kernels(lowered(text))
    shown = show_function(kernel)
    zero, one = shown.index("= 0"), shown.index("= 1")
    assert shown.index("if (g.1 > 1.0") < zero < shown.index("w[i] -= g.1") < one
    assert one < shown.index("hits[i] +=")


def test_rows_of_an_array_that_is_handed_over_stay_rows():
    text = """static void turn(float a[3][4], int p, int q) {
            if (a[p][q] == 0.0f)
                return;
            for (int k = 0; k < 4; k++) a[p][k] = a[q][k] + a[k % 3][q + 1];
        }
        void all(const float *x, float *y, int n) {
            for (int i = 0; i < n; i++) {
                float a[3][4] = {{x[i], 2}, {3}};
                turn(a, 0, 2);
                y[i] = a[0][3];
            } }"""
    (kernel,) = kernels(lowered(text))
    shown = show_function(kernel)
    assert "a[0][2] == 0.0" in shown
    assert "a[0][k.1] = (a[2][k.1] + a[i64((k.1 % 3))][3])" in shown


def test_a_function_that_may_end_without_its_value_stays_a_call():
    text = """int most = 0;
        int count(const int *x, int n) { for (int i = 0; i < n; i++) if (x[i] > most) most = x[i]; }
        void fill(const int *x, int *y, int n) {
            int m = count(x, n);
            for (int i = 0; i < n; i++) y[i] = m; }"""
    assert not check(lowered(text).program)


def test_scalar_helpers_become_device_functions():
    text = """static float relu(float v) { return v > 0.0f ? v : 0.0f; }
        void act(const float *x, float *y, int n) {
            for (int i = 0; i < n; i++) y[i] = relu(x[i]); }"""
    found = lowered(text)
    assert found.program.function("relu").role == "device"
    assert "y[i] = relu(x[i])" in show_function(kernels(found)[0])


def test_a_row_buffer_of_each_iteration_is_shared():
    text = """#include <math.h>
        void twice(const float *x, float *y, int rows) {
        for (int r = 0; r < rows; r++) { float t[64];
            for (int c = 0; c < 64; c++) t[c] = expf(x[r * 64 + c]);
            for (int c = 0; c < 64; c++) y[r * 64 + c] = t[63 - c] + t[c]; } }"""
    body = show_function(kernels(lowered(text))[0])
    assert "shared t: f32[64]" in body
    assert body.index("t[c] =") < body.index("barrier block") < body.index("t[(63 -")


@pytest.mark.parametrize("exit_", ["break", "return"])
def test_loops_left_early_stay_in_one_thread(exit_):
    text = f"""void cut(float *x, int n) {{
        for (int i = 0; i < n; i++) {{ if (x[i] < 0.0f) {exit_}; x[i] = 0.0f; }} }}"""
    found = lowered(text)
    assert set(codes(found)) <= {"XP1101"}
    assert all("block_dim" not in show_function(k) for k in kernels(found))


def test_a_pointer_that_may_be_null_is_copied_only_if_it_is_there():
    text = """void bias(const float *b, float *y, int n) {
        for (int i = 0; i < n; i++) y[i] += b != 0 ? b[i] : 1.0f; }"""
    host = show_body(lowered(text).program.function("bias").body)
    assert "if (b != 0)\n  d_b <- host.alloc" in host
    assert "d_b: f32* = 0" in host


def test_remainders_and_windows_have_extents():
    text = """void f(const float *w, const float *x, float *y, int n, int c, int h) {
        for (int m = 0; m < n * c; m++) for (int j = 0; j + 3 <= h; j += 2)
            y[m * h + j] = x[m * h + j + 2] * w[m % c * 9 + 8]; }"""
    found = lowered(text)
    host = show_body(found.program.function("f").body)
    assert codes(found) == []
    assert "d_w <- host.alloc(((u64(c) * 9) * sizeof(float)))" in host


def test_a_counter_that_steps_now_and_then_stays_in_its_row():
    text = """void pack(const float *x, float *y, int rows, int cols) {
        for (int r = 0; r < rows; r++) { int k = 0;
            for (int c = 0; c < cols; c++)
                if (x[r * cols + c] > 0) y[r * cols + k++] = x[r * cols + c]; } }"""
    found = lowered(text)
    assert codes(found) == []
    assert "const r: i32 = i32(((block.x * block_dim.x) + thread.x))" in show_function(
        kernels(found)[0]
    )
    twice = lowered(text.replace("k++] = x[r * cols + c];", "k++] = x[r * cols + c++];"))
    assert codes(twice) != []


def test_a_result_of_a_call_is_copied_back() -> None:
    program = lowered(
        "float g(const float *z, int n) { float s = 0; for (int i = 0; i < n; i++) s += z[i]; "
        "return s; } void f(const float *x, float *y, int m, int n) "
        "{ for (int r = 0; r < m; r++) { y[r] = g(x + r * n, n); } }"
    ).program
    assert "host.copy(y, d_y" in show_function(program.function("f"))


def test_tiles_with_a_ragged_end_have_extents_without_rounding() -> None:
    found = lowered(
        "void f(float *y, const float *x, int n, int m) {"
        " for (int p = 0; p < n; p += 40) {"
        "  int k = n - p < 40 ? n - p : 40;"
        "  for (int i = 0; i < k * 96; i++) y[p * 96 + i] = x[p * 96 + i]; } }"
    )
    assert "XP1102" not in codes(found)
    host = show_body(found.program.function("f").body)
    assert "d_y <- host.alloc(((u64(n) * 96) * sizeof(float)))" in host


def test_tiles_that_a_function_copies_reach_no_further_than_its_arguments_say() -> None:
    found = lowered(
        "static void tile(const float *x, long lx, float *y, int rows, int cols) {"
        " float t[16][16];"
        " for (int i = 0; i < 16; i++) for (int j = 0; j < 16; j++)"
        "  t[i][j] = i < rows && j < cols ? x[i * lx + j] : 0;"
        " for (int i = 0; i < 16; i++) for (int j = 0; j < 16; j++) y[i * 16 + j] += t[j][i]; }"
        "void f(const float *x, float *y, int n, int m) {"
        " for (int r = 0; r < n; r += 16) for (int c = 0; c < m; c += 16) {"
        "  const int rows = n - r < 16 ? n - r : 16, cols = m - c < 16 ? m - c : 16;"
        "  for (int e = 0; e < 256; e++) y[e] = 0;"
        "  tile(x + (long)r * m + c, m, y, rows, cols); } }"
    )
    host = show_body(found.program.function("f").body)
    assert "d_x <- host.alloc(((u64(m) * u64(n)) * sizeof(float)))" in host


def test_parts_of_a_struct_that_a_kernel_computes_reach_the_next_kernel() -> None:
    """A struct is handed over by value: what one launch writes to it the next would not see."""
    found = lowered("""
        struct part { float low[16]; float scale; };
        void f(const float *x, float *y, int n) {
            struct part p;
            for (int i = 0; i < 16; i++) p.low[i] = x[i] * 2;
            for (int i = 0; i < n; i++) y[i] = x[i] + p.low[i % 16];
        }""")
    host = show_body(found.program.function("f").body)
    assert host.count("f_kernel") == 1
    assert "p" not in [a.name for k in kernels(found) for a in k.params]


def test_the_middle_of_a_device_buffer_is_pointed_to_by_the_host() -> None:
    found = lowered(
        "void f(const float *x, float *y, int n) { float space[64]; float *a = space;"
        " float *b = &space[32]; for (int t = 0; t < n; t++) {"
        "  for (int i = 0; i < 32; i++) a[i] = x[t * 32 + i];"
        "  for (int i = 0; i < 32; i++) y[t * 32 + i] = a[31 - i];"
        "  float *c = a; a = b; b = c; } }"
    )
    assert "XP1103" not in codes(found)
    host = show_body(found.program.function("f").body)
    assert "b: f32* = &space[32]" in host


def test_two_bounds_of_one_buffer_are_one_where_the_larger_holds_both() -> None:
    found = lowered(
        "void f(float *y, const float *x, int n) {"
        " int k = n < 256 ? n : 256; for (int i = 0; i < k; i++) y[i] = x[i];"
        " for (int t = 0; t < n; t += 256) {"
        "  int m = n - t < 256 ? n - t : 256;"
        "  for (int i = 0; i < m; i++) y[t + i] += x[t + i]; } }"
    )
    host = show_body(found.program.function("f").body)
    assert "d_x <- host.alloc((u64(n) * sizeof(float)))" in host


def test_a_value_changes_after_its_readers_start():
    text = """void f(float *a, float *y, int n, int m) {
        int k = 1;
        for (int i = 1; i < n; i++) a[i] = a[i - 1] * 0.5f + a[i] * k;
        k = 3;
        for (int i = 0; i < m; i++) y[i] = k * 2.0f; }"""
    host = show_body(lowered(text).program.function("f").body)
    assert host.index("launch f_kernel<") < host.index("k = 3")


SCORES = """#include <stdlib.h>
void weigh(const float *x, float *y, int rows, int cols) {
    for (int r = 0; r < rows; r++)
        for (int t = 0; t < cols; t++) {
            ALLOC
            w[0] = x[r * cols];
            for (int c = 1; c <= t; c++) w[c] = 0.5f * w[c - 1] + x[r * cols + c];
            float sum = 0.0f;
            for (int c = 0; c <= t; c++) sum += w[c] * w[t - c];
            y[r * cols + t] = sum;
            FREE
        } }"""
ALLOCS = [("float w[t + 1];", ""), ("float *w = malloc((t + 1) * sizeof(float));", "free(w);")]


@pytest.mark.parametrize(("alloc", "free"), ALLOCS)
def test_iterations_get_pieces_of_one_buffer(alloc: str, free: str):
    found = lowered(SCORES.replace("ALLOC", alloc).replace("FREE", free))
    (kernel,) = kernels(found)
    body, host = show_function(kernel), show_body(found.program.function("weigh").body)
    assert "w: f32* = (d_w + " in body
    assert host.count("host.alloc") == host.count("host.free") == 3
    assert "block.y" in body
    assert "if (" in host.partition("alloc(d_w")[0]  # nothing is asked for where there is no row


def test_memory_of_unknown_size_stays_with_the_host():
    text = SCORES.replace("ALLOC", "float w[(int)x[0] + t + 1];").replace("FREE", "")
    assert "XP1103" in codes(lowered(text)) or "XP1101" in codes(lowered(text))


SIZES = [
    ("int k[2]; k[0] = t & 7; k[1] = 1; float w[k[0] + k[1]];", "an array changes"),
    ("float w[m]; m = m + (t & 1);", "the size grows from turn to turn"),
    (
        "float *w = malloc(2 * sizeof(float)); w[0] = w[1] = s; float *v = w;"
        "if (x[t] > 0) v = w + 1; v[0] = 1.0f; s += w[0]; free(w);",
        "two names",
    ),
]


@pytest.mark.parametrize("alloc", [a for a, _ in SIZES], ids=[why for _, why in SIZES])
def test_sizes_that_change_and_pieces_with_two_names_are_not_taken_ahead(alloc: str):
    text = """#include <stdlib.h>
    void last(const float *x, float *y, int rows, int cols) {
        for (int r = 0; r < rows; r++) {
            int m = 1;
            float s = 0.0f;
            for (int t = 0; t < cols; t++) {
                ALLOC
                s = s * 0.5f + x[r * cols + t];
            }
            y[r] = s;
        } }""".replace("ALLOC", alloc)
    found = lowered(text)
    assert "XP1103" in codes(found)
    assert not kernels(found)


def test_a_piece_per_turn_is_one_piece_per_iteration():
    text = """void last(const float *x, float *y, int rows, int cols) {
        for (int r = 0; r < rows; r++) {
            float s = 0.0f;
            for (int t = 0; t < cols; t++) {
                float w[t + 1];
                for (int c = 0; c <= t; c++) w[c] = x[r * cols + c] * s;
                for (int c = 0; c <= t; c++) s += w[c] * w[t - c];
            }
            y[r] = s;
        } }"""
    found = lowered(text)
    assert "(d_w + (i64(r) * i64(cols)))" in show_function(kernels(found)[0])
    assert "the device has room for w of all iterations at once" in found.assumptions


def test_what_may_overlap_is_not_copied_one_by_one():
    text = """#include <string.h>
    void shift(float *y, int rows, int cols) {
        for (int r = 0; r < rows; r++) {
            float *p = y + r * cols;
            if (r & 1) p = y + r * cols + 1;
            memmove(y + r * cols, p, (cols - 1) * sizeof(float));
        } }"""
    assert not kernels(lowered(text))


def test_copies_in_loops_are_loops_over_elements():
    text = """#include <string.h>
    void pad(const float *x, float *y, int rows, int n) {
        for (int r = 0; r < rows; r++) {
            memset(y + 2 * r * n, 0, n * sizeof(float));
            memcpy(y + (2 * r + 1) * n, x + r * n, n * sizeof(float));
        } }"""
    found = lowered(text)
    (kernel,) = kernels(found)
    assert "host." not in show_function(kernel)
    assert "= 0.0" in show_function(kernel)
    assert "block.x" in show_function(kernel)


def test_elements_of_other_types_are_not_copied_one_by_one():
    text = """#include <string.h>
    void raw(const float *x, int *y, int rows) {
        for (int r = 0; r < rows; r++) memcpy(y + r, x + r, 8); }"""
    host = show_body(lowered(text).program.function("raw").body)
    assert "host.copy" in host


def test_what_a_loop_calls_fills_the_rows_of_an_array_that_it_is_handed():
    text = """#include <string.h>
    static void tile(const float *a, float *acc, int n) {
        memset(acc, 0, sizeof(float) * 2 * 4);
        for (int p = 0; p < n; p++)
            for (int i = 0; i < 2; i++)
                for (int j = 0; j < 4; j++) acc[i * 4 + j] += a[p * 2 + i];
    }
    void sums(const float *a, float *y, int rows, int n) {
        for (int r = 0; r < rows; r++) {
            float acc[2][4];
            tile(a + 2 * r * n, &acc[0][0], n);
            y[r] = acc[1][3];
        } }"""
    (kernel,) = kernels(lowered(text))
    shown = show_function(kernel)
    assert "acc[i.1][j.1] += a[" in shown
    assert "host." not in shown


SWEEPS = """#include <math.h>
float sweeps(const float *f, float *u, float *t, int n, int most, float tol) {
    float worst = 0.0f;
    for (int it = 0; it < most; it++) {
        worst = 0.0f;
        for (int i = 1; i < n - 1; i++) {
            t[i] = 0.5f * (u[i - 1] + u[i + 1] + f[i]);
            float d = fabsf(t[i] - u[i]);
            if (d > worst) worst = d;
        }
        for (int i = 1; i < n - 1; i++) u[i] = t[i];
        if (worst < tol) LEAVE
    }
    return worst;
}"""


@pytest.mark.parametrize("leave", ["break;", "return worst;", "{ u[0] = worst; return 2 * tol; }"])
def test_the_host_ends_a_loop_by_a_value_that_the_device_computes(leave):
    found = lowered(SWEEPS.replace("LEAVE", leave))
    assert codes(found) == []
    host = show_body(found.program.function("sweeps").body)
    inside = host[host.index("for it") : host.rindex("host.free")]
    assert inside.count("launch ") >= 3
    assert host.index("host.copy(&worst, d_worst") < host.index("if (worst < tol)")
    gone = host[host.index("if (worst < tol)") :]
    if "return" in leave:
        early = gone[: gone.index("return")]
        assert early.count("host.free") == host.count("host.alloc")
        assert "host.copy(u, d_u" in early


def test_what_comes_before_an_early_return_is_done():
    text = """void f(float *y, int n) {
        y[0] = 1.0f;
        if (n == 1) return;
        y[1] = 2.0f;
    }"""
    host = show_body(lowered(text).program.function("f").body)
    assert host.index("launch") < host.index("if (n == 1)")


ROWS = """#include <math.h>
float widest(const float *a, const unsigned char *g, unsigned *bins, int h, int w) {
    float most = 0.0f;
    for (OUTER)
        for (INNER) {
            bins[g[i * w + j]]++;
            if (fabsf(a[i * w + j]) > most) most = fabsf(a[i * w + j]);
        }
    return most;
}"""
BY_ROW, BY_COLUMN = "int i = 0; i < h; i++", "int j = 0; j < w; j++"
BLOCKS = ("for i: i32 in [i32(block.x), h)", "for j: i32 in [i32(thread.x), w)")
COLUMNS = (
    "for j: i32 in [i32(((block.x * block_dim.x) + thread.x)), w)",
    "for i: i32 in [0",
)


@pytest.mark.parametrize(
    ("outer", "inner", "loops"), [(BY_ROW, BY_COLUMN, BLOCKS), (BY_COLUMN, BY_ROW, COLUMNS)]
)
def test_sums_over_rows_have_the_threads_where_neighbours_are_near(outer, inner, loops):
    kernel = kernels(lowered(ROWS.replace("OUTER", outer).replace("INNER", inner)))[0]
    shown = show_function(kernel)
    assert all(loop in shown for loop in loops)
    assert "atomic.add(&bins[" in shown
    assert "block_max_of(most_part" in shown


def test_a_thread_takes_its_element_through_all_steps():
    text = """void weighted(const float *w, const float *v, float *o, int n, int d) {
        for (int k = 0; k < n; k++) {
            const float a = 2.0f * w[k];
            for (int j = 0; j < d; j++) o[j] += a * v[k * d + j];
        } }"""
    (kernel,) = kernels(lowered(text))
    shown = show_function(kernel)
    assert shown.index("if (j < d)") < shown.index("for k: i32 in [0, n)")


@pytest.mark.parametrize("read", ["o[j + 1]", "o[d - 1 - j]", "o[k % d]"])
def test_steps_that_read_what_others_wrote_stay_in_order(read):
    text = """void mixed(const float *v, float *o, int n, int d) {
        for (int k = 0; k < n; k++) {
            const float a = READ_DECL;
            for (int j = 0; j < d; j++) o[j] = a * v[k * d + j] + READ;
        } }"""
    text = text.replace("READ_DECL", read if "k" in read else "v[k]")
    (kernel, *_) = kernels(lowered(text.replace("READ", "1.0f" if "k" in read else read)))
    assert "for k: i32" not in show_function(kernel).partition("if (j < d)")[2]


def test_rows_at_a_distance_given_are_launched_at_once_where_they_do_not_overlap():
    text = """void scaled(float *c, int m, int n, int ldc, float beta) {
        for (int j = 0; j < n; j++)
            for (int i = 0; i < m; i++) c[j * ldc + i] *= beta;
    }"""
    found = lowered(text)
    host = show_body(found.program.function("scaled").body)
    at_once, _, one_by_one = host.partition("else")
    assert "if (ldc >= m)" in at_once
    assert "for j" not in at_once
    assert "for j: i32 in [0, n)" in one_by_one
    assert len(kernels(found)) == 2


@pytest.mark.parametrize("place", ["c[j * ldc - i]", "c[j * ldc + q[i]]"])
def test_rows_that_may_overlap_all_the_same_are_not_launched_at_once(place):
    text = """void scaled(float *c, const int *q, int m, int n, int ldc, float beta) {
        for (int j = 0; j < n; j++)
            for (int i = 0; i < m; i++) PLACE *= beta;
    }"""
    host = show_body(lowered(text.replace("PLACE", place)).program.function("scaled").body)
    assert ">=" not in host


def test_rows_of_several_elements_a_step_and_rows_that_stay_serial():
    text = """void runs(const float *x, float *y, int pitch, int h, int w) {
        for (int r = 0; r < h; r++) {
            float sum = 0.0f;
            for (int c = 0; c < w; c++) {
                sum += x[r * w + c];
                y[r * pitch + 2 * c] = sum;
                y[r * pitch + 2 * c + 2] = 1.0f;
            }
        } }"""
    found = lowered(text)
    host = show_body(found.program.function("runs").body)
    assert "if (i64(pitch) >= ((i64(w) * 2) + 1))" in host
    assert "block.x" in show_function(kernels(found)[0])
    assert "block.x" not in show_function(kernels(found)[1])


def test_kernels_of_functions_that_only_kernels_call_are_left_out():
    text = """static float dot(const float *a, const float *b, int n) {
        float s = 0.0f;
        for (int i = 0; i < n; i++) s += a[i] * b[i];
        return s;
    }
    void rows(const float *a, const float *b, float *y, int m, int n) {
        for (int r = 0; r < m; r++) y[r] = dot(a + r * n, b, n);
    }"""
    assert [k.name for k in kernels(lowered(text))] == ["rows_kernel"]


@pytest.mark.parametrize("run", [False, True])
def test_a_kernel_that_is_run_by_itself_stays_a_function(run: bool) -> None:
    """Its own host code may take what nobody can make up, `void *` say."""
    text = """static void k(const float *x, float *y, int n) {
        for (int i = 0; i < n; i++) y[i] = 2 * x[i]; }
    void op(const float *x, float *y, int n) { k(x, y, n); }"""
    origin = Origin("bang", bare_kernels=frozenset({"k"}) if run else frozenset())
    names = {f.name for f in lowered(text, origin=origin).program.functions if f.role == "host"}
    assert names == ({"k", "op"} if run else {"op"})


def test_a_callee_that_moves_its_parameter_leaves_the_callers_variable_alone():
    text = """static void twice(const float *x, float *y, int n) {
        for (int i = 0; i < n; i++) { *y++ = 2.0f * *x++; }
        *y = *x;
    }
    void both(const float *x, float *y, float *z, int n) {
        twice(x, y, n);
        twice(x, z, n);
    }"""
    host = show_body(lowered(text).program.function("both").body)
    moved = [line.split()[0] for line in host.splitlines() if " += " in line]
    assert len(moved) == len(set(moved)) == 4
    assert not any(f"{name}: " not in host for name in moved)


def test_bounds_of_inner_loops_that_memory_decides_reach_the_host() -> None:
    found = lowered("""void shift(const float *x, float *y, int planes, int w, const int *pad) {
        const int ow = w + pad[0];
        for (int p = 0; p < planes; p++)
            for (int i = 0; i < ow; i++) y[p * ow + i] = x[p * w + i % w]; }""")
    host = show_body(found.program.function("shift").body)
    copied = host.index("host.copy(&ow")
    assert copied < host.index("launch shift_kernel_2")


def test_pointers_in_a_struct_that_kernels_follow_are_copied() -> None:
    text = """typedef struct { int n; const float *w; float *y; float *unused; } layer;
    void scale(layer l, const float *x) {
        for (int i = 0; i < l.n; i++) l.y[i] = x[i] * l.w[i];
    }"""
    sizes = {"w": "n", "y": "n"}
    n = e.Cast(e.Field(e.Var("l", Struct("layer")), "n", I32), I64)
    extents = {"scale": {"x": n, **{f"l.{name}": n for name in sizes}}}
    host = show_body(
        lowered(text, origin=Origin("c", extents=extents)).program.function("scale").body
    )
    assert "d_l.w = d_w" in host
    assert "d_l.unused" not in host
    assert "host.copy(l.y, d_y" in host
    assert "host.copy(l.w, " not in host
    assert ">(d_l" in host


def test_pointers_in_a_struct_of_unknown_extent_are_the_devices() -> None:
    text = """typedef struct { int n; const float *w; } layer;
    void scale(layer l, float *x) { for (int i = 0; i < l.n; i++) x[i] *= l.w[i]; }"""
    found = lowered(text)
    assert "x, l.w of scale point to device memory" in found.assumptions


def test_what_one_branch_leaves_on_the_device_comes_to_the_host() -> None:
    found = lowered("""void f(const float *x, float *y, int n, int mean) {
        float scale = 1.0f;
        if (mean) {
            for (int i = 0; i < n; i++) y[i] = x[i] + 1.0f;
            scale = y[0];
        }
        for (int i = 0; i < n; i++) y[i] = scale * x[i]; }""")
    host = show_body(found.program.function("f").body)
    branch = host.index("if (mean")
    assert branch < host.index("host.copy(&scale") < host.rindex("launch")
    assert "  host.copy(&scale" in host


@pytest.mark.parametrize("before", ["", "last = y[0];"])
def test_what_iterations_hand_on_goes_by_the_host(before: str) -> None:
    found = lowered(
        """void f(float *x, float *y, int n, int steps) {
        float last = 0.0f;
        BEFORE
        for (int t = 0; t < steps; t++) {
            for (int i = 0; i < n; i++) y[i] = last * x[i];
            for (int i = 0; i < n; i++) x[i] = y[n - 1 - i];
            if (t != 3) last = last + x[0]; else last = 2.0f;
        }
        y[0] = last; }""".replace("BEFORE", before)
    )
    host = show_body(found.program.function("f").body)
    loop = host[host.index("for t") :]
    assert loop.count("  launch") >= 3
    assert "XP1101" not in codes(found)
