"""Statements, declarations and whole files: what the text looks like."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from c_compilers import complaints
from ir_shorthand import IN, OUT, at, function, loop, num, op, put, var

from xpiler import backend
from xpiler.diagnostics import XpilerError
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Global, Macro, Program, StructDef
from xpiler.ir.types import (
    BF16,
    BOOL,
    F16,
    F32,
    I8,
    I32,
    I64,
    U8,
    U32,
    U64,
    Array,
    Fragment,
    Opaque,
    Pointer,
    Struct,
    Vector,
)  # fmt: skip

N, X, Y, X0 = var("n"), var("x", IN), var("y", OUT), num(0)
C = backend.load("c")


def text(*functions: Function, **more: object) -> str:
    return backend.write(Program(functions, **more), C)  # type: ignore[arg-type]


def body(*statements: s.Stmt, params: tuple[e.Var, ...] = (X, Y, N)) -> str:
    """The lines between a function's braces, without the leave for unused parameters."""
    whole = text(function("f", params, *statements))
    inside = (
        whole.split("{\n", 1)[1]
        if "static" not in whole
        else whole.rsplit("void f(", 1)[1].split("{\n", 1)[1]
    )
    lines = [line for line in inside.splitlines()[:-1] if "(void)" not in line]
    return dedent("\n".join(lines))


def said(words: str) -> e.Text:
    return e.Text(words, Pointer(I8, True))


def lines(block: str) -> str:
    return dedent(block).strip("\n")


def test_a_whole_file_is_what_a_person_would_write(tmp_path: Path) -> None:
    r, m, total = var("r"), var("m", F32), var("total", F32)
    row = lambda base, j: at(base, op(op(r, "*", var("cols")), "+", j))  # noqa: E731
    j, k = var("j"), var("j.1")
    f = function(
        "softmax",
        (
            var("x", Pointer(F32, True, True)),
            var("y", Pointer(F32, False, True)),
            var("rows"),
            var("cols"),
        ),
        loop(
            "r",
            var("rows"),
            s.Decl(m, num(float("-inf"), F32), comments=("// the row's maximum",)),
            loop("j", var("cols"), put(m, e.Call("max", (m, row(X, j)), F32))),
            s.Decl(total),
            put(total, num(0.0, F32)),
            s.For(k, num(0), var("cols"), num(1), (
                put(row(Y, k), e.Call("exp", (op(row(X, k), "-", m),), F32)),
                put(total, row(Y, k), "+"),
            )),
            put(at(Y, var("r")), total),
            kind="parallel",
        ),
        s.Return(),
    )  # fmt: skip
    got = backend.write(Program((f,)), C, ["Translated from softmax.cu (CUDA C) by Xpiler."])
    assert (
        got
        == lines("""
        // Translated from softmax.cu (CUDA C) by Xpiler.

        #include <math.h>

        #ifndef _OPENMP
        #pragma GCC diagnostic ignored "-Wunknown-pragmas"
        #endif

        void softmax(const float *restrict x, float *restrict y, int rows, int cols)
        {
            #pragma omp parallel for
            for (int r = 0; r < rows; r++) {
                // the row's maximum
                float m = -INFINITY;
                for (int j = 0; j < cols; j++) {
                    m = fmaxf(m, x[r * cols + j]);
                }
                float total = 0.0f;
                for (int j = 0; j < cols; j++) {
                    y[r * cols + j] = expf(x[r * cols + j] - m);
                    total += y[r * cols + j];
                }
                y[r] = total;
            }
        }
        """)
        + "\n"
    )
    assert complaints(got, tmp_path) == ""


def test_a_loop_with_init_and_step_is_a_for() -> None:
    t = var("t")
    w = s.While(op(t, ">", num(0)), (put(at(Y, t), num(0.0, F32)),), (put(t, num(1), ">>"),))
    got = body(s.Scope((s.Decl(t, op(N, "/", num(2))), w)))
    assert got == "for (int t = n / 2; t > 0; t >>= 1) {\n    y[t] = 0.0f;\n}"


def test_do_while_break_and_continue() -> None:
    k = var("k")
    inner = s.If(op(k, "==", num(3)), (s.Break(),), (s.If(op(k, "<", num(2)), (s.Continue(),)),))
    got = body(s.Decl(k, N), s.While(e.Cast(k, BOOL), (put(k, num(1), "-"), inner), do=True))
    assert got == lines("""
        int k = n;
        do {
            k--;
            if (k == 3) {
                break;
            } else if (k < 2) {
                continue;
            }
        } while (k);""")


def test_switch_arms_with_declarations_get_braces() -> None:
    t = var("t")
    cases = (
        s.Case(
            (0, 1),
            (
                s.Decl(t, op(N, "*", num(2))),
                put(at(Y, t), num(1.0, F32)),
                put(at(Y, op(t, "+", num(1))), num(1.0, F32)),
            ),
        ),
        s.Case((), (s.Return(),)),
    )
    assert body(s.Switch(N, cases)) == lines("""
        switch (n) {
        case 0:
        case 1: {
            int t = n * 2;
            y[t] = 1.0f;
            y[t + 1] = 1.0f;
            break;
        }
        default:
            return;
        }""")


@pytest.mark.parametrize(
    ("n", "want"),
    [
        (op(op(N, "+", num(1)), "*", num(2)), "(n + 1) * 2"),
        (op(N, "-", op(N, "-", num(1))), "n - (n - 1)"),
        (op(op(N, "&", num(3)), "|", num(4)), "(n & 3) | 4"),
        (op(N, "+", num(-1)), "n - 1"),
        (e.Cast(op(N, "<", num(3)), I32), "n < 3"),
        (e.Cast(e.Cast(N, I64), I32), "n"),
        (op(N, "*", e.Select(op(N, ">", num(0)), N, num(1), I32)), "n * (n > 0 ? n : 1)"),
        (e.Cast(op(e.Cast(N, F32), "*", num(0.5, F32)), I32), "(int)(n * 0.5f)"),
        (e.Call("floor_to_int", (num(0.5, F32),), I32), "saturate_to_int(floorf(0.5f))"),
        (e.Cast(op(e.Cast(N, I64), "*", e.Cast(N, I64)), I32), "(int64_t)n * n"),
        (e.Unary("-", e.Unary("-", N, I32), I32), "-(-n)"),
    ],
)  # fmt: skip
def test_expressions_have_few_parentheses_and_casts(n: e.Expr, want: str) -> None:
    k = var("k", Pointer(I32))
    assert body(put(at(k, N), n), params=(k, N)) == f"k[n] = {want};"


@pytest.mark.parametrize(
    ("n", "want"),
    [
        (op(var("u", U32), "<", e.Cast(N, U32)), "u < (unsigned)n"),
        (op(var("u", U32), "<", num(3, U32)), "u < 3"),
        (op(e.Cast(var("b", U8), I32), "<", N), "b < n"),
        (op(var("u", U32), ">=", num(0, U32)), "true"),
        (op(op(N, "<", num(1)), "&&", e.Unary("!", op(N, "==", X0), BOOL)), "n < 1 && !(n == 0)"),
        (e.Cast(op(N, "&", num(1)), BOOL), "(n & 1) != 0"),
        (e.Call("isnan", (e.Cast(var("h", F16), F32),), BOOL), "isnan((float)h)"),
    ],
)  # fmt: skip
def test_conditions(n: e.Expr, want: str, tmp_path: Path) -> None:
    params = (Y, N, var("u", U32), var("b", U8), var("h", F16))
    assert body(s.If(n, (put(at(Y, num(0)), num(1.0, F32)),)), params=params).startswith(
        f"if ({want})"
    )
    whole = text(function("f", params, s.If(n, (put(at(Y, num(0)), num(1.0, F32)),))))
    assert complaints(whole, tmp_path) == ""


def test_names_hide_nothing_and_keep_clear_of_c(tmp_path: Path) -> None:
    inner = loop("i.1", N, loop("i.2", N, put(at(Y, var("i.2")), at(X, var("i.1")))))
    params = (X, Y, N, var("exp", F32), var("I", F32), var("int", F32), var("gamma", F32))
    whole = text(
        function(
            "index",
            params,
            loop("i", N, put(at(Y, var("i")), e.Call("exp", (var("exp", F32),), F32))),
            inner,
        ),
    )
    assert "int n, float exp_, float I_, float int_," in whole
    assert "float gamma)" in whole
    assert "expf(exp_)" in whole
    assert "for (int i = 0; i < n; i++) {\n        for (int i2 = 0; i2 < n; i2++) {" in whole
    assert complaints(whole, tmp_path) == ""


def test_a_function_that_c_reserves_is_renamed_and_told() -> None:
    written = backend.write_unit(
        Program((function("sin", (Y,), role="kernel"), function("y1", (Y,)))), C
    )
    assert written.names == {"sin": "sin_kernel", "y1": "y1"}
    assert [(d.code, d.severity) for d in written.diagnostics] == [("XP0611", "warning")]


def test_unused_things_draw_no_warning(tmp_path: Path) -> None:
    dead = var("dead", F32)
    g = (
        Global(var("table", Array(F32, 3)), None, "constant"),
        Global(var("used", U32), None, "global"),
    )
    whole = text(
        function(
            "f",
            (X, Y, N),
            s.Decl(dead, num(1.0, F32)),
            put(dead, num(2.0, F32)),
            put(at(Y, num(0)), e.Cast(var("used", U32), F32)),
        ),
        function("spare", (N,), role="device"),
        globals=g,
        macros=(Macro("UNUSED", "3"),),
    )
    assert "dead" not in whole
    assert "table" not in whole
    assert "UNUSED" not in whole
    assert complaints(whole, tmp_path) == ""


def test_large_arrays_live_on_the_heap_and_are_always_freed(tmp_path: Path) -> None:
    big = var("big", Array(Array(F32, 512), 512))
    whole = text(
        function(
            "f", (X, Y, N),
            s.Decl(big),
            loop("i", N, put(at(at(big, num(0)), var("i")), at(X, var("i")))),
            s.If(op(N, ">", num(5)), (s.Return(at(at(big, num(0)), N)),)),
            put(at(Y, num(0)), at(at(big, num(0)), N)),
            s.Return(num(0.0, F32)),
            ret=F32,
        ),
    )  # fmt: skip
    assert "float (*big)[512] = malloc(512 * sizeof *big);" in whole
    assert "float result = big[0][n];\n        free(big);\n        return result;" in whole
    assert "free(big);\n    return 0.0f;" in whole
    assert complaints(whole, tmp_path) == ""


def test_parallel_loops_share_nothing_or_stay_serial() -> None:
    total = var("total", F32)
    tile = loop(
        "a", N, loop("b", N, put(at(Y, var("b")), num(0.0, F32)), kind="parallel"), kind="parallel"
    )
    assert "#pragma omp parallel for collapse(2)\nfor (int a" in body(tile)
    summing = (
        s.Decl(total, num(0.0, F32)),
        loop("i", N, put(total, at(X, var("i")), "+"), kind="parallel"),
    )
    assert "omp" not in body(*summing, put(at(Y, num(0)), total))


def test_host_calls_become_the_c_library_s(tmp_path: Path) -> None:
    d, bytes_ = var("d", OUT), op(e.Cast(N, U64), "*", num(4, U64))
    whole = text(
        function(
            "wrapper", (X, Y, N, var("stream", Opaque("stream"))),
            s.Decl(d),
            s.Instr("host.alloc", (d,), (bytes_,)),
            s.Instr("host.copy", (), (d, X, bytes_), (("kind", "h2d"),)),
            s.Instr("host.sync"),
            s.Instr("print", (), (said("%d %ld %s\\n"), N, bytes_, said("a"))),
            s.Instr("assert", (), (op(N, ">", num(0)),)),
            s.Instr("host.copy", (), (Y, d, bytes_)),
            s.Instr("host.free", (), (d,)),
            s.LeftOut("cudaGraphLaunch(g);", "XP0207"),
        ),
    )  # fmt: skip
    for line in (
        "float *d = malloc(n * sizeof(float));",
        "memcpy(d, x, n * sizeof(float));",
        'printf("%d %lld %s\\n", n, (long long)((uint64_t)n * 4), "a");',
        "assert(n > 0);",
        "/* XP0207: not translated: cudaGraphLaunch(g); */",
    ):
        assert f"    {line}\n" in whole
    assert complaints(whole, tmp_path) == ""


def test_structs_globals_macros_and_recursion_order(tmp_path: Path) -> None:
    p = var("p", Struct("Params"))
    call = e.Call("helper", (e.Field(p, "n", I32),), I32)
    whole = text(
        function(
            "kernel",
            (p, Y),
            loop("i", num(9, I32, "TAPS"), put(at(Y, var("i")), at(var("w", Array(F32, 9)), call))),
        ),
        function("helper", (N,), s.Return(op(N, "+", num(1))), ret=I32, role="device"),
        structs=(StructDef("Params", (("n", I32), ("dims", Array(I64, 3)))),),
        globals=(
            Global(
                var("w", Array(F32, 9)), e.Aggregate((num(1.0, F32),), Array(F32, 9)), "constant"
            ),
        ),
        macros=(Macro("TAPS", "9", ("// taps of the filter",)),),
    )
    assert "// taps of the filter\n#define TAPS 9\n" in whole
    assert "static float w[9] = {1.0f};" in whole
    assert whole.index("static int helper(int n)") < whole.index("void kernel(Params p, float *y)")
    assert complaints(whole, tmp_path) == ""


def test_vectors_are_small_structs(tmp_path: Path) -> None:
    f4, h2 = Vector(F32, 4), Vector(F16, 2)
    p, q, v = var("p", Pointer(f4)), var("q", Pointer(h2)), var("v", f4)
    whole = text(
        function(
            "f", (p, q, N),
            s.Decl(v, at(p, N)),
            put(e.Index(v, op(N, "&", num(3)), F32), num(1.0, F32)),
            put(at(p, num(0)), e.Binary("+", v, e.Aggregate((num(1.0, F32),), f4), f4)),
            put(at(q, N), e.Call("fma", (at(q, N), at(q, N), e.Bits(N, h2)), h2)),
        ),
    )  # fmt: skip
    assert (
        "typedef union { struct { float x, y, z, w; }; _Alignas(16) float s[4]; } float4;" in whole
    )
    assert "v.s[n & 3] = 1.0f;" in whole
    assert "p[0] = add_float4(v, make_float4(1.0f, 0.0f, 0.0f, 0.0f));" in whole
    assert complaints(whole, tmp_path) == ""


def test_bf16_rounds_after_each_operation(tmp_path: Path) -> None:
    b = var("b", Pointer(BF16))
    value = op(op(at(b, N), "*", at(b, N)), "+", num(1.5, BF16))
    got = " ".join(body(put(at(b, N), value), params=(b, N)).split())
    product = "bf16_from_float(bf16_to_float(b[n]) * bf16_to_float(b[n]))"
    assert got == f"b[n] = bf16_from_float(bf16_to_float({product}) + 1.5f);"


def test_a_bf16_that_is_added_to_a_float_is_widened() -> None:
    b, grown = at(var("b", Pointer(BF16)), N), var("grown", F32)
    grows = (s.Decl(grown, X0), put(grown, e.Cast(b, F32), "+"), put(at(Y, N), grown))
    assert "grown += bf16_to_float(b[n]);" in body(*grows, params=(var("b", Pointer(BF16)), Y, N))


def test_one_of_two_strings_and_a_line_of_either_type_of_text(tmp_path: Path) -> None:
    words = Pointer(I8, True)
    either = e.Select(op(N, ">", num(0)), said("100%"), said("none"), words)
    kept = var("kept", Array(I8, 3))
    made = function(
        "f", (N,), s.Decl(kept, said("hi")), s.Instr("print", (), (either,), (("newline", 1),)),
        s.Instr("print", (), (said("%s\\n"), kept)),
    )  # fmt: skip
    whole = text(made)
    assert 'printf("%s\\n", n > 0 ? "100%" : "none");' in whole
    assert 'int8_t kept[3] = "hi";' in whole
    assert complaints(whole, tmp_path) == ""
    assert '? (const int8_t *)"100%" : ' in backend.write(Program((made,)), backend.load("bang"))


def test_memory_of_another_type_is_read_under_an_alias(tmp_path: Path) -> None:
    p = var("p", Pointer(I32))
    whole = text(
        function(
            "f",
            (Y, N),
            s.Decl(p, e.Cast(Y, Pointer(I32))),
            put(at(p, N), num(0)),
            put(at(Y, num(0)), e.Cast(at(p, N), F32)),
        )
    )
    assert "int_alias *p = (int_alias *)y;" in whole
    assert complaints(whole, tmp_path, "-O2") == ""


def test_long_lines_are_broken() -> None:
    many = e.Call("helper", tuple(op(N, "*", num(1000 + k)) for k in range(12)), I32)
    helper = function(
        "helper", tuple(var(f"parameter_{k}") for k in range(12)), s.Return(num(0)), ret=I32
    )
    whole = text(helper, function("f", (N,), s.Return(many), ret=I32))
    assert max(map(len, whole.splitlines())) <= 100


def test_what_has_no_words_is_told() -> None:
    for statement in (s.Barrier(), s.Instr("warp.ballot"), s.Decl(var("a", Array(F32, None)))):
        with pytest.raises(XpilerError) as told:
            text(
                function(
                    "f",
                    (N,),
                    statement,
                    *(
                        (
                            put(at(var("a", Array(F32, None)), N), num(0.0, F32)),
                            put(at(Y, N), at(var("a", Array(F32, None)), N)),
                        )
                        if isinstance(statement, s.Decl)
                        else ()
                    ),
                )
            )
        assert told.value.diagnostics[0].code == "XP0610"


def test_a_type_that_the_platform_lacks_cannot_be_written() -> None:
    tile = var("tile", Fragment("acc", 16, 16, 16, F32))
    with pytest.raises(XpilerError) as told:
        text(function("f", (N,), s.Assign(tile, tile)), globals=(Global(tile, None, "device"),))
    assert [d.code for d in told.value.diagnostics] == ["XP0610"]


def test_signature_gives_c_types_and_names() -> None:
    f = function("f", (X, var("h", Pointer(F16)), var("n", I64)))
    assert backend.signature(f, C) == [
        ("const float *", "x"),
        ("_Float16 *", "h"),
        ("int64_t", "n"),
    ]


def test_a_step_that_is_no_expression_follows_the_body(tmp_path: Path) -> None:
    k = var("k")
    skip = s.If(op(k, "==", num(2)), (s.Continue(),))
    step = (s.If(op(k, ">", num(9)), (put(k, num(2), "-"),), (put(k, num(1), "-"),)),)
    f = (s.Decl(k, N), s.While(op(k, ">", num(0)), (skip, put(at(Y, k), num(0.0, F32))), step))
    got = body(*f)
    assert "goto next;" in got
    assert "    next:;\n    if (k > 9) {" in got
    assert complaints(text(function("f", (Y, N), *f)), tmp_path) == ""


def test_the_largest_float_is_written() -> None:
    assert body(put(at(Y, N), num(-3.4028234663852886e38, F32))) == "y[n] = -3.4028235e38f;"


def test_idle_scopes_are_opened_and_counters_join_their_loop() -> None:
    m, t = var("m"), var("t", F32)
    inside = (
        s.Decl(m, num(1)),
        s.Decl(t, at(X, num(0))),
        s.While(op(m, "<", N), (put(at(Y, m), t),), (put(m, num(1), "<<"),)),
    )
    assert body(s.Scope(inside)) == lines("""
        float t = x[0];
        for (int m = 1; m < n; m <<= 1) {
            y[m] = t;
        }""")
    clash = s.Scope((s.Decl(var("t.1", F32), num(0.0, F32)), put(at(Y, num(0)), var("t.1", F32))))
    assert body(s.Decl(t, at(X, N)), clash, put(at(Y, N), t)).count("{") == 1


def test_an_integer_that_meets_a_half_is_rounded_first() -> None:
    h = at(var("h", Pointer(F16)), N)
    assert body(put(h, e.Cast(N, F16), "*"), params=(var("h", Pointer(F16)), N)) == (
        "h[n] *= (_Float16)n;"
    )


def test_a_sum_that_nobody_asks_for_is_not_in_a_directive() -> None:
    gone, i = e.Var("gone", F32), var("i")
    sums = s.For(
        i, num(0), N, num(1), (put(at(Y, i), at(X, i)),), "vectorised", reductions=(("+", gone),)
    )
    found = text(function("f", (X, Y, N), sums))
    assert "simd" in found
    assert "reduction" not in found
