"""Ranges and proofs about integer expressions, checked against brute force."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xpiler.analysis.affine import to_expr
from xpiler.analysis.poly import Poly, atom, constant
from xpiler.analysis.ranges import Facts, type_range
from xpiler.ir import expr as e
from xpiler.ir.text import show
from xpiler.ir.types import BOOL, I32, U32, Scalar

N, ROW, COL = e.Var("n", I32), e.Var("i", I32), e.Var("j", I32)


def c(value: int, t: Scalar = I32) -> e.Const:
    return e.Const(value, t)


def op(o: e.BinaryOp, a: e.Expr, b: e.Expr | int) -> e.Binary:
    right = c(b, a.type) if isinstance(b, int) else b  # type: ignore[arg-type]
    return e.Binary(o, a, right, BOOL if o in e.COMPARISONS else a.type)


def ceil_div(x: e.Expr, d: int) -> e.Expr:
    return op("/", op("+", x, d - 1), d)


def test_ceil_division_covers() -> None:
    facts = Facts()
    whole = op("*", ceil_div(N, 256), 256)
    assert facts.nonneg(facts.poly(whole) - facts.poly(N))
    assert not facts.nonneg(facts.poly(N) - facts.poly(whole))


def test_floor_division_may_not_cover() -> None:
    facts = Facts()
    whole = op("*", op("/", N, 256), 256)
    assert not facts.nonneg(facts.poly(whole) - facts.poly(N))


def test_mixed_radix_is_undone() -> None:
    facts = Facts().with_loop(ROW, c(0), N).with_loop(COL, c(0), c(16))
    x = op("+", op("*", ROW, 16), COL)
    assert show(to_expr(facts, facts.poly(op("/", x, 16)), I32) or c(-1)) == "i"
    assert show(to_expr(facts, facts.poly(op("%", x, 16)), I32) or c(-1)) == "j"


def test_digit_that_is_too_large_stays() -> None:
    facts = Facts().with_loop(ROW, c(0), N).with_loop(COL, c(0), c(17))
    x = op("+", op("*", ROW, 16), COL)
    assert facts.poly(op("/", x, 16)) != facts.poly(ROW)


def test_division_truncates_towards_zero() -> None:
    facts = Facts()
    x = op("-", op("*", ROW, 4), 1)  # may be negative: (4i - 1) / 4 is not i - 1 for i <= 0
    assert facts.poly(op("/", x, 4)) != facts.poly(op("-", ROW, 1))


def test_unsigned_sums_may_wrap() -> None:
    facts = Facts()
    u, v = e.Var("u", U32), e.Var("v", U32)
    assert not facts.nonneg(facts.poly(op("+", u, v)) - facts.poly(u))
    small = facts.with_fact(100 - facts.poly(u)).with_fact(100 - facts.poly(v))
    assert small.nonneg(small.poly(op("+", u, v)) - small.poly(u))


def test_casts_to_unsigned_need_a_sign() -> None:
    facts = Facts()
    cast = e.Cast(N, U32)
    assert facts.poly(cast) != facts.poly(N)
    known = facts.with_cond(op(">=", N, 0))
    assert known.poly(cast) == known.poly(N)


def test_nothing_is_remembered_of_variables_that_change() -> None:
    facts = Facts(mutable=frozenset(("n",))).with_cond(op(">", N, 7))
    assert facts.decide(op(">", N, 5)) is None


def test_assumptions_are_recorded_and_withdrawn() -> None:
    facts = Facts()
    mark = facts.mark()
    assert facts.assume("n is not negative", facts.poly(N))
    assert facts.nonneg(facts.poly(N))
    assert facts.ledger.sentences == ["n is not negative"]
    facts.forget(mark)
    assert facts.ledger.sentences == []
    assert facts.assumed == []


def test_nothing_is_assumed_where_that_is_forbidden() -> None:
    facts = Facts()
    facts.ledger.allowed = False
    assert not facts.assume("n is not negative", facts.poly(N))
    assert not facts.nonneg(facts.poly(N))


@pytest.mark.parametrize(
    ("cond", "want"),
    [
        (op("<", ROW, N), True),
        (op(">=", ROW, 0), True),
        (op("==", op("%", op("*", ROW, 2), 2), 0), True),
        (op(">", ROW, N), False),
        (op("<", ROW, op("-", N, 1)), None),
    ],
)
def test_conditions_are_decided(cond: e.Expr, want: bool | None) -> None:
    assert Facts().with_loop(ROW, c(0), N).decide(cond) is want


# -- against brute force --------------------------------------------------------------------

LEAVES = st.sampled_from(["n", "i", "j", "k"])


@st.composite
def exprs(draw: st.DrawFn, depth: int = 3) -> e.Expr:
    if depth == 0 or draw(st.booleans()):
        name = draw(LEAVES)
        return c(draw(st.integers(-5, 9))) if name == "k" else e.Var(name, I32)
    o = draw(st.sampled_from(["+", "-", "*", "/", "%", "max", "min"]))
    a = draw(exprs(depth=depth - 1))
    if o in ("/", "%"):
        return op(o, a, draw(st.integers(1, 6)))
    b = draw(exprs(depth=depth - 1))
    return e.Call(o, (a, b), I32) if o in ("max", "min") else op(o, a, b)


def value(x: e.Expr, env: dict[str, int]) -> int:
    if isinstance(x, e.Const):
        return int(x.value)
    if isinstance(x, e.Var):
        return env[x.name]
    if isinstance(x, e.Call):
        return (max if x.func == "max" else min)(value(a, env) for a in x.args)
    if isinstance(x, e.Unary):
        return -value(x.x, env)
    assert isinstance(x, e.Binary)
    a, b = value(x.a, env), value(x.b, env)
    if x.op in ("/", "%"):
        q = abs(a) // b * (1 if a >= 0 else -1)
        return q if x.op == "/" else a - q * b
    return {"+": a + b, "-": a - b, "*": a * b}[x.op]


POINTS = [
    {"n": n, "i": i, "j": j}
    for n, i, j in itertools.product((1, 2, 3, 5, 8), range(8), range(4))
    if i < n
]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(exprs(), exprs())
def test_what_is_proved_holds(x: e.Expr, y: e.Expr) -> None:
    facts = Facts().with_loop(ROW, c(0), N).with_loop(COL, c(0), c(4))
    d = facts.poly(x) - facts.poly(y)
    if facts.nonneg(d):
        assert all(value(x, p) >= value(y, p) for p in POINTS)
    lo, hi = facts.interval(facts.poly(x))
    assert all(lo <= value(x, p) <= hi for p in POINTS)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(exprs())
def test_rebuilt_expressions_have_the_same_value(x: e.Expr) -> None:
    facts = Facts().with_loop(ROW, c(0), N).with_loop(COL, c(0), c(4)).with_fact(100 - atom("n"))
    new = to_expr(facts, facts.poly(x), I32)
    if new is not None:
        assert all(value(new, p) == value(x, p) for p in POINTS)


def test_polynomials() -> None:
    p = (atom("x") + 2) * (atom("y") - 3)
    assert str(p - p) == "0"
    assert p.substitute({"x": constant(1), "y": constant(4)}).constant == 3
    assert p.divided_by(atom("y"))[0] == atom("x") + 2
    assert (p * 6).divided_by(constant(3)) == (p * 2, Poly({}))


def test_what_is_at_most_a_minimum_is_at_most_its_values() -> None:
    facts = Facts().with_loop(ROW, c(0), N)
    rest = op("-", N, ROW)
    rows = e.Select(op("<", rest, 4), rest, c(4), I32)
    whole = facts.with_fact(facts.poly(rows) - 4)
    assert whole.nonneg(whole.poly(rest) - 4)
    assert not facts.nonneg(facts.poly(rest) - 4)
    largest = e.Select(op(">", rest, 4), rest, c(4), I32)
    assert not facts.with_fact(facts.poly(largest) - 5).nonneg(constant(-1))
    below = facts.with_fact(constant(9) - facts.poly(largest))
    assert below.nonneg(constant(9) - below.poly(rest))


def test_type_ranges() -> None:
    assert type_range(I32) == (-(2**31), 2**31 - 1)
    assert type_range(U32) == (0, 2**32 - 1)
    assert type_range(Scalar("f32")) is None


def test_a_choice_by_comparison_is_the_smaller_value() -> None:
    facts = Facts().with_loop(ROW, c(0), N)
    left = op("-", N, ROW)
    for cond in (op("<", left, 40), op(">=", c(40), left)):
        m = facts.poly(e.Select(cond, left, c(40), I32))
        assert facts.nonneg(facts.poly(left) - m)
        assert facts.nonneg(constant(40) - m)
        assert facts.nonneg(m - 1)  # in both cases
        assert not facts.nonneg(m - 2)
    larger = facts.poly(e.Select(op("<", left, 40), c(40), left, I32))
    assert facts.nonneg(larger - 40)
    assert not facts.nonneg(constant(41) - larger)


@pytest.mark.parametrize("known", [True, False])
def test_an_unsigned_comparison_says_the_sign(known: bool) -> None:
    facts = Facts().with_cond(op(">=", N, 0)) if known else Facts()
    inside = facts.with_cond(op("<", e.Cast(ROW, U32), e.Cast(N, U32)))
    assert inside.nonneg(inside.poly(ROW)) is known
    assert inside.nonneg(inside.poly(N) - inside.poly(ROW) - 1) is known


def test_a_product_is_divided_by_its_factor_whatever_its_sign() -> None:
    facts = Facts()
    product = op("*", N, COL)
    assert facts.poly(op("/", product, COL)) == facts.poly(N)
    assert facts.poly(op("%", product, COL)) == constant(0)
    other = op("+", product, 1)
    assert facts.poly(op("/", other, COL)) != facts.poly(N)
    n, j = (e.Var(v.name, U32) for v in (N, COL))  # the product may have wrapped around
    assert facts.poly(op("/", op("*", n, j), j)) != facts.poly(n)
