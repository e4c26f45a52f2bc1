"""Loops that are left to the compiler: marked where their iterations do not meet."""

from __future__ import annotations

from tests.passes.lowering.vector.test_vector import ONE, lowered

from xpiler.analysis.ranges import Facts
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.types import F16, I32, Pointer
from xpiler.passes.lowering.vector.marks import Marker

SIMD = "#pragma omp simd"
SUM = "void f(const float *x, float *y, int n) {{ float s = 0; for (int i = 0; i < n; i++) {} }}"


def test_a_call_without_an_instruction_is_marked() -> None:
    text, found = lowered(ONE.format("y[i] = atanhf(x[i]);"))
    assert "#pragma omp parallel for simd" in text
    assert "_OPENMP" in text
    assert found.loops == (1, 1)


def test_strided_elements_are_marked() -> None:
    assert "omp parallel for simd" in lowered(ONE.format("y[i] = x[3 * i];"))[0]


def test_a_strided_sum_is_a_reduction_in_another_order() -> None:
    text, found = lowered(SUM.format("s += x[5 * i]; y[0] = s;"))
    assert f"{SIMD} reduction(+:s)" in text
    assert any("another order" in x for x in found.assumptions)


def test_chains_are_not_marked() -> None:
    for body in ("y[i + 1] = y[i] + x[i];", "y[(int)x[i]] += 1.0f;"):
        text, found = lowered(ONE.format(body))
        assert "simd" not in text
        assert found.loops == (0, 1)


def test_a_running_sum_that_is_read_is_not_marked() -> None:
    text, _ = lowered(SUM.format("{ s += x[i]; y[i] = s; }"))
    assert "simd" not in text


def test_a_loop_that_may_be_left_is_not_marked() -> None:
    text, _ = lowered(ONE.format("{ if (x[3 * i] < 0.0f) break; y[i] = x[3 * i]; }"))
    assert "simd" not in text


def test_functions_with_effects_are_not_marked() -> None:
    effect = "static int calls; static float g(float v) { calls++; return v; }\n"
    value = "static float g(float v) { return v > 0.0f ? v : 0.5f * v; }\n"
    assert "simd" not in lowered(effect + ONE.format("y[i] = g(x[i]);"))[0]
    assert "simd" in lowered(value + ONE.format("y[2 * i] = g(x[i]);"))[0]


def test_short_loops_do_not_count() -> None:
    text, found = lowered(ONE.replace("i < n", "i < 8").format("y[i] = atanhf(x[i]);"))
    assert "simd" not in text
    assert found.loops == (0, 0)


def test_a_maximum_in_strides_starts_anew_so_that_no_number_is_forgotten() -> None:
    text, _ = lowered(
        "void f(const float *x, float *y, int n) { float s = y[0];"
        " for (int i = 0; i < n; i++) if (x[2 * i] > s) s = x[2 * i]; y[0] = s; }"
    )
    assert "float s_max = -INFINITY;" in text
    assert "reduction(max:s_max)" in text
    assert "s = s_max > s ? s_max : s;" in text


def test_an_extreme_by_a_branch_is_one_by_an_instruction() -> None:
    body = "{ if (x[i] > s) s = x[i]; } y[0] = s;"
    assert "_mm512_mask_max_ps" in lowered(SUM.format(body))[0]


def test_the_place_of_a_maximum_beside_others_is_not_marked() -> None:
    body = "{ if (x[i] > s) { s = x[i]; k = i; } s += 1.0f; } y[0] = s + k;"
    assert (
        "simd"
        not in lowered(SUM.replace("float s = 0;", "float s = 0; int k = 0;").format(body))[0]
    )


def test_bits_are_joined_by_their_operator() -> None:
    text, _ = lowered(
        "void f(const int *x, unsigned *y, int n) { unsigned s = 0;"
        " for (int i = 0; i < n; i++) if (x[3 * i] > 0) s |= 1u << (i & 31); y[0] = s; }"
    )
    assert "reduction(|:s)" in text


LANES = (
    "void f(const float *x, float *y, int n) {{ float s[300];"
    " for (int i = 0; i < 300; i++) s[i] = x[3 * i];"
    " for (int i = 0; i < 300; i++) {} }}"
)


def test_what_one_iteration_alone_writes_is_no_obstacle() -> None:
    for test in ("i == 0", "i + n == 7"):
        body = f"{{ s[i] = tanhf(s[i]); if ({test}) y[n] = s[i]; }}"
        assert lowered(LANES.format(body))[1].loops == (2, 2), test


def test_what_several_iterations_write_is_an_obstacle() -> None:
    for body in (
        "{ s[i] = tanhf(s[i]); if (i / 2 == 0) y[n] = s[i]; }",
        "{ s[i] = tanhf(y[n]); if (i == 0) y[n] = s[i]; }",
        "{ s[i] = tanhf(s[i]); if (i == 0) y[n] = s[i]; if (i == 1) y[n] = 2.0f; }",
    ):
        assert lowered(LANES.format(body))[1].loops == (1, 2), body


def test_a_pointer_into_the_same_array_is_an_obstacle() -> None:
    body = "{ s[i] = tanhf(p[0]); if (i == 0) y[n] = s[i]; }"
    text = LANES.replace("float s[300];", "float s[300]; const float *p = y + n;").format(body)
    assert lowered(text)[1].loops == (1, 2)


def test_a_guarded_maximum_is_one_of_lanes() -> None:
    body = "{ if (x[2 * i] < 9.0f && x[2 * i] > s) s = x[2 * i]; } y[0] = s;"
    assert "simd reduction(max:s_max)" in lowered(SUM.format(body))[0]


def test_a_tail_beside_the_groups_that_it_follows_is_marked() -> None:
    body = (
        "void f(float *y, int n, int g) {{ for (int b = 0; b < g; b++)"
        " for (int t = 0; t < 128; t++) {{ if (128 * b + t < n / 4) {{"
        " y[512 * b + 4 * t + 1] = 1; y[512 * b + 4 * t] = 2; }}"
        " if (b == 0 && t < n % 4) {{ y[n - {} - t] = 0; }} }} }}"
    )
    assert lowered(body.format(1))[1].loops == (1, 1)
    assert lowered(body.format(4))[1].loops == (0, 1)


def test_fused_products_of_halves_stay_plain() -> None:
    i, y = e.Var("i", I32), e.Var("y", Pointer(F16))
    x = e.Index(e.Var("x", Pointer(F16, const=True)), i, F16)
    place = e.Index(y, e.Binary("*", i, e.Const(2, I32), I32), F16)

    def marked(value: e.Expr) -> bool:
        store = s.Assign(place, value)
        loop = s.For(i, e.Const(0, I32), e.Var("n", I32), e.Const(1, I32), (store,))
        return Marker(frozenset(), {"i", "x", "y", "n"}).mark(loop, Facts()) is not None

    assert marked(e.Binary("*", x, x, F16))
    assert not marked(e.Call("fma", (x, x, place), F16))
