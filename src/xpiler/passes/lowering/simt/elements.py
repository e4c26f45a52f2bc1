"""How many elements a pointer parameter has: as given, as accesses say, or as was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xpiler.analysis import fit
from xpiler.analysis.effects import assigned, names_in
from xpiler.analysis.extents import Use
from xpiler.analysis.ranges import is_int
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function
from xpiler.ir.rewrite import substitute, walk
from xpiler.ir.text import show
from xpiler.ir.types import I64, Scalar, Struct
from xpiler.passes.cleanup.base import sentence
from xpiler.passes.lowering.base import Origin
from xpiler.passes.lowering.simt.context import Lowering

Seen = Sequence[tuple[Mapping[str, int | float], int]]


def elements(
    low: Lowering, f: Function, p: e.Var, use: Use | None, origin: Origin
) -> e.Expr | None:
    """The elements of a parameter as an i64 expression; None where nothing tells them.

    What the accesses say counts unless it is rounded up, as masks have it: then measurements, which
    see what is really touched, may say less.
    """
    given = origin.extents.get(f.name, {}).get(p.name)
    if given is not None:
        return given
    examples = origin.examples.get(f.name, ())
    seen = [(x.sizes, x.counts[p.name]) for x in examples if p.name in x.counts]
    if use is not None:
        use.examples = tuple(sizes for sizes, _ in seen)
    count = use.count() if use is not None else None
    sound = count is not None and not _exceeds(count, seen)
    if sound and not _rounded(count):
        return count
    for between in (True,) if sound else (True, False):
        measured = _measured(f, p, origin, between)
        if measured is not None and not _exceeds(measured, seen) and _grows(measured, seen):
            low.assume(f"{p.name} has {sentence(measured)} elements")
            return measured
    if sound and seen and count is not None and _is_exact(count, seen):
        return count
    part = use.count(sure=False) if use is not None and count is None else None
    if part is not None and seen and all(_about(fit.value(part, sizes), n) for sizes, n in seen):
        low.assume(f"{p.name} has {sentence(part)} elements, wherever its indices come from")
        return part
    product = _product(low, f, p, origin, seen)
    return product or (count if sound else _plain(low, f, p, use, count))


_ROUNDING = ("/", "%", "&", ">>")


def _measured(f: Function, p: e.Var, origin: Origin, between: bool) -> e.Expr | None:
    """What is touched when the function runs; `between`: also for sizes without a grid."""
    if origin.measured is None:
        return None
    return origin.measured(f.name, p.name, quotients(f), between)


def _rounded(count: e.Expr | None) -> bool:
    parts = () if count is None else walk(count)
    return any(isinstance(n, e.Select) or getattr(n, "op", "") in _ROUNDING for n in parts)


def quotients(f: Function) -> tuple[e.Expr, ...]:
    """The quotients of the function's sizes that it computes, as i64 expressions."""
    sizes = {q.name for q in f.params if isinstance(q.type, Struct) or is_int(q.type)}
    changed = assigned(f.body)
    known: dict[str, e.Expr] = {}
    found: dict[str, e.Expr] = {}
    for n in (n for st in f.body for n in walk(st)):
        if isinstance(n, s.Decl) and n.init is not None and n.var.name not in changed:
            known[n.var.name] = substitute(n.init, known)
        if isinstance(n, e.Binary) and n.op == "/" and is_int(n.type):
            x = substitute(n, known)
            if names_in(x) and set(names_in(x)) <= sizes:
                found.setdefault(show(x), e.Cast(x, I64))
    return tuple(found.values())


def _product(low: Lowering, f: Function, p: e.Var, origin: Origin, seen: Seen) -> e.Expr | None:
    """The product of sizes that the examples suggest."""
    types = {q.name: q.type for q in f.params if isinstance(q.type, Scalar) and q.type.is_integer}
    more = []
    if seen and origin.sampled is not None:
        more = [(x.sizes, x.counts[p.name]) for x in origin.sampled(f.name) if p.name in x.counts]
    known = [n for n in types if all(n in sizes for sizes, _ in (*seen, *more))]
    found = fit.product(seen, more, known) if seen else None
    if found is None:
        return None
    text = " * ".join([*([str(found[0])] if found[0] != 1 or not found[1] else []), *found[1]])
    low.assume(f"{p.name} has {text} elements")
    return fit.as_expr(found, types)


def _plain(
    low: Lowering, f: Function, p: e.Var, use: Use | None, count: e.Expr | None
) -> e.Expr | None:
    """What the accesses say, though it is more than there is in an example: a product of sizes."""
    most = use.most() if use is not None else []
    if count is None or len(most) != 1 or len(most[0].terms) != 1:
        return None
    if not all(a in {q.name for q in f.params} for a in most[0].atoms()):
        return None
    low.assume(f"{p.name} has {sentence(count)} elements")
    low.extents.setdefault(f.name, {})[p.name] = count
    return count


def _about(count: int | None, seen: int) -> bool:
    """Whether places that depend on data may well lie within `count` elements.

    The bytes that are `seen` come from ranges of values, and may be too many.
    """
    return count is not None and count <= seen <= count + count // 8


def _is_exact(count: e.Expr, seen: Seen) -> bool:
    return all(fit.value(count, sizes) == n for sizes, n in seen)


def _grows(count: e.Expr, seen: Seen) -> bool:
    """Whether the elements are not far fewer than in the largest example, and some in each.

    Small sizes are measured: up to 16 of them, all may lie in one block of 16. What is measured at
    multiples of a block alone may fall below zero where there is no whole one.
    """
    if any((fit.value(count, sizes) or 1) < 1 for sizes, n in seen if n):
        return False
    sizes, most = max(seen, key=lambda x: x[1], default=({}, 0))
    value = fit.value(count, sizes)
    return value is None or 2 * value >= most


def _exceeds(count: e.Expr, seen: Seen) -> bool:
    """Whether the elements are more than there are in some example."""
    values = ((fit.value(count, sizes), n) for sizes, n in seen)
    return any(value is not None and value > n for value, n in values)
