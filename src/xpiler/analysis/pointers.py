"""What local pointers point to: an array or parameter, and how many bytes from its start."""

from __future__ import annotations

from dataclasses import dataclass, replace

from xpiler.analysis.poly import ZERO, Poly, atom
from xpiler.analysis.ranges import AtomInfo, Facts, is_int
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.types import Array, Pointer, Scalar, Struct, Type, Vector

FAR = 1 << 60
"""Bytes that a pointer into an array is at most from its start."""


@dataclass(frozen=True)
class Target:
    """An array or pointer that never changes, bytes from its start, elements that are counted."""

    root: e.Var
    offset: Poly
    elem: Type


@dataclass(frozen=True)
class Choice:
    """What a local pointer points to, by a condition: `p = cond ? a : b`."""

    cond: e.Expr
    then: Target | Choice
    orelse: Target | Choice


def byte_size(t: Type) -> int | None:
    """Bytes of a scalar or vector."""
    if isinstance(t, Vector):
        return t.elem.bits // 8 * t.lanes
    return t.bits // 8 if isinstance(t, Scalar) and t.bits else None


def target(x: e.Expr, facts: Facts) -> Target | None:
    """What the pointer expression `x` points to; None where that is not one fixed array."""
    if isinstance(x, e.Var):
        return _of_var(x, facts)
    if isinstance(x, e.Field):
        return _of_field(x, facts)
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
    if x.name in facts.pointers:
        known = facts.pointers[x.name]
        return known if isinstance(known, Target) else None
    if x.name in facts.mutable and isinstance(x.type, Pointer):
        return None
    return Target(x, ZERO, x.type.elem)


def in_struct(x: e.Expr) -> tuple[e.Var, e.Var] | None:
    """For a pointer in a struct that is a variable: that variable, and one called `m.data`."""
    if not isinstance(x, e.Field) or not isinstance(x.type, Pointer):
        return None
    names, base = [x.name], x.base
    while isinstance(base, e.Field):
        names, base = [base.name, *names], base.base
    if not isinstance(base, e.Var) or not isinstance(base.type, Struct):
        return None
    return base, e.Var(".".join([base.name, *names]), x.type)


def _of_field(x: e.Field, facts: Facts) -> Target | None:
    found = in_struct(x)
    if found is None or found[0].name in facts.mutable:
        return None
    return Target(found[1], ZERO, x.type.elem)  # type: ignore[attr-defined]


def choice(x: e.Expr, facts: Facts) -> Target | Choice | None:
    """What the pointer expression `x` may point to; None where that cannot be told."""
    if isinstance(x, e.Select):
        a, b = choice(x.a, facts), choice(x.b, facts)
        if is_null(x.a) or is_null(x.b):
            return b if is_null(x.a) else a  # nothing is read or written behind null
        return Choice(x.cond, a, b) if a is not None and b is not None else None
    if isinstance(x, e.Var) and isinstance(facts.pointers.get(x.name), Choice):
        return facts.pointers[x.name]  # type: ignore[return-value]
    return target(x, facts)


def targets(x: e.Expr, facts: Facts) -> list[tuple[Target, Facts]]:
    """All that `x` may point to, each with what holds where it does; none where one is unknown."""
    return _options(choice(x, facts), facts)


def _options(known: Target | Choice | None, facts: Facts) -> list[tuple[Target, Facts]]:
    if isinstance(known, Choice):
        yes, no = (facts.with_cond(known.cond, truth) for truth in (True, False))
        return _options(known.then, yes) + _options(known.orelse, no)
    return [(known, facts)] if known is not None else []


def is_null(x: e.Expr) -> bool:
    """Whether the pointer expression `x` is the null pointer."""
    x = x.x if isinstance(x, e.Cast) else x
    return isinstance(x, e.Const) and x.value == 0


def _somewhere(v: e.Var, x: e.Expr, facts: Facts) -> Target | None:
    """What `v`, a pointer that stays `x`, points into, where only the array is known: an offset
    that nothing is known of but that it is one."""
    base = x
    while True:
        if isinstance(base, e.Cast) and isinstance(base.type, Pointer):
            base = base.x
        elif isinstance(base, e.AddressOf) and isinstance(base.x, e.Index):
            base = base.x.base
        elif isinstance(base, e.Binary) and base.op == "+":
            base = base.a
        else:
            break
    inner = target(base, facts) if base is not x and isinstance(base, e.Var) else None
    if inner is None or not isinstance(v.type, Pointer):
        return None
    name = f"&{v.name}"
    facts.atoms[name] = AtomInfo(-FAR, FAR, v)
    size = byte_size(inner.elem) if inner.elem == v.type.elem else None
    return Target(inner.root, atom(name) * (size or 1), v.type.elem)


def learn(st: s.Stmt, facts: Facts) -> Facts:
    """`facts` after a statement that declares a pointer or allocates memory for one."""
    if isinstance(st, s.Decl) and isinstance(st.var.type, Pointer) and st.init is not None:
        if st.var.name in facts.mutable:
            return facts
        known = choice(st.init, facts) or _somewhere(st.var, st.init, facts)
        return facts.with_pointer(st.var.name, known)
    if isinstance(st, s.Instr) and st.name == "host.alloc":
        for out in st.outs:
            if isinstance(out, e.Var) and isinstance(out.type, Pointer) and out.name in facts.once:
                own = e.Var(out.name, Array(out.type.elem, None))
                facts = facts.with_pointer(out.name, Target(own, ZERO, out.type.elem))
    return facts
