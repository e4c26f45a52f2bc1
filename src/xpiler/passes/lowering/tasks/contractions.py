"""Which loop nests are matrix products: rows times columns, summed over a third loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xpiler.analysis.effects import assigned, names_in
from xpiler.analysis.pointers import byte_size, target
from xpiler.analysis.poly import ONE as UNIT
from xpiler.analysis.poly import Poly
from xpiler.analysis.ranges import Facts
from xpiler.analysis.reductions import update
from xpiler.analysis.walker import after, inside
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import substitute, walk
from xpiler.ir.types import BF16, F16, F32, I8, I32, Array, Pointer, Type
from xpiler.passes.lowering.tasks.build import is_const

OPERANDS: dict[Type, Type] = {F32: F32, F16: F32, BF16: F32, I8: I32}
"""Element types of factors that the matrix unit takes, and the type that they are summed in."""

LEAST_COLUMNS, LEAST_DEPTH, LEAST_ROWS = 24, 8, 4
"""Where a size is known to be smaller, vectors do as well as the matrix unit."""


@dataclass(frozen=True)
class Factor:
    """A matrix in the device's memory: elements from one row (or column) and from one k to the
    next."""

    place: e.Index
    root: e.Var
    across: Poly
    along: Poly

    @property
    def elem(self) -> Type:
        return self.place.type


@dataclass(frozen=True)
class Product:
    """`acc = start + sum over k of left * right`: `left` moves with the rows."""

    acc: s.Decl
    left: Factor
    right: Factor


@dataclass(frozen=True)
class Contraction:
    """`for row { for col { before; products over `depth`; behind } }`, both loops independent.

    `outer` is the loop that stands outside in the source: `row`, or `col` where they are exchanged
    so that results lie next to each other.
    """

    row: s.For
    col: s.For
    depth: s.For
    outer: s.For
    head: s.Body  # declarations of the outer loop alone
    before: s.Body
    products: tuple[Product, ...]
    behind: s.Body
    facts: Facts


def contraction(st: s.For, facts: Facts, far: frozenset[str]) -> Contraction | None:
    """`st` as products of matrices; None where it is something else (loops are taken for
    independent)."""
    head, inner, rest = _around(st.body)
    if inner is None or rest or not (is_const(st.step, 1) and is_const(inner.step, 1)):
        return None
    if st.var.name in names_in(inner.lo) | names_in(inner.hi):
        return None
    before, depth, behind = _around(inner.body)
    if depth is None or not is_const(depth.step, 1) or not before:
        return None
    if (names_in(depth.lo) | names_in(depth.hi)) & _varying(st, inner):
        return None
    here = _facts(inner.body[: len(before)], inside(inner, _facts(head, inside(st, facts))))
    env = _values((*head, *before))
    found = _sums(depth, before, env)
    if found is None:
        return None
    row, col = st, inner
    if _stores_along(behind, st.var, here):
        row, col = inner, st
    deep = inside(depth, here)
    products = [_product(d, x, row.var, col.var, depth.var, deep, far) for d, x in found]
    if not products or None in products or not _worthwhile(row, col, depth):
        return None
    sums = {d.var.name for d, _ in found}
    kept = tuple(d for d in before if not (isinstance(d, s.Decl) and d.var.name in sums))
    return Contraction(row, col, depth, st, head, kept, tuple(products), behind, facts)  # type: ignore[arg-type]


def _around(body: s.Body) -> tuple[s.Body, s.For | None, s.Body]:
    """Declarations, the loop behind them, and what follows it."""
    for k, st in enumerate(body):
        if isinstance(st, s.For):
            return body[:k], st, body[k + 1 :]
        if not isinstance(st, s.Decl) or isinstance(st.var.type, Array):
            break
    return (), None, ()


def _varying(st: s.For, inner: s.For) -> set[str]:
    local = {d.var.name for d in (*st.body, *inner.body) if isinstance(d, s.Decl)}
    return local | {st.var.name, inner.var.name}


def _facts(body: s.Body, facts: Facts) -> Facts:
    for st in body:
        facts = after(st, facts)
    return facts


def _values(body: s.Body) -> dict[str, e.Expr]:
    """What the declarations of variables that never change stand for."""
    changing = assigned(body)
    env: dict[str, e.Expr] = {}
    for st in body:
        if isinstance(st, s.Decl) and st.init is not None and st.var.name not in changing:
            env[st.var.name] = substitute(st.init, env)
    return env


def _sums(
    depth: s.For, before: s.Body, env: Mapping[str, e.Expr]
) -> list[tuple[s.Decl, e.Expr]] | None:
    """The accumulators of the innermost loop and what is added to them."""
    decls = {d.var.name: d for d in before if isinstance(d, s.Decl) and d.init is not None}
    grown = assigned(depth.body) & set(decls)
    known = {k: v for k, v in env.items() if k not in grown}
    out: list[tuple[s.Decl, e.Expr]] = []
    for st in depth.body:
        if (
            isinstance(st, s.Decl)
            and st.init is not None
            and st.var.name not in assigned(depth.body)
        ):
            known[st.var.name] = substitute(st.init, known)
            continue
        step = update(st, set(grown))
        if step is None or step.op != "+" or any(d.var == step.var for d, _ in out):
            return None
        out.append((decls[step.var.name], substitute(step.value, known)))
    return out if {d.var.name for d, _ in out} == grown else None


def _product(
    acc: s.Decl, x: e.Expr, row: e.Var, col: e.Var, k: e.Var, facts: Facts, far: frozenset[str]
) -> Product | None:
    if not isinstance(x, e.Binary) or x.op != "*" or x.type != acc.var.type:
        return None
    a, b = _element(x.a), _element(x.b)
    if a is None or b is None or a.type != b.type or OPERANDS.get(a.type) != acc.var.type:
        return None
    for first, second in ((a, b), (b, a)):
        left = _factor(first, row, col, k, facts, far)
        right = _factor(second, col, row, k, facts, far)
        if left is not None and right is not None:
            return Product(acc, left, right)
    return None


def _element(x: e.Expr) -> e.Index | None:
    """An element of a matrix, widened to what it is multiplied in."""
    wide = isinstance(x, e.Cast) and OPERANDS.get(x.x.type) == x.type
    inner = x.x if isinstance(x, e.Cast) and wide else x
    return inner if isinstance(inner, e.Index) and isinstance(inner.base.type, Pointer) else None


def _factor(
    place: e.Index, own: e.Var, other: e.Var, k: e.Var, facts: Facts, far: frozenset[str]
) -> Factor | None:
    found = target(place.base, facts)
    size = byte_size(place.type)
    if found is None or found.root.name not in far or size is None:
        return None
    if any(isinstance(n, e.Index) for n in walk(place.index)):
        return None
    p = _divided(found.offset, size)
    if p is None or byte_size(found.elem) != size:
        return None
    p = p + facts.address(place.index)
    loops = {own.name, other.name, k.name}
    if any(facts.inside_of(a) & loops for a in p.atoms() - loops):
        return None
    by_k = p.split(k.name)
    by_own = by_k[1].split(own.name) if by_k is not None else None
    if by_k is None or by_own is None or other.name in p.atoms():
        return None
    across, along = by_own[0], by_k[0]
    if (across.atoms() | along.atoms()) & loops or not (across.terms and along.terms):
        return None
    if UNIT not in (across, along):
        return None
    return Factor(place, found.root, across, along)


def _divided(p: Poly, by: int) -> Poly | None:
    if any(c % by for c in p.terms.values()):
        return None
    return Poly({m: c // by for m, c in p.terms.items()})


def _stores_along(behind: s.Body, var: e.Var, facts: Facts) -> bool:
    """Whether results lie next to each other along `var`."""
    for n in walk(behind):
        if isinstance(n, s.Assign) and isinstance(n.target, e.Index):
            split = facts.address(n.target.index).split(var.name)
            if split is not None and split[0] == UNIT:
                return True
    return False


def _worthwhile(row: s.For, col: s.For, depth: s.For) -> bool:
    limits = ((row, LEAST_ROWS), (col, LEAST_COLUMNS), (depth, LEAST_DEPTH))
    return all(trips(loop) is None or trips(loop) >= least for loop, least in limits)  # type: ignore[operator]


def trips(loop: s.For) -> int | None:
    """Iterations of a loop, where that is a constant."""
    if isinstance(loop.lo, e.Const) and isinstance(loop.hi, e.Const):
        return int(loop.hi.value) - int(loop.lo.value)
    return None


__all__ = ["Contraction", "Factor", "Product", "contraction", "trips"]
