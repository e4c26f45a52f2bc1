"""Pointers into a core's memories become offsets: every access names its buffer.

A local pointer whose definitions all lie in one buffer is replaced by that buffer and a number of
bytes; where the number changes, or could, an integer variable keeps it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import fresh_name, map_children, walk
from xpiler.ir.types import I32, I64, Array, Pointer, Scalar, Type
from xpiler.passes.onchip.offsets import (
    ZERO,
    Address,
    byte_size,
    divide,
    innermost,
    plus,
    same_type,
    times,
)

MEMORIES = ("nram", "wram", "shared", "local")


@dataclass
class Pointers:
    """The rewriting of one kernel's body."""

    body: s.Body
    taken: set[str]
    params: tuple[e.Var, ...] = ()
    buffers: dict[str, e.Var] = field(default_factory=dict)
    fixed: dict[str, Address] = field(default_factory=dict)
    moving: dict[str, tuple[e.Var, e.Var]] = field(default_factory=dict)
    defs: dict[str, e.Expr] = field(default_factory=dict)
    names: dict[tuple[str, int], str] = field(default_factory=dict)
    flat: dict[str, e.Var] = field(default_factory=dict)

    def run(self) -> s.Body:
        """The body in which every access to a buffer names it."""
        self._collect()
        self._choose()
        return self._rewrite(self.body)

    # -- what there is ------------------------------------------------------------------------
    def _collect(self) -> None:
        self.changed: set[str] = set()
        self.sources: dict[str, list[e.Expr]] = {}
        self.kinds: dict[str, Pointer] = {}
        self.barred: set[str] = set()
        once: dict[str, list[e.Expr | None]] = {}
        for st in walk(self.body):
            if isinstance(st, s.Decl):
                self._decl(st)
                once.setdefault(st.var.name, []).append(st.init)
            elif isinstance(st, s.Assign):
                self._assign(st)
            elif isinstance(st, s.Instr):
                self.barred |= {o.name for o in st.outs if isinstance(o, e.Var)}
            elif isinstance(st, e.AddressOf) and isinstance(st.x, e.Var):
                self.barred.add(st.x.name)
        self.changed |= self.barred
        for p in self.params:
            plain = isinstance(p.type, Pointer) and byte_size(p.type.elem)
            if plain and p.name not in self.changed:
                self.buffers[p.name] = p
        for name, values in once.items():
            value = values[0]
            if len(values) != 1 or value is None or name in self.changed:
                continue
            if isinstance(value.type, Scalar) and value.type.is_integer:
                self.defs[name] = value

    def _decl(self, st: s.Decl) -> None:
        t = st.var.type
        if isinstance(t, Array) and t.size is not None and byte_size(innermost(t)):
            elem, total = innermost(t), byte_size(t) or 0
            size = byte_size(elem) or 1
            self.buffers[st.var.name] = e.Var(st.var.name, Array(elem, total // size))
        elif isinstance(t, Pointer):
            self.kinds[st.var.name] = t
            self.sources.setdefault(st.var.name, [])
            if st.init is not None:
                self.sources[st.var.name].append(st.init)

    def _assign(self, st: s.Assign) -> None:
        target = st.target
        if not isinstance(target, e.Var):
            return
        self.changed.add(target.name)
        if isinstance(target.type, Pointer):
            self.sources.setdefault(target.name, []).append(
                e.Binary(st.op, target, st.value, target.type) if st.op else st.value
            )

    # -- which pointers become offsets --------------------------------------------------------
    def _choose(self) -> None:
        while True:
            more = [n for n in self.sources if self._settle(n)]
            if not more:
                return

    def _settle(self, name: str) -> bool:
        """Whether pointer `name` was found to lie in one buffer just now."""
        if name in self.fixed or name in self.moving or name in self.barred:
            return False
        values = self.sources[name]
        if name not in self.kinds or not values:
            return False
        if name not in self.changed and len(values) == 1:
            found = self.address(values[0])
            if found is not None and self._lasts(found.offset):
                self.fixed[name] = found
                self.names.setdefault((found.base.name, _constant(found.offset)), name)
                return True
        bases = [self._base(v, name) for v in values]
        known = {b.name: b for b in bases if b is not None and b.name != name}
        if any(b is None for b in bases) or len(known) != 1:
            return False
        at = e.Var(fresh_name(f"{name.split('.')[0]}_at", self.taken), I64)
        self.moving[name] = (next(iter(known.values())), at)
        return True

    def _base(self, x: e.Expr, own: str) -> e.Var | None:
        """The buffer that `x` points into; the variable `own` itself stands for whatever it is."""
        if isinstance(x, e.Var) and x.name == own:
            return x
        if isinstance(x, e.Cast) and isinstance(x.type, Pointer):
            return self._base(x.x, own)
        if isinstance(x, e.Binary) and isinstance(x.type, Pointer):
            pointer = x.a if isinstance(x.a.type, (Pointer, Array)) else x.b
            return self._base(pointer, own)
        if isinstance(x, e.Select):
            a, b = self._base(x.a, own), self._base(x.b, own)
            return a if a is not None and b is not None and a.name == b.name else None
        found = self.address(x)
        return found.base if found is not None else None

    def _lasts(self, x: e.Expr) -> bool:
        """Whether `x` is the same wherever it is in scope."""
        return not any(
            isinstance(n, (e.Index, e.Call, e.Field))
            or (isinstance(n, e.Var) and n.name in self.changed)
            for n in walk(x)
        )

    # -- addresses ----------------------------------------------------------------------------
    def address(self, x: e.Expr) -> Address | None:
        """Where a pointer (or an array) lies, or None where that is not in a buffer."""
        if isinstance(x, e.Var):
            return self._of_var(x)
        if isinstance(x, e.Cast) and isinstance(x.type, Pointer):
            return self.address(x.x) if isinstance(x.x.type, (Pointer, Array)) else None
        if isinstance(x, e.Binary) and isinstance(x.type, Pointer) and x.op in ("+", "-"):
            return self._moved(x)
        if isinstance(x, e.Select) and isinstance(x.type, Pointer):
            return self._selected(x)
        if isinstance(x, e.AddressOf) and isinstance(x.x, (e.Index, e.Var)):
            return self._of_place(x.x)
        if isinstance(x, e.Index) and isinstance(x.type, Array):
            return self._of_place(x)
        return None

    def _of_var(self, x: e.Var) -> Address | None:
        if x.name in self.buffers:
            return Address(self.buffers[x.name], ZERO)
        if x.name in self.fixed:
            return self.fixed[x.name]
        if x.name in self.moving:
            base, at = self.moving[x.name]
            return Address(base, at)
        return None

    def _moved(self, x: e.Binary) -> Address | None:
        left = isinstance(x.a.type, (Pointer, Array))
        found = self.address(x.a if left else x.b)
        elem = x.type.elem if isinstance(x.type, Pointer) else None
        size = byte_size(elem) if elem is not None else None
        if found is None or not size:
            return None
        step = times(self.expr(x.b if left else x.a), size)
        if x.op == "-":
            a, b, t = same_type(found.offset, step)
            return Address(found.base, e.Binary("-", a, b, t))
        return found.moved(step)

    def _selected(self, x: e.Select) -> Address | None:
        a, b = self.address(x.a), self.address(x.b)
        if a is None or b is None or a.base != b.base:
            return None
        one, other, t = same_type(a.offset, b.offset)
        return Address(a.base, e.Select(self.expr(x.cond), one, other, t))

    def _of_place(self, x: e.Expr) -> Address | None:
        if isinstance(x, e.Var):
            return self._of_var(x) if isinstance(x.type, Array) else None
        if not isinstance(x, e.Index):
            return None
        found = self.address(x.base)
        size = byte_size(x.type)
        if found is None or not size:
            return None
        return found.moved(times(self.expr(x.index), size))

    # -- rewriting ----------------------------------------------------------------------------
    def _rewrite(self, body: s.Body) -> s.Body:
        out: list[s.Stmt] = []
        for st in body:
            out += self._statement(st)
        return tuple(out)

    def _statement(self, st: s.Stmt) -> Iterator[s.Stmt]:
        if isinstance(st, s.Decl):
            yield from self._declared(st)
        elif (
            isinstance(st, s.Assign)
            and isinstance(st.target, e.Var)
            and st.target.name in self.moving
        ):
            yield self._reset(st)
        elif isinstance(st, s.If) and isinstance(test := self.expr(st.cond), e.Const):
            yield from self._rewrite(st.then if test.value else st.orelse)
        elif isinstance(st, s.For) and (copy := self._copy(st)) is not None:
            yield copy
        else:
            yield self._plain(st)

    def _copy(self, st: s.For) -> s.Stmt | None:
        """A copy of bytes between things that hold larger elements, element by element."""
        one = st.body[0] if len(st.body) == 1 else None
        if not isinstance(one, s.Assign) or one.op or not _counts_from_zero(st):
            return None
        sides = [x for x in (one.target, one.value) if isinstance(x, e.Index) and x.index == st.var]
        if len(sides) != 2 or any(byte_size(x.type) != 1 for x in sides):
            return None
        for side in sides:
            t = self._natural(side.base)
            size = byte_size(t) if t is not None else None
            count = divide(st.hi, size, self.defs) if size and size > 1 else None
            places = [self.address(x.base) for x in sides]
            if t is None or count is None or None in places:
                continue
            a, b = (p.at(t, st.var, self.defs) for p in places if p is not None)
            if a is not None and b is not None:
                hi = self.expr(count)
                hi = hi if hi.type == st.hi.type else e.Cast(hi, st.hi.type)
                return replace(st, hi=hi, body=(replace(one, target=a, value=b),))
        return None

    def _natural(self, x: e.Expr) -> Type | None:
        """What a pointer pointed to before it was made one to bytes."""
        if isinstance(x, e.Cast) and isinstance(x.x.type, (Pointer, Array)):
            return self._natural(x.x)
        if isinstance(x, e.Binary) and isinstance(x.type, Pointer):
            return self._natural(x.a if isinstance(x.a.type, (Pointer, Array)) else x.b)
        if isinstance(x, e.Var) and len(self.sources.get(x.name, ())) == 1:
            found = self._natural(self.sources[x.name][0])
            if found is not None:
                return found
        t = innermost(x.type.elem) if isinstance(x.type, (Pointer, Array)) else None
        return t if t is not None and (byte_size(t) or 0) > 1 else None

    def _declared(self, st: s.Decl) -> Iterator[s.Stmt]:
        name = st.var.name
        if name in self.fixed:
            return
        if name in self.moving:
            at = self.moving[name][1]
            value = self._offset(st.init) if st.init is not None else None
            yield replace(st, var=at, init=value, space="local", const=False)
        elif name in self.buffers:
            plain = self._plain(st)
            assert isinstance(plain, s.Decl)
            yield replace(plain, var=self.buffers[name])
        else:
            yield self._plain(st)

    def _reset(self, st: s.Assign) -> s.Stmt:
        assert isinstance(st.target, e.Var)
        at = self.moving[st.target.name][1]
        value = e.Binary(st.op, st.target, st.value, st.target.type) if st.op else st.value
        return replace(st, target=at, value=self._offset(value), op="")

    def _offset(self, x: e.Expr) -> e.Expr:
        found = self.address(x)
        assert found is not None
        return found.offset if found.offset.type == I64 else e.Cast(found.offset, I64)

    def _plain(self, st: s.Stmt) -> s.Stmt:
        def go(child: object) -> object:
            if isinstance(child, e.Expr):
                return self.expr(child)
            if isinstance(child, s.Case):
                return replace(child, body=self._rewrite(child.body))
            assert isinstance(child, s.Stmt)
            return tuple(self._statement(child))

        return map_children(st, go)

    def expr(self, x: e.Expr) -> e.Expr:
        """`x` with accesses through pointers as accesses to buffers."""
        if isinstance(x, e.Index) and not isinstance(x.type, Array):
            place = self._element(x)
            if place is not None:
                return place
        if isinstance(x, e.Binary) and x.op in ("/", "%") and isinstance(x.type, Scalar):
            folded = self._divided(x)
            if folded is not None:
                return folded
        if isinstance(x, e.Binary) and x.op in ("==", "!="):
            return self._compared(x)
        if isinstance(x.type, Pointer) or isinstance(x, e.Index):
            found = self.address(x) if isinstance(x.type, (Pointer, Array)) else None
            if found is not None and not (isinstance(x, e.Var) and x.name in self.buffers):
                return self._pointer(found, x.type)
        if isinstance(x, e.Var):
            return self.buffers.get(x.name, x)
        return map_children(x, lambda c: self.expr(c) if isinstance(c, e.Expr) else c)

    def _compared(self, x: e.Binary) -> e.Expr:
        a, b = self.expr(x.a), self.expr(x.b)
        if isinstance(a, e.Const) and isinstance(b, e.Const):
            return e.Const((a.value == b.value) == (x.op == "=="), x.type)
        return replace(x, a=a, b=b)

    def _element(self, x: e.Index) -> e.Expr | None:
        found = self.address(x.base)
        return found.at(x.type, self.expr(x.index), self.defs) if found is not None else None

    def _pointer(self, at: Address, t: Type) -> e.Expr:
        elem = t.elem if isinstance(t, (Pointer, Array)) else t
        place = (
            at.at(elem, ZERO, self.defs) if byte_size(elem) and elem.__class__ is Scalar else None
        )
        if isinstance(place, e.Index):
            if place.index == ZERO or (isinstance(place.index, e.Const) and not place.index.value):
                return place.base
            return e.AddressOf(place, Pointer(elem))
        raw = e.Binary(
            "+", e.Cast(at.base, Pointer(Scalar("i8"))), at.offset, Pointer(Scalar("i8"))
        )
        return e.Cast(raw, Pointer(elem))

    def _divided(self, x: e.Binary) -> e.Expr | None:
        """Bytes divided by the size of an element, where the form shows that it divides them."""
        if not isinstance(x.b, e.Const) or x.b.value not in (1, 2, 4, 8):
            return None
        if x.b.value == 1:
            return e.Const(0, x.type) if x.op == "%" else self.expr(x.a)
        quotient = divide(x.a, int(x.b.value), self.defs)
        if quotient is None or isinstance(quotient, e.Const):
            return None
        if x.op == "%":
            return e.Const(0, x.type)
        quotient = self.expr(quotient)
        return quotient if quotient.type == x.type else e.Cast(quotient, x.type)


def _counts_from_zero(st: s.For) -> bool:
    ends = (st.lo, st.step)
    return all(isinstance(x, e.Const) for x in ends) and [x.value for x in ends] == [0, 1]  # type: ignore[attr-defined]


def _constant(x: e.Expr) -> int:
    from xpiler.passes.onchip.offsets import constant_part

    return constant_part(x)[0]


__all__ = ["I32", "MEMORIES", "Pointers", "plus"]
