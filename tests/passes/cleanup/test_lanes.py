"""What lanes do to each other: loops that meet group by group, copies that are not needed."""

from __future__ import annotations

import build as b
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interp import Ref, run

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.check import check
from xpiler.ir.text import show_body
from xpiler.ir.types import F32, Array
from xpiler.passes.cleanup import clean_up

V, X = e.Var("v", Array(F32, 8)), e.Var("x", Array(F32, 8))
STEP, LANE, K = b.var("o"), b.var("lane"), b.var("k")


def lanes(v: e.Var, *body: s.Stmt, count: int = 8) -> s.For:
    return s.For(v, b.c(0), b.c(count), b.c(1), body, "parallel")


def exchange(index: e.Expr, *more: s.Stmt, into: e.Expr | None = None) -> tuple[s.Stmt, ...]:
    copy = lanes(K, b.put(b.at(X, K), b.at(V, K)))
    return (copy, lanes(LANE, b.put(into or b.at(V, LANE), b.at(X, index), "+"), *more))


def cleaned(*body: s.Stmt) -> str:
    """The clean text of `body` between filling and writing out `v`; it must compute the same."""
    i, j = b.var("i"), b.var("j")
    read, write = (
        lanes(i, b.put(b.at(V, i), b.at(b.A, i))),
        lanes(j, b.put(b.at(b.C, j), b.at(V, j))),
    )
    program = b.function("f", (b.A, b.C), s.Decl(V), s.Decl(X), read, *body, write)
    result = clean_up(program, in_order=True)
    assert result.failures == ()
    assert check(result.program, sequential=True) == []
    outs = []
    for p in (program, result.program):
        out: list[float | None] = [None] * 8
        run(p, "f", [Ref([float(k * k) for k in range(8)]), Ref(out)])
        outs.append(out)
    assert outs[0] == outs[1]
    return show_body(result.program.functions[0].body)


def tree(*body: s.Stmt) -> s.Stmt:
    return s.While(b.op(">", STEP, 0), body, (s.Assign(STEP, b.op(">>", STEP, 1)),))


def down() -> e.Expr:
    there = b.add(LANE, STEP)
    return e.Select(b.lt(there, 8), there, LANE, there.type)


def test_reading_further_up_needs_no_copy() -> None:
    text = cleaned(s.Decl(STEP, b.c(4)), tree(*exchange(down())))
    assert "x[" not in text
    assert "v[lane] += v[(((lane + o) < 8) ? (lane + o) : lane)]" in text


@pytest.mark.parametrize(
    "body",
    [
        exchange(e.Select(b.op(">=", LANE, STEP), b.op("-", LANE, STEP), LANE, LANE.type)),
        exchange(down(), into=b.at(V, b.op("-", b.c(7), LANE))),
        (*exchange(down()), lanes(b.var("z"), b.put(b.at(V, b.var("z")), b.at(X, b.var("z"))))),
    ],
    ids=["below", "another place", "copy used again"],
)
def test_a_copy_that_is_needed_stays(body: tuple[s.Stmt, ...]) -> None:
    assert "x[" in cleaned(s.Decl(STEP, b.c(4)), tree(*body))


def test_an_element_that_was_just_written_is_not_read_instead() -> None:
    first = b.put(b.at(V, LANE), b.ZERO)
    copy, loop = exchange(down())
    assert isinstance(loop, s.For)
    late = s.For(LANE, loop.lo, loop.hi, loop.step, (first, *loop.body), "parallel")
    assert "x[" in cleaned(s.Decl(STEP, b.c(4)), tree(copy, late))


def test_a_loop_over_threads_joins_the_loop_over_their_warps() -> None:
    """What one warp leaves for its threads does not have to be kept for all warps."""
    big = e.Var("big", Array(F32, 32))
    w, t = b.var("warp"), b.var("t")
    own = b.add(b.mul(w, 8), LANE)
    square = b.op("*", b.at(b.A, own), b.at(b.A, own))
    sums = lanes(K, b.put(b.at(big, b.add(b.mul(w, 8), K)), b.at(b.A, w), "+"))
    warps = lanes(
        w, lanes(LANE, b.put(b.at(big, own), square)), s.Decl(STEP, b.c(4)), tree(sums), count=4
    )
    leader = b.op("==", b.op("%", t, 8), 0)
    threads = lanes(t, s.If(leader, (b.put(b.at(b.C, b.op("/", t, 8)), b.at(big, t)),)), count=32)
    program = b.function("f", (b.A, b.C), s.Decl(big), warps, threads)
    text = show_body(clean_up(program).program.functions[0].body)
    assert "big: f32[8]" in text
    assert "c[warp] = big[0]" in text


def indices() -> st.SearchStrategy[e.Expr]:
    """Expressions of the lane and the step, brought into range by the last `&`."""
    leaf = st.sampled_from([LANE, STEP, b.c(1), b.c(3), b.c(7)])

    def more(x: st.SearchStrategy[e.Expr]) -> st.SearchStrategy[e.Expr]:
        ops = st.sampled_from(["+", "-", "&", "|", "^"])
        made = st.builds(lambda o, p, q: b.op(o, p, q), ops, x, x)
        chosen = st.builds(lambda p, q, r: e.Select(b.lt(p, q), r, p, LANE.type), x, x, x)
        return made | chosen

    whole = st.recursive(leaf, more, max_leaves=5)
    masked = st.builds(lambda x: b.op("&", x, 7), whole)
    ahead = st.builds(lambda x: e.Select(b.lt(x, 8), x, LANE, LANE.type), whole)
    return masked | st.builds(lambda x: e.Select(b.op(">=", x, 0), x, LANE, LANE.type), ahead)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(indices(), indices(), st.booleans())
def test_whatever_lanes_read_of_each_other(first: e.Expr, second: e.Expr, twice: bool) -> None:
    more = (b.put(b.at(V, LANE), b.at(X, second), "-"),) if twice else ()
    cleaned(s.Decl(STEP, b.c(4)), tree(*exchange(first, *more)))
