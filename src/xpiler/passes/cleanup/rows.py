"""Subscripts that run over the end of a row: `(&a[i][j])[k]` walks on through the whole array.

A pointer to an element reaches the rows behind it, but C gives `a[i][j + k]` no meaning once
`j + k` leaves the row (C23 6.5.7 with 6.5.3.2), and compilers use that. So the row moves too.
"""

from __future__ import annotations

from dataclasses import replace

from xpiler.analysis.affine import to_expr
from xpiler.analysis.poly import Poly, constant
from xpiler.analysis.ranges import Facts, is_int
from xpiler.ir import expr as e
from xpiler.ir.types import Array


def in_row(array: e.Expr, p: Poly, facts: Facts) -> bool:
    """Whether `array[p]` needs no care: no row of something larger, or `p` stays inside it."""
    if not isinstance(array.type, Array) or not isinstance(array, (e.Index, e.Field)):
        return True
    size = array.type.size
    return size is not None and facts.nonneg(p) and facts.nonneg(size - 1 - p)


def element(array: e.Expr, p: Poly, elem: e.Index, facts: Facts) -> e.Expr | None:
    """The element `p` places after the start of `array`, said with `elem`'s type and index type.

    None where the row that it lies in is not known.
    """
    if not in_row(array, p, facts):
        if not isinstance(array, e.Index) or not isinstance(array.type, Array):
            return None
        size = array.type.size
        if not size or not is_int(array.index.type):
            return None
        rows, p = p.divided_by(constant(size))
        moved = element(array.base, facts.poly(array.index) + rows, array, facts)
        if moved is None or not in_row(moved, p, facts):
            return None
        array = moved
    index = to_expr(facts, p, elem.index.type)
    return replace(elem, base=array, index=index) if index is not None else None
