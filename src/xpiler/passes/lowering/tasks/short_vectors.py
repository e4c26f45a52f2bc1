"""Short vectors (float4, half2) become their lanes: the cores' instructions work on long rows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from xpiler.analysis.effects import assigned, declared, has_jump, names_in
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.intrinsics import math_functions
from xpiler.ir.rewrite import fresh_name, map_children, rewrite_exprs, substitute, walk
from xpiler.ir.types import I32, Array, Pointer, Scalar, Type, Vector

LANES = "xyzw"

LARGEST = 16
"""Turns of a loop over lanes that is unrolled."""


class Whole(Exception):
    """A vector is used as a whole; it stays one."""


def in_lanes(body: s.Body, params: tuple[e.Var, ...], taken: set[str]) -> s.Body:
    """`body` without short vectors; as it was where one of them is used in a way unknown here."""
    if not any(isinstance(n, e.Expr) and isinstance(n.type, Vector) for n in walk(body)):
        return body
    names = set(taken)
    try:
        out = _Scalars({p.name for p in params}, names, assigned(body)).body(body)
    except Whole:
        return body
    taken |= names
    return out


def lane_number(name: str) -> int:
    return (
        LANES.index(name) if name in LANES else int(name.lstrip("s"), 16 if len(name) == 2 else 10)
    )


@dataclass
class _Scalars:
    params: set[str]
    taken: set[str]
    changing: frozenset[str]
    lanes: dict[str, tuple[e.Var, ...]] = field(default_factory=dict)
    arrays: dict[str, e.Var] = field(default_factory=dict)
    pointers: dict[str, e.Var] = field(default_factory=dict)

    # -- statements -----------------------------------------------------------------------------

    def body(self, body: s.Body) -> s.Body:
        return tuple(x for st in body for x in self.statement(st))

    def statement(self, st: s.Stmt) -> s.Body:
        if isinstance(st, s.Decl):
            return self._decl(st)
        if isinstance(st, s.Assign):
            return self._assign(st)
        if isinstance(st, s.Case):
            return (replace(st, body=self.body(st.body)),)
        if isinstance(st, s.For) and self._by_lane(st):
            lo, hi = int(st.lo.value), int(st.hi.value)  # type: ignore[attr-defined]
            turns = [substitute(st.body, {st.var.name: e.Const(k, st.var.type)})
                     for k in range(lo, hi)]  # fmt: skip
            return tuple(x for k, turn in enumerate(turns) for x in self.body(self._own(turn, k)))
        return (self._rebuilt(st),)

    def _by_lane(self, st: s.For) -> bool:
        """A loop over the lanes of a vector variable."""
        known = all(isinstance(x, e.Const) for x in (st.lo, st.hi)) and is_one(st.step)
        if not known or has_jump(st.body) or st.hi.value - st.lo.value > LARGEST:  # type: ignore[attr-defined]
            return False
        return any(
            isinstance(n, e.Index) and isinstance(n.base, e.Var) and n.base.name in self.lanes
            and st.var.name in names_in(n.index)
            for n in walk(st.body)
        )  # fmt: skip

    def _own(self, turn: s.Body, k: int) -> s.Body:
        """A turn of an unrolled loop, with variables of its own."""
        if k == 0:
            return turn
        new = {
            name: replace(d.var, name=fresh_name(name.split(".")[0], self.taken))
            for name, d in declared(turn).items()
        }
        return _renamed(turn, new)

    def _rebuilt(self, st: s.Stmt) -> s.Stmt:
        def one(n: object) -> object:
            if isinstance(n, e.Expr):
                return self.scalar(n)
            if isinstance(n, s.Case):
                return replace(n, body=self.body(n.body))
            assert isinstance(n, s.Stmt)
            return self.statement(n)

        return map_children(st, one)

    def _decl(self, st: s.Decl) -> s.Body:
        t = st.var.type
        if isinstance(t, Vector):
            new = tuple(
                e.Var(fresh_name(f"{st.var.name.split('.')[0]}_{_suffix(k)}", self.taken), t.elem)
                for k in range(t.lanes)
            )
            inits = [None if st.init is None else self.lane(st.init, k) for k in range(t.lanes)]
            self.lanes[st.var.name] = new
            return tuple(
                replace(st, var=v, init=x, align=0) for v, x in zip(new, inits, strict=True)
            )
        if isinstance(t, Array) and isinstance(_innermost(t), Vector):
            if st.init is not None:
                raise Whole
            new_array = e.Var(st.var.name, _flattened(t))
            self.arrays[st.var.name] = new_array
            return (replace(st, var=new_array, align=0),)
        if isinstance(t, Pointer) and isinstance(t.elem, Vector):
            if st.init is None or st.var.name in self.changing:
                raise Whole
            v = e.Var(st.var.name, replace(t, elem=t.elem.elem))
            init = self.pointer(st.init)
            self.pointers[st.var.name] = v
            return (replace(st, var=v, init=init),)
        return (replace(st, init=None if st.init is None else self.scalar(st.init)),)

    def _assign(self, st: s.Assign) -> s.Body:
        t = st.target.type
        if not isinstance(t, Vector):
            return (replace(st, target=self.scalar(st.target), value=self.scalar(st.value)),)
        value = e.Binary(st.op, st.target, st.value, t) if st.op else st.value
        targets = [self.lane(st.target, k) for k in range(t.lanes)]
        values = [self.lane(value, k) for k in range(t.lanes)]
        if isinstance(value, e.Aggregate) and isinstance(st.target, e.Var):
            return self._at_once(targets, values)
        return tuple(s.Assign(a, b) for a, b in zip(targets, values, strict=True))

    def _at_once(self, targets: list[e.Expr], values: list[e.Expr]) -> s.Body:
        """All lanes are computed before one changes, where that matters."""
        names = [t.name for t in targets if isinstance(t, e.Var)]
        crossed = any(
            isinstance(n, e.Var) and n.name in names[:k]
            for k, v in enumerate(values) for n in walk(v)
        )  # fmt: skip
        if not crossed:
            return tuple(s.Assign(a, b) for a, b in zip(targets, values, strict=True))
        held = [e.Var(fresh_name("held", self.taken), v.type) for v in values]
        first = tuple(s.Decl(h, v) for h, v in zip(held, values, strict=True))
        return (*first, *(s.Assign(a, h) for a, h in zip(targets, held, strict=True)))

    # -- expressions ------------------------------------------------------------------------------

    def scalar(self, x: e.Expr) -> e.Expr:
        """An expression that is no vector itself, with lanes for the vectors in it."""
        if isinstance(x.type, Vector):
            raise Whole
        if isinstance(x, e.Field) and isinstance(x.base.type, Vector):
            return self.lane(x.base, lane_number(x.name))
        if isinstance(x, e.Index) and isinstance(x.base.type, Vector):
            if not isinstance(x.index, e.Const):
                return self._numbered(x)
            return self.lane(x.base, int(x.index.value))
        if isinstance(x, (e.Bits, e.AddressOf)) and isinstance(x.x.type, Vector):
            raise Whole
        if isinstance(x, e.AddressOf) and _of_a_lane(x.x):
            raise Whole
        if isinstance(x, e.Var) and x.name in (self.lanes | self.arrays):
            raise Whole
        if isinstance(x.type, Pointer) and isinstance(x.type.elem, Vector):
            raise Whole
        if isinstance(x, e.Cast) and _points_to_vectors(x.x.type):
            return e.Cast(self.pointer(x.x), x.type)
        new: e.Expr = map_children(x, self.scalar)
        return new

    def _numbered(self, x: e.Index) -> e.Expr:
        """A lane whose number is computed, of a vector that lies in memory or in an array."""
        if not isinstance(x.base, e.Index):
            raise Whole
        assert isinstance(x.base.type, Vector)
        first = self.lane(x.base, 0)
        assert isinstance(first, e.Index)
        index = e.Binary("+", first.index, self._as(self.scalar(x.index), first.index.type),
                         first.index.type)  # fmt: skip
        return replace(first, index=index)

    def _as(self, x: e.Expr, t: Type) -> e.Expr:
        return x if x.type == t else e.Cast(x, t)

    def lane(self, x: e.Expr, k: int) -> e.Expr:
        """One lane of a vector."""
        t = x.type
        assert isinstance(t, Vector)
        if isinstance(x, e.Var):
            if x.name not in self.lanes:
                raise Whole
            return self.lanes[x.name][k]
        if isinstance(x, e.Aggregate):
            if k < len(x.items):
                return self.scalar(x.items[k])
            return e.Const(0.0 if t.elem.is_float else 0, t.elem)
        if isinstance(x, e.Index):
            return self._in_memory(x, k)
        if isinstance(x, e.Select):
            return e.Select(self.scalar(x.cond), self.lane(x.a, k), self.lane(x.b, k), t.elem)
        if isinstance(x, e.Binary) and x.op not in e.COMPARISONS:
            return e.Binary(x.op, self.lane(x.a, k), self.lane(x.b, k), t.elem)
        if isinstance(x, e.Unary):
            return e.Unary(x.op, self.lane(x.x, k), t.elem)
        if isinstance(x, e.Cast) and isinstance(x.x.type, Vector):
            return e.Cast(self.lane(x.x, k), t.elem)
        if isinstance(x, e.Call) and x.func in math_functions():
            return e.Call(x.func, tuple(self.lane(a, k) for a in x.args), t.elem, x.fast)
        raise Whole

    def _in_memory(self, x: e.Index, k: int) -> e.Expr:
        """A lane of an element that lies in an array or behind a pointer."""
        t = x.type
        assert isinstance(t, Vector)
        index = self.scalar(x.index)
        factor = e.Const(t.lanes, index.type)
        at: e.Expr = e.Binary("*", index, factor, index.type)
        if isinstance(index, e.Const):
            at = e.Const(int(index.value) * t.lanes, index.type)
        if k:
            at = e.Binary("+", at, e.Const(k, index.type), index.type)
        if isinstance(x.base.type, Pointer):
            return e.Index(self.pointer(x.base), at, t.elem)
        return e.Index(self._array(x.base), at, t.elem)

    def _array(self, x: e.Expr) -> e.Expr:
        if isinstance(x, e.Var) and x.name in self.arrays:
            return self.arrays[x.name]
        if isinstance(x, e.Index) and isinstance(x.type, Array):
            base = self._array(x.base)
            assert isinstance(base.type, Array)
            return e.Index(base, self.scalar(x.index), base.type.elem)
        raise Whole

    def pointer(self, x: e.Expr) -> e.Expr:
        """A pointer to vectors as one to their elements."""
        t = x.type
        assert isinstance(t, Pointer)
        if not isinstance(t.elem, Vector):
            return self.scalar(x)
        to = replace(t, elem=t.elem.elem)
        if isinstance(x, e.Var):
            if x.name in self.pointers:
                return self.pointers[x.name]
            if x.name not in self.params:
                raise Whole
            return e.Cast(x, to)
        if isinstance(x, e.Cast) and isinstance(x.x.type, Pointer):
            inner = self.pointer(x.x) if _points_to_vectors(x.x.type) else self.scalar(x.x)
            same = isinstance(inner.type, Pointer) and inner.type.elem == to.elem
            return inner if same else e.Cast(inner, to)
        if isinstance(x, e.Binary) and x.op in ("+", "-"):
            by = self.scalar(x.b)
            count = e.Binary("*", by, e.Const(t.elem.lanes, by.type), by.type)
            return e.Binary(x.op, self.pointer(x.a), count, to)
        if isinstance(x, e.AddressOf) and isinstance(x.x, e.Index):
            return e.AddressOf(self._in_memory(x.x, 0), to)
        raise Whole


def _of_a_lane(x: e.Expr) -> bool:
    """Whether a place is one lane of a vector: a pointer to it may reach the others."""
    while isinstance(x, (e.Field, e.Index)):
        if isinstance(x.base.type, Vector):
            return True
        x = x.base
    return False


def _points_to_vectors(t: Type) -> bool:
    return isinstance(t, Pointer) and isinstance(t.elem, Vector)


def _renamed(body: s.Body, new: dict[str, e.Var]) -> s.Body:
    def one(x: e.Expr) -> e.Expr:
        return new.get(x.name, x) if isinstance(x, e.Var) else x

    out: s.Body = rewrite_exprs(body, one)
    return out


def is_one(x: e.Expr) -> bool:
    return isinstance(x, e.Const) and x.value == 1


def _suffix(k: int) -> str:
    return LANES[k] if k < 4 else f"s{k}"


def _innermost(t: Type) -> Type:
    while isinstance(t, Array):
        t = t.elem
    return t


def _flattened(t: Array) -> Array:
    if isinstance(t.elem, Array):
        return Array(_flattened(t.elem), t.size)
    assert isinstance(t.elem, Vector)
    assert t.size is not None
    return Array(t.elem.elem, t.size * t.elem.lanes)


__all__ = ["I32", "Scalar", "in_lanes"]
