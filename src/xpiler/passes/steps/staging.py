"""Finding staged copies: the array, the loops that fill it, the loops that copy it back."""

from __future__ import annotations

from dataclasses import dataclass

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import substitute
from xpiler.ir.types import Array


@dataclass(frozen=True)
class Copy:
    """`for x0 { for x1 { near[x0][x1] = far } }`, or the other way round; `whole`: all of it."""

    near: e.Var
    counts: tuple[e.Var, ...]
    far: e.Index
    out: bool

    def place(self, subs: tuple[e.Expr, ...]) -> e.Index:
        """The far element that stands for `near[subs]`."""
        mapping = {v.name: x for v, x in zip(self.counts, subs, strict=True)}
        found = substitute(self.far, mapping)
        assert isinstance(found, e.Index)
        return found


def copy_of(st: s.Stmt) -> Copy | None:
    """The copy that a statement is, from end to end of the near array; None for others."""
    counts: list[e.Var] = []
    limits: list[int] = []
    while isinstance(st, s.For) and len(st.body) == 1 and _from_zero(st):
        assert isinstance(st.hi, e.Const)
        counts.append(st.var)
        limits.append(int(st.hi.value))
        st = st.body[0]
    if not counts or not isinstance(st, s.Assign) or st.op:
        return None
    for near, far, out in ((st.target, st.value, False), (st.value, st.target, True)):
        found = subscripts(near)
        if not (found and isinstance(far, e.Index) and isinstance(far.base, e.Var)):
            continue
        if found[1] == tuple(counts) and shape(found[0].type) == tuple(limits):
            return Copy(found[0], tuple(counts), far, out)
    return None


def _from_zero(st: s.For) -> bool:
    ends = (st.lo, st.hi, st.step)
    if not all(isinstance(x, e.Const) for x in ends):
        return False
    return (st.lo.value, st.step.value) == (0, 1)  # type: ignore[attr-defined]


def subscripts(x: e.Expr) -> tuple[e.Var, tuple[e.Expr, ...]] | None:
    """The array and all subscripts of `a[x0][x1]`; None where it is no element of an array."""
    subs: list[e.Expr] = []
    while isinstance(x, e.Index):
        subs.insert(0, x.index)
        x = x.base
    if not isinstance(x, e.Var) or len(subs) != len(shape(x.type)):
        return None
    return x, tuple(subs)


def shape(t: object) -> tuple[int, ...]:
    """The extents of an array type."""
    out: list[int] = []
    while isinstance(t, Array):
        out.append(t.size or 0)
        t = t.elem
    return tuple(out)
