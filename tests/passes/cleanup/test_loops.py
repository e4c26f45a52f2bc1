"""Loops by their bounds: counters, conditions that part a range, turns of one value only."""

from __future__ import annotations

import pytest
from test_walking import cleaned

from xpiler.frontend import read
from xpiler.ir.text import show_body
from xpiler.passes.cleanup import clean_up
from xpiler.passes.recovery import recover
from xpiler.platforms.registry import platform


@pytest.mark.parametrize(
    ("body", "loop"),
    [
        ("unsigned long i = 2; while(i < n) { y[i] = x[i]; i += 3ul * 4; }", "[2, u64(n)) step 12"),
        ("int i = 0; do { y[i] = x[i]; i++; } while (i < 50);", "[0, 50)"),
        ("for (int i = 0; i < 8 && i < n; i++) y[i] = x[i];", "[0, min(8, n))"),
        ("for (int i = 0; m + i < n && i < 8; i++) y[i] = x[i];", "[0, min((n - m), 8))"),
        ("for (int i = 0; i < n; i++) if (i == m) y[i] = x[i];", ""),
        ("for (int i = 0; i < n; i++) { long k = i; if (k == 2) y[i] = x[m]; }", ""),
        (
            "for (int w = 0; w < n; w++) for (int l = 0; l < 32; l++) "
            "{ int t = w * 32 + l; if (t == 37) y[t] = x[l]; }",
            "",
        ),
    ],
)
def test_loops_are_counted_by_their_bounds(body: str, loop: str) -> None:
    text = cleaned(body)
    assert (f" in {loop}" in text) if loop else "for" not in text
    assert "while" not in text


def test_a_first_turn_that_nobody_asks_for_is_kept() -> None:
    assert "do while" in cleaned("int i = 0; do { y[i] = x[i]; i++; } while (i < n);")


HALVES = "for (int i = 0; i < n; i++) if (i < n / 2) y[i] = x[i]; else y[i] = x[n - 1 - i];"


def test_a_condition_on_the_index_parts_the_range() -> None:
    assert "else" in cleaned(HALVES)
    text = cleaned(HALVES, in_order=True)
    assert [x.split(" in ")[1] for x in text.splitlines() if " in " in x] == [
        "[0, (n / 2))", "[(n / 2), n)",
    ]  # fmt: skip
    assert "if" not in text


def test_a_condition_that_changes_on_the_way_parts_nothing() -> None:
    text = cleaned(
        "int k = n / 2; for (int i = 0; i < n; i++) if (i < k) k = count[i]; else y[i] = x[i];"
    )
    assert "else" in text


def test_unsigned_sizes_rounded_up_to_blocks() -> None:
    source = """
__global__ void scale(const float *x, float *y, unsigned n) {
  unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = 2.0f * x[i];
}
void run(const float *x, float *y, unsigned n) { scale<<<(n + 63) / 64, 64>>>(x, y, n); }
"""
    program = recover(read(source, "k.cu", platform("cuda").words).program).program
    found = clean_up(program)
    assert "if" not in show_body(found.program.functions[0].body)
    assert any(x.startswith("n + 63 does not overflow") for x in found.assumptions)


def test_what_is_written_through_a_pointer_happens_in_every_turn() -> None:
    store = "float *p = y + i; p[0] = 1; if (i < n / 2) *count = i;"
    text = cleaned(f"for (int i = 0; i < n; i++) {{ {store} }}")
    assert "in [0, n)" in text


@pytest.mark.parametrize(
    "walk",
    [
        "for (int i = at; i < n; i += step) y[i] = x[i];",
        "while (at < n) { y[at] = x[at]; at += step; }",
    ],
)
def test_a_named_stride_over_the_whole_grid_deals_out_one_loop(walk: str) -> None:
    source = f"""
__global__ void copy(const float *x, float *y, int n) {{
  int step = gridDim.x * blockDim.x;
  int at = blockIdx.x * blockDim.x + threadIdx.x;
  {walk}
}}
void run(const float *x, float *y, int n, int blocks) {{ copy<<<blocks, 64>>>(x, y, n); }}
"""
    program = recover(read(source, "k.cu", platform("cuda").words).program).program
    text = show_body(clean_up(program).program.function("copy").body)
    assert text.count("for ") == 1
    assert "in [0, n)\n" in text


def test_a_lane_of_one_row_is_asked_for_with_its_row() -> None:
    turn = "if (w * 32 + l == 37) y[l] = 1;"
    rows = f"for (int w = 0; w < n; w++) for (int l = 0; l < 32; l++) {turn}"
    lines = [x.strip() for x in cleaned(rows).splitlines()]
    assert lines == ["if (n > 1)", "y[5] = 1.0"]


def test_a_pointer_that_the_index_chooses_parts_the_range() -> None:
    body = (
        "for (int i = 0; i < n; i++) { const float *p; int at;"
        " if (i < n / 2) { p = x; at = i; } else { p = x + m; at = 2 * i; } y[i] = p[at]; }"
    )
    assert "else" in cleaned(body)
    text = cleaned(body, in_order=True)
    assert [x.split(" in ")[1] for x in text.splitlines() if " in " in x] == [
        "[0, (n / 2))", "[(n / 2), n)",
    ]  # fmt: skip
    assert "if" not in text
    assert text.count("y[") == 2


def test_a_number_that_the_index_chooses_parts_nothing() -> None:
    body = (
        "for (int i = 0; i < n; i++) { int at;"
        " if (i < n / 2) { at = m; } else { at = 2 * i; } y[i] = x[at]; }"
    )
    assert cleaned(body, in_order=True).count("for ") == 1


def test_one_turn_under_a_condition_of_its_own_is_no_loop() -> None:
    text = cleaned("for (int i = m; i < n; i++) if (i == m && (n & 1) != 0) y[n] = x[n];")
    assert "for" not in text
    assert "(m < n)" in text


def test_halves_round_down() -> None:
    guarded = "for (int i = 0; i < (n + 1) / 2; i++) if (i < n >> 1) y[i] = x[i]; else y[n] = x[n];"
    text = cleaned(guarded, in_order=True)
    assert "in [0, (n >> 1))" in text
    wrong = guarded.replace("(n + 1) / 2", "(n - 1) / 2")
    assert "in [0, (n >> 1))" not in cleaned(wrong, in_order=True)


def test_a_number_of_threads_is_not_negative() -> None:
    source = """
__global__ void tail(float *y, int n) {
  if (threadIdx.x < n % 4) y[n - 1 - threadIdx.x] = 0;
}
void run(float *y, int n) { tail<<<1, 32>>>(y, n); }
"""
    program = recover(read(source, "k.cu", platform("cuda").words).program).program
    found = clean_up(program)
    assert "n % 4 is not negative" in found.assumptions
    assert "u32" not in show_body(found.program.functions[0].body)
