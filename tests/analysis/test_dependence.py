"""Independence of loop iterations, on typical access patterns."""

from __future__ import annotations

from dataclasses import replace

import pytest

from xpiler.analysis.dependence import independent
from xpiler.analysis.ranges import Facts
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.types import BOOL, F32, I32, Array, Pointer, Type, Vector

N, M = e.Var("n", I32), e.Var("m", I32)
ROW, COL = e.Var("row", I32), e.Var("col", I32)
A, B = e.Var("a", Pointer(F32, const=True)), e.Var("b", Pointer(F32))
WIDE = Vector(F32, 4)


def c(value: int) -> e.Const:
    return e.Const(value, I32)


def op(o: e.BinaryOp, a: e.Expr, b: e.Expr | int) -> e.Binary:
    right = c(b) if isinstance(b, int) else b
    return e.Binary(o, a, right, BOOL if o in e.COMPARISONS else a.type)


def at(base: e.Expr, index: e.Expr, t: Type = F32) -> e.Index:
    return e.Index(base, index, t)


def loop(v: e.Var, n: e.Expr, *body: s.Stmt) -> s.For:
    return s.For(v, c(0), n, c(1), body)


def put(index: e.Expr, value: e.Expr | None = None) -> s.Assign:
    return s.Assign(at(B, index), value or at(A, index))


EVEN = op("*", ROW, 2)
PLACE = op("+", op("*", ROW, N), COL)


def pair(stride: int) -> e.Expr:
    """`row / 4 * stride + row % 4`."""
    return op("+", op("*", op("/", ROW, 4), stride), op("%", ROW, 4))


CASES: list[tuple[str, s.For, bool]] = [
    ("own element", loop(ROW, N, put(ROW)), True),
    ("one element for all", loop(ROW, N, put(c(0))), False),
    ("neighbour is read", loop(ROW, N, put(ROW, at(B, op("+", ROW, 1)))), False),
    ("even and odd", loop(ROW, N, put(EVEN), put(op("+", EVEN, 1))), True),
    ("even and next even", loop(ROW, N, put(EVEN), put(op("+", EVEN, 2))), False),
    ("row of a matrix", loop(ROW, M, loop(COL, N, put(PLACE))), True),
    ("row that is too long", loop(ROW, M, loop(COL, op("+", N, 1), put(PLACE))), False),
    ("column of a matrix", loop(COL, N, loop(ROW, M, put(PLACE))), True),
    ("column, guarded", loop(COL, M, s.If(op("<", COL, N), (loop(ROW, M, put(PLACE)),))), True),
    ("column, not guarded", loop(COL, M, loop(ROW, M, put(PLACE))), False),
    ("modulo", loop(ROW, N, put(op("%", ROW, 4))), False),
    ("rows of its columns", loop(ROW, c(32), put(pair(8))), True),
    ("rows as long as the columns", loop(ROW, c(32), put(pair(4))), True),
    ("rows that are too short", loop(ROW, c(32), put(pair(3))), False),
    ("rows of their own", loop(ROW, c(32), put(pair(8)), put(op("+", pair(8), 64))), True),
    ("rows that come again", loop(ROW, c(32), put(pair(8)), put(op("+", pair(8), 56))), False),
    ("halves of a row", loop(ROW, c(32), put(pair(8)), put(op("+", pair(8), 4))), True),
    ("halves that meet", loop(ROW, c(32), put(pair(8)), put(op("+", pair(8), 3))), False),
    ("skewed over banks", loop(ROW, N, put(op("+", ROW, op("/", ROW, 32)))), True),
    ("skewed backwards", loop(ROW, N, put(op("-", ROW, op("/", ROW, 4)))), False),
    ("indirect", loop(ROW, N, put(e.Cast(at(A, ROW), I32))), False),
    ("a sum into a scalar", loop(ROW, N, s.Assign(e.Var("t", F32), at(A, ROW), "+")), False),
    ("leaves early", loop(ROW, N, put(ROW), s.If(op(">", ROW, M), (s.Break(),))), False),
]  # fmt: skip


@pytest.mark.parametrize(("name", "nest", "want"), CASES, ids=[x[0] for x in CASES])
def test_independent(name: str, nest: s.For, want: bool) -> None:
    assert independent(nest, Facts()) is want


def test_a_scalar_of_each_iteration_is_private() -> None:
    t = e.Var("t", F32)
    body = (s.Decl(t, at(A, ROW)), s.Assign(t, at(A, ROW), "+"), put(ROW, t))
    assert independent(loop(ROW, N, *body), Facts())


def test_vectors_and_scalars_of_one_buffer_are_compared_in_bytes() -> None:
    view = e.Cast(B, Pointer(WIDE))
    fill = s.Assign(at(view, ROW, WIDE), e.Aggregate((), WIDE))
    below = put(op("+", op("*", ROW, 4), 3))
    beyond = put(op("+", op("*", ROW, 4), 4))
    assert independent(loop(ROW, N, fill, below), Facts())
    assert not independent(loop(ROW, N, fill, beyond), Facts())


def test_a_local_pointer_is_its_base_and_offset() -> None:
    p = e.Var("p", Pointer(F32))
    inner = loop(COL, N, s.Assign(at(p, COL), at(A, COL)))
    right = s.Decl(p, e.Binary("+", B, op("*", ROW, N), p.type))
    wrong = s.Decl(p, e.Binary("+", B, ROW, p.type))
    assert independent(loop(ROW, M, right, inner), Facts())
    assert not independent(loop(ROW, M, wrong, inner), Facts())


def test_aliasing_is_an_assumption() -> None:
    facts = Facts()
    assert independent(loop(ROW, N, put(ROW, at(A, op("+", ROW, 1)))), facts)
    assert facts.ledger.sentences == ["a and b do not overlap"]
    forbidden = Facts()
    forbidden.ledger.alias_allowed = False
    assert not independent(loop(ROW, N, put(ROW)), forbidden)
    assert forbidden.ledger.sentences == []


def test_aliasing_of_equal_subscripts_is_a_weaker_assumption() -> None:
    facts = Facts()
    assert independent(loop(ROW, N, put(ROW)), facts)
    assert facts.ledger.sentences == ["a and b are the same or do not overlap"]


def test_a_pointer_to_a_row_is_its_array_and_offset() -> None:
    grid = e.Var("grid", Array(Array(F32, 8), 16))
    place = e.Index(e.Index(grid, ROW, Array(F32, 8)), c(2), F32)
    other = e.Cast(e.AddressOf(place, Pointer(F32)), Pointer(I32))
    near = e.Cast(e.AddressOf(replace(place, index=c(6)), Pointer(F32)), Pointer(I32))
    write = s.Assign(at(other, COL, I32), c(0))
    assert independent(loop(ROW, c(16), loop(COL, c(4), write)), Facts())
    assert not independent(loop(ROW, c(16), loop(COL, c(9), write)), Facts())
    assert not independent(loop(COL, c(4), write, s.Assign(at(near, c(-4), I32), c(1))), Facts())


def test_a_pointer_chosen_by_a_condition_is_either() -> None:
    p, other = e.Var("p", Pointer(F32)), e.Var("d", Pointer(F32))
    chosen = s.Decl(p, e.Select(op(">", ROW, 3), B, other, p.type))
    assert independent(loop(ROW, N, chosen, s.Assign(at(p, ROW), c(1))), Facts())
    assert not independent(loop(ROW, N, chosen, s.Assign(at(p, c(0)), c(1))), Facts())
    inside = op("<", ROW, 5)  # where d is chosen, too, so that nothing tells rows apart
    writes = s.If(inside, (s.Assign(at(p, COL), c(1)),))
    assert not independent(loop(ROW, N, chosen, loop(COL, N, writes)), Facts())


def test_a_pointer_at_an_unknown_offset_is_in_its_array() -> None:
    p, facts = e.Var("p", Pointer(F32)), Facts()
    where = e.Call("somewhere", (ROW,), I32)
    chosen = s.Decl(p, e.Binary("+", B, where, p.type))
    assert not independent(loop(ROW, N, chosen, s.Assign(at(p, ROW), c(1))), Facts())
    read = e.Var("r", Pointer(F32, const=True))
    from_a = s.Decl(read, e.AddressOf(at(A, e.Cast(at(A, ROW), I32)), read.type))
    assert independent(loop(ROW, N, from_a, put(ROW, at(read, ROW))), facts)
    assert "a and b do not overlap" in facts.ledger.sentences
