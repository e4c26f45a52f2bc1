"""Which loops are counting loops, with which bounds, and which are not."""

from __future__ import annotations

import pytest
from front_texts import body

FOR = {
    "for (int i = 0; i < n; i++)": "for i: i32 in [0, n)",
    "for (int i = 0; n > i; ++i)": "for i: i32 in [0, n)",
    "for (int i = 0; i <= 7; i += 2)": "for i: i32 in [0, 8) step 2",
    "for (int i = 0; i <= n; i++)": "for i: i32 in [0, (n + 1))",
    "for (int i = 0; i <= n - 1; i++)": "for i: i32 in [0, n)",
    "for (int i = 0; i != n; i++)": "for i: i32 in [0, n)",
    "for (int i = threadIdx.x; i < n; i += blockDim.x)": (
        "for i: i32 in [i32(thread.x), n) step i32(block_dim.x)"
    ),
    "for (int i = 0; i < m; i++)": "for i: i32 in [0, i32(m))",
    "for (size_t i = threadIdx.x; i < n; i += 32)": "for i: u64 in [u64(thread.x), u64(n)) step 32",
    "for (unsigned i = 0; i != m; ++i)": "for i: u32 in [0, m)",
}
WHILE = [
    "for (int i = n; i > 0; i--)",
    "for (int i = 1; i < n; i *= 2)",
    "for (int i = 0; i < n; i++, m++)",
    "for (int i = 0; i < a[0]; i++)",
    "for (unsigned i = 3; i != m; ++i)",
    "for (unsigned i = 0; i <= m; ++i)",
    "for (int i = n; i < m; i++)",
    "for (float f = 0.0f; f < 1.0f; f += 0.1f)",
    "for (int i = 0; i < n; i -= 1)",
]


@pytest.mark.parametrize("head", FOR)
def test_counts(head: str) -> None:
    text = body(f"{head} a[0] += 1.0f;", "float* a, int n, unsigned m")
    assert text.splitlines()[0] == FOR[head]


@pytest.mark.parametrize("head", WHILE)
def test_does_not_count(head: str) -> None:
    assert "while" in body(f"{head} a[0] += 1.0f;", "float* a, int n, unsigned m")


@pytest.mark.parametrize(
    "loop",
    [
        "for (int i = 0; i < n; i++) { if (a[i] > 0.0f) i++; }",
        "for (int i = 0; i < n; i++) { n--; }",
        "for (int i = 0; i < n; i++) { int* p = &i; *p = 3; }",
        "int* b = (int*)a; for (int i = 0; i < b[0]; i++) a[i] = 0.0f;",
        "__shared__ int top; for (int i = 0; i < top; i++) __syncthreads();",
        "for (int i = 0; i <= n; i++) { if (a[i] > 0.0f) break; }",
    ],
)
def test_what_the_body_changes_prevents_it(loop: str) -> None:
    assert "while" in body(loop)


def test_an_outer_variable_becomes_the_loops_own_when_it_is_dead_afterwards() -> None:
    text = body("int i; for (i = 0; i < n; i++) a[i] = 0.0f; for (i = 1; i < n; i++) a[i] = 1.0f;")
    assert text.count("for i") == 2
    assert "i: i32\n" not in text.replace("for ", "")


def test_an_outer_variable_that_is_read_afterwards_stays() -> None:
    assert "while (i < n)" in body("int i; for (i = 0; i < n; i++) a[i] = 0.0f; a[i] = 1.0f;")


def test_a_variable_that_the_next_round_reads_stays() -> None:
    text = body(
        "int i = 0; while (n > 0) { a[i] = 1.0f; for (i = 0; i < n; i++) a[i] = 0.0f; n--; }"
    )
    assert "while (i < n)" in text


def test_pragma_unroll() -> None:
    text = body("#pragma unroll\nfor (int i = 0; i < 4; i++) a[i] = 0.0f;")
    assert text.startswith("for i: i32 in [0, 4) unroll(-1)")
    text = body("#pragma unroll 2\nfor (int i = 0; i < 4; i++) a[i] = 0.0f;")
    assert text.startswith("for i: i32 in [0, 4) unroll(2)")


def test_a_while_loop_with_a_counter_of_its_own_counts() -> None:
    text = body(
        "int i = blockIdx.x * blockDim.x + threadIdx.x; float s = 0.0f; int step = n / 2 + 1;"
        "while (i < n) { s += a[i]; i += step; } a[0] = s;"
    )
    assert "for i: i32 in [i32(" in text
    assert "n) step step" in text
    assert "while" not in text


@pytest.mark.parametrize(
    "loop",
    [
        "int i = 0; while (i < n) { if (a[i] > 0.0f) continue; i += 2; }",
        "int i = 0; while (i < n) { a[i] = 1.0f; i += 2; } a[i] = 0.0f;",
        "int i = 0; i++; while (i < n) { a[i] = 1.0f; i += 2; }",
        "int i = n; n = 7; while (i < 9) { a[i] = 1.0f; i += 2; }",
        "int i = a[0]; a[0] = 1.0f; while (i < n) { a[i] = 1.0f; i += 2; }",
        "int i = 0; while (i < n) { if (a[i] > 0.0f) i += 1; i += 2; }",
        "int i = 0; int* p = &i; while (i < n) { *p += 1; i += 2; }",
        "int i = 0; do { a[i] = 1.0f; i += 2; } while (i < n);",
        "int i = 0; while (n > 0) { while (i < n) { a[i] = 1.0f; i += 2; } n--; }",
    ],
)
def test_a_counter_that_others_use_stays_a_variable(loop: str) -> None:
    assert "i < " in body(loop, "float* a, int n")
