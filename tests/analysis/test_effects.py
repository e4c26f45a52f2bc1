"""What a place belongs to: an array, memory behind a pointer, or behind one that was read."""

from __future__ import annotations

from xpiler.analysis.effects import ANY, bounded, of_stmt, pointee, read_names, root
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.types import F32, I32, Array, Pointer

FP = Pointer(F32)
TABLE, ROWS = e.Var("table", Array(FP, 8)), e.Var("rows", Array(Array(F32, 4), 8))
IDX = e.Var("i", I32)


def at(base: e.Expr) -> e.Index:
    return e.Index(base, IDX, base.type.elem)  # type: ignore[attr-defined]


def test_a_loaded_pointer_reaches_anything() -> None:
    assert root(at(TABLE)) == "table"
    assert root(at(at(TABLE))) == ANY
    assert root(at(e.Cast(at(TABLE), FP))) == ANY
    assert root(at(e.Binary("+", at(TABLE), IDX, FP))) == ANY
    assert pointee(at(TABLE)) == ANY


def test_rows_and_addresses_stay_in_their_array() -> None:
    assert root(at(at(ROWS))) == "rows"
    assert root(at(e.Cast(at(ROWS), FP))) == "rows"
    assert root(at(e.address_of(at(at(ROWS))))) == "rows"
    assert pointee(e.address_of(at(TABLE))) == "table"


def test_a_store_through_a_table_reads_the_table() -> None:
    store = s.Assign(at(at(TABLE)), e.Const(0.0, F32))
    assert "table" in read_names((store,))
    assert of_stmt(store).writes == {ANY}
    assert "rows" not in read_names((s.Assign(at(at(ROWS)), e.Const(0.0, F32)),))


def test_only_what_a_body_declares_has_no_value_before() -> None:
    k = e.Var("k", I32)
    eight = s.If(e.compare(">", k, e.Const(8, I32)), (s.Assign(k, e.Const(8, I32)),))
    assert bounded((eight,)) == {}
    assert bounded((s.Decl(k, e.Const(3, I32)), eight)) == {"k": (3, 8)}
