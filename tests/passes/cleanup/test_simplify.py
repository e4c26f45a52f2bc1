"""Single rewrites of `simplify`: what changes, and what must not."""

from __future__ import annotations

import build as b
import pytest

from xpiler.analysis.ranges import Facts
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.text import show, show_body
from xpiler.ir.types import BOOL, F32, I32, I64, U32, Array, Vector
from xpiler.passes.cleanup import clean_up
from xpiler.passes.cleanup.simplify import simplify

IDX, X, U = b.var("i"), b.var("x", F32), b.var("u", U32)
TILE = e.Const(16, I32, "TILE")


def f32(value: float) -> e.Const:
    return e.Const(value, F32)


CASES: list[tuple[e.Expr, str]] = [
    (b.add(b.c(2), b.c(3)), "5"),
    (b.op("/", b.c(-7), b.c(2)), "-3"),
    (b.op("%", b.c(-7), b.c(2)), "-1"),
    (b.add(b.c(2**31 - 1), b.c(1)), "(2147483647 + 1)"),
    (b.op("-", b.c(1, U32), b.c(2, U32)), "4294967295"),
    (b.op("-", b.add(U, b.c(3, U32)), b.c(3, U32)), "u"),
    (b.op("-", b.add(U, b.c(3, U32)), b.c(5, U32)), "(u - 2)"),
    (b.mul(IDX, b.c(1)), "i"),
    (b.mul(IDX, b.c(0)), "0"),
    (b.op("-", b.add(IDX, 5), 5), "i"),
    (b.mul(TILE, b.c(2)), "(TILE * 2)"),
    (b.op("/", b.c(1), b.c(0)), "(1 / 0)"),
    (b.op("==", e.Cast(b.lt(IDX, 3), I32), 0), "(i >= 3)"),
    (e.Cast(e.Cast(IDX, I64), I32), "i"),
    (
        e.Select(b.lt(X, f32(0)), e.Select(b.lt(X, f32(0)), X, f32(1), F32), f32(2), F32),
        "((x < 0) ? x : 2)",
    ),
    (e.Cast(U, I32), "i32(u)"),
    (b.lt(b.u32(IDX), b.u32(b.N)), "(u32(i) < u32(n))"),
    (b.mul(X, f32(1.0)), "x"),
    (b.add(X, f32(0.0)), "(x + 0.0)"),
    (b.mul(X, f32(0.0)), "(x * 0.0)"),
    (b.op("-", X, X), "(x - x)"),
    (e.Unary("!", b.lt(X, f32(1.0)), BOOL), "!(x < 1.0)"),
    (b.both(b.lt(IDX, 3), e.Const(True, BOOL)), "(i < 3)"),
    (b.choose(b.lt(IDX, IDX), X), "0.0"),
    (b.at(e.Binary("+", b.A, IDX, b.A.type), b.c(0)), "a[i]"),
]


@pytest.mark.parametrize(("x", "want"), CASES, ids=[w for _, w in CASES])
def test_expression(x: e.Expr, want: str) -> None:
    assert show(simplify(x, Facts())) == want


def test_casts_go_where_ranges_allow() -> None:
    facts = Facts().with_loop(IDX, b.c(0), b.N)
    facts = facts.with_cond(b.op(">=", b.M, 0))
    assert show(simplify(b.lt(b.u32(IDX), b.u32(b.M)), facts)) == "(i < m)"
    inner = b.i32(b.add(b.mul(b.u32(IDX), b.c(2, U32)), b.c(1, U32)))
    assert show(simplify(inner, facts)) == show(inner)  # 2 * i + 1 may wrap
    assert show(simplify(inner, facts.with_fact(1000 - facts.poly(b.N)))) == "((i * 2) + 1)"


def loop(v: e.Var, hi: e.Expr, step: int, *body: s.Stmt) -> s.For:
    return s.For(v, e.Const(0, v.type), hi, e.Const(step, v.type), body)


def cleaned(*body: s.Stmt) -> str:
    result = clean_up(b.function("f", (b.A, b.C, b.N, U), *body))
    assert result.failures == ()
    return show_body(result.program.functions[0].body)


def test_an_unsigned_loop_keeps_its_step() -> None:
    k = b.var("k", U32)
    text = cleaned(loop(k, b.c(64, U32), 8, b.put(b.at(b.C, b.i32(k)), b.ZERO)))
    assert "for k: i32 in [0, 64) step 8" in text


def test_nothing_is_assumed_about_a_loop_of_the_user() -> None:
    k = b.var("k", U32)
    body = loop(k, U, 8, b.put(b.at(b.C, b.i32(k)), b.ZERO))
    result = clean_up(b.function("f", (b.C, U), body))
    assert "for k: u32 in [0, u) step 8" in show_body(result.program.functions[0].body)
    assert result.assumptions == ()


def test_loops_that_run_once_or_never() -> None:
    once = b.serial(IDX, 1, b.put(b.at(b.C, IDX), b.ZERO))
    never = b.serial(b.var("j"), 0, b.put(b.at(b.C, b.var("j")), b.ZERO))
    assert cleaned(once, never) == "c[0] = 0.0\n"


def test_a_loop_that_may_be_left_early_stays() -> None:
    early = b.serial(IDX, 1, s.If(b.lt(b.N, 3), (s.Break(),)), b.put(b.at(b.C, IDX), b.ZERO))
    assert "break" in cleaned(early)


def test_a_pointer_that_leaves_its_row_moves_to_the_next() -> None:
    rows = e.Var("rows", Array(Array(F32, 16), 8))
    i, j, k = b.var("i"), b.var("j"), b.var("k")
    facts = Facts().with_loop(i, b.c(0), b.c(5)).with_loop(j, b.c(0), b.c(4))
    facts = facts.with_loop(k, b.c(0), b.c(16))
    first = e.address_of(b.at(rows, i, b.c(0)))
    over = e.Index(first, b.add(b.mul(j, 16), k), F32)
    assert show(simplify(over, facts)) == "rows[(i + j)][k]"
    inside = e.Index(first, k, F32)
    assert show(simplify(inside, facts)) == "rows[i][k]"
    unknown = e.Index(first, b.var("m"), F32)
    assert show(simplify(unknown, facts)) == show(unknown)


def test_a_store_through_a_pointer_that_was_kept_stays() -> None:
    kept = e.Var("kept", Array(b.OUT, 4))
    text = cleaned(
        s.Decl(kept),
        b.put(b.at(kept, b.N), b.C),
        b.put(b.at(kept, b.N, IDX), b.ZERO),
    )
    assert "kept[n][i] = 0.0" in text


@pytest.mark.parametrize(
    ("op", "value", "want"),
    [("<", 32, "< 1"), ("<", 33, "< 2"), (">=", 33, ">= 2"), ("<=", 33, "<= 1"), (">", 31, "> 0")],
)
def test_a_product_is_compared_without_its_factor(op: str, value: int, want: str) -> None:
    w = b.var("w", U32)
    facts = Facts().with_loop(w, b.c(0, U32), b.c(8, U32))
    product = b.mul(w, b.c(32, U32))
    assert show(simplify(b.op(op, product, value), facts)) == f"(w {want})"
    wraps = b.op(op, b.mul(U, b.c(32, U32)), value)
    assert show(simplify(wraps, facts)) == show(wraps)


def test_a_guard_by_a_variable_that_the_loop_leaves_alone_is_its_bound() -> None:
    w, t = b.var("w"), b.var("t")
    halve = s.Assign(w, b.op("/", w, 2))
    store = b.put(b.at(b.C, t), b.ZERO)

    def tree(*more: s.Stmt) -> str:
        guarded = s.If(b.lt(t, w), (store, *more))
        inner = loop(t, b.c(64), 1, guarded)
        return cleaned(s.Decl(w, b.c(32)), s.While(b.op(">", w, 0), (inner,), (halve,)))

    assert "for t: i32 in [0, w)" in tree()
    assert "for t: i32 in [0, 64)" in tree(halve)


def test_the_parts_of_a_fixed_vector_are_what_it_was_made_of() -> None:
    dims = e.Var("dims", Vector(U32, 3))
    made = s.Decl(dims, e.Aggregate((e.Cast(b.N, U32), U, b.c(1, U32)), dims.type))
    use = b.put(b.at(b.C, e.Field(dims, "y", U32)), b.ZERO)
    assert cleaned(made, use) == "c[u] = 0.0\n"
    change = s.Assign(e.Field(dims, "y", U32), b.c(7, U32))
    assert "c[dims.y]" in cleaned(made, change, use)


def test_what_can_have_one_value_only_is_it() -> None:
    facts = Facts().with_loop(IDX, b.c(0), b.c(8)).with_cond(b.lt(IDX, 1))
    assert show(simplify(b.mul(IDX, b.c(-32)), facts)) == "0"
    assert show(simplify(b.add(IDX, 5), facts)) == "5"
