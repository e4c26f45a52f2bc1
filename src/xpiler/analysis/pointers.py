"""What local pointers point to: an array or parameter, and how many bytes from its start."""

from __future__ import annotations

from dataclasses import dataclass, replace

from xpiler.analysis.poly import ZERO, Poly
from xpiler.analysis.ranges import Facts, is_int
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.types import Array, Pointer, Scalar, Type, Vector


@dataclass(frozen=True)
class Target:
    """An array or pointer that never changes, bytes from its start, elements that are counted."""

    root: e.Var
    offset: Poly
    elem: Type


def byte_size(t: Type) -> int | None:
    """Bytes of a scalar or vector."""
    if isinstance(t, Vector):
        return t.elem.bits // 8 * t.lanes
    return t.bits // 8 if isinstance(t, Scalar) and t.bits else None


def target(x: e.Expr, facts: Facts) -> Target | None:
    """What the pointer expression `x` points to; None where that is not one fixed array."""
    if isinstance(x, e.Var):
        return _of_var(x, facts)
    if isinstance(x, e.Cast) and isinstance(x.type, Pointer):
        inner = target(x.x, facts)
        return replace(inner, elem=x.type.elem) if inner is not None else None
    if isinstance(x, e.Index) and isinstance(x.type, Array):
        return _of_row(x, x.type, facts)
    if isinstance(x, e.AddressOf) and isinstance(x.x, e.Index):
        base, offset = x.x.base, x.x.index
    elif isinstance(x, e.Binary) and x.op == "+" and is_int(x.b.type):
        base, offset = x.a, x.b
    else:
        return None
    inner = target(base, facts)
    size = byte_size(inner.elem) if inner is not None else None
    p = facts.address(offset)
    if inner is None or size is None or not facts.stable(p):
        return None
    return replace(inner, offset=inner.offset + p * size)


def _of_row(x: e.Index, t: Array, facts: Facts) -> Target | None:
    """A row of an array of arrays."""
    inner, size, p = target(x.base, facts), _whole_size(t), facts.address(x.index)
    if inner is None or size is None or not facts.stable(p):
        return None
    return Target(inner.root, inner.offset + p * size, t.elem)


def _whole_size(t: Type) -> int | None:
    """Bytes of an array with all its elements, or of one of them."""
    if not isinstance(t, Array):
        return byte_size(t)
    size = _whole_size(t.elem)
    return None if size is None or t.size is None else size * t.size


def _of_var(x: e.Var, facts: Facts) -> Target | None:
    if not isinstance(x.type, (Pointer, Array)):
        return None
    known = facts.pointers.get(x.name)
    if isinstance(known, Target):
        return known
    if x.name in facts.mutable and isinstance(x.type, Pointer):
        return None
    return Target(x, ZERO, x.type.elem)


def learn(st: s.Stmt, facts: Facts) -> Facts:
    """`facts` after a statement that declares a pointer or allocates memory for one."""
    if isinstance(st, s.Decl) and isinstance(st.var.type, Pointer) and st.init is not None:
        found = None if st.var.name in facts.mutable else target(st.init, facts)
        return facts.with_pointer(st.var.name, found) if found is not None else facts
    if isinstance(st, s.Instr) and st.name == "host.alloc":
        for out in st.outs:
            if isinstance(out, e.Var) and isinstance(out.type, Pointer) and out.name in facts.once:
                own = e.Var(out.name, Array(out.type.elem, None))
                facts = facts.with_pointer(out.name, Target(own, ZERO, out.type.elem))
    return facts
