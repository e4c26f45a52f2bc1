"""Copies and fillings of the host's as loops over elements, for code that becomes a kernel's."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from xpiler.analysis.effects import assigned, names_in, root
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import fresh_name, map_body, map_children, rewrite_stmts, walk
from xpiler.ir.types import I32, I64, U64, VOID, Array, Pointer, Scalar, Type
from xpiler.passes.lowering.simt import words as w
from xpiler.passes.lowering.simt.context import Lowering
from xpiler.passes.lowering.simt.flat import dims
from xpiler.passes.lowering.simt.inline import reached


def in_loops(low: Lowering, program: Program) -> tuple[Function, ...]:
    """The functions with those that run in loops, a caller's perhaps, as loops over elements."""
    nodes = (n for f in program.functions for n in walk(f.body))
    often = reached(program, [n.body for n in nodes if isinstance(n, (s.For, s.While))])
    return tuple(_in_loops(low, f, f.name in often) for f in program.functions)


def _in_loops(low: Lowering, f: Function, whole: bool) -> Function:
    taken = {p.name for p in f.params} | set(names_in(f.body))
    if whole:
        return f.with_body(everywhere(low, f, f.body, taken))
    copies = _Copies(low, f, taken)

    def one(st: s.Stmt) -> s.Stmt | s.Body:
        if isinstance(st, (s.For, s.While)):
            return replace(st, body=copies.replaced(st.body))
        return map_children(st, lambda c: one(c) if isinstance(c, s.Stmt) else c)

    body = map_body(f.body, one)
    return f if body is f.body else f.with_body(body)


def everywhere(low: Lowering, f: Function, body: s.Body, taken: set[str]) -> s.Body:
    """`body`, which is `f`'s, with all of them as loops where elements on both sides are alike."""
    return _Copies(low, f, taken).replaced(body)


@dataclass
class _Copies:
    """Makes loops of copies; `taken` are names that no new variable may have."""

    low: Lowering
    f: Function
    taken: set[str]

    def replaced(self, body: s.Body) -> s.Body:
        out: s.Body = rewrite_stmts(body, self._stmt)
        return out

    def _stmt(self, st: s.Stmt) -> s.Stmt:
        if isinstance(st, s.Instr) and st.name in ("host.copy", "host.set"):
            return self._loop(st) or st
        return st

    def _loop(self, st: s.Instr) -> s.For | None:
        to, what, size = st.ins[:3]
        to = _typed(to)
        if st.name == "host.set" and isinstance(_element(to), Array):
            return self._rows(st, to, what, size)
        t = _element(to)
        if not isinstance(t, Scalar) or dict(st.attrs).get("kind", "h2h") not in ("h2h", "host"):
            return None
        count = elements_in(size, t.bits // 8) if t.bits else None
        if count is None:
            return None
        i = e.Var(fresh_name("i", self.taken), count.type)
        value = self._copied(to, _typed(what), i) if st.name == "host.copy" else _filled(what, t)
        if value is None:
            return None
        self.taken.add(i.name)
        body = (s.Assign(_at(to, i, t), value),)
        return s.For(i, w.const(0, i.type), count, w.const(1, i.type), body, loc=st.loc)

    def _rows(self, st: s.Instr, to: e.Expr, what: e.Expr, size: e.Expr) -> s.For | None:
        """The filling of all of an array of arrays."""
        counts, t = dims(to.type)
        total = _signed(size)
        value = _filled(what, t) if isinstance(t, Scalar) else None
        whole = value is not None and math.prod(counts) * t.bits // 8  # type: ignore[attr-defined]
        if value is None or not isinstance(total, e.Const) or total.value != whole:
            return None
        place, loops = to, []
        for count in counts:
            i = e.Var(fresh_name("i", self.taken), I32)
            self.taken.add(i.name)
            loops.append((i, w.const(count, I32)))
            assert isinstance(place.type, Array)
            place = e.Index(place, i, place.type.elem)
        body: s.Stmt = s.Assign(place, value, loc=st.loc)
        for i, n in reversed(loops):
            body = s.For(i, w.const(0, I32), n, w.const(1, I32), (body,), loc=st.loc)
        assert isinstance(body, s.For)
        return body

    def _copied(self, to: e.Expr, source: e.Expr, i: e.Var) -> e.Expr | None:
        """Element number `i` of the source, where the copy does not overlap it."""
        t = _element(to)
        return _at(source, i, t) if _element(source) == t and self._apart(to, source) else None

    def _apart(self, a: e.Expr, b: e.Expr) -> bool:
        """Whether two pointers are to different memory, or may be taken to be."""
        one, other = sorted((root(a), root(b)))
        params = {p.name for p in self.f.params} - assigned(self.f.body)
        known = params | self._own()
        if one == other or not {one, other} <= known:
            return False
        return not {one, other} <= params or self.low.ledger.assume_apart(one, other)

    def _own(self) -> set[str]:
        """Arrays of the function's, and what it allocates once and for all."""
        own: list[str] = []
        lost: set[str] = set()
        for n in walk(self.f.body):
            if isinstance(n, s.Decl) and isinstance(n.var.type, Array):
                own.append(n.var.name)
            elif isinstance(n, s.Instr) and n.name == "host.alloc":
                own.append(root(n.outs[0]))
            elif isinstance(n, s.Assign) and isinstance(n.target, e.Var):
                lost.add(n.target.name)
            elif isinstance(n, e.AddressOf) and isinstance(n.x, e.Var):
                lost.add(n.x.name)
        return {n for n in own if own.count(n) == 1} - lost


def _filled(what: e.Expr, t: Scalar) -> e.Expr | None:
    """What elements are that have the byte `what` everywhere."""
    value = what.x if isinstance(what, e.Cast) else what
    if isinstance(value, e.Const) and value.value == 0:
        return e.Const(0.0 if t.is_float else 0, t)
    return w.cast(what, t) if t.bits == 8 and t.is_integer else None


def _typed(p: e.Expr) -> e.Expr:
    """The pointer below a conversion to `void*`."""
    while isinstance(p, e.Cast) and isinstance(p.type, Pointer) and p.type.elem == VOID:
        p = p.x
    return p


def _element(p: e.Expr) -> Type:
    return p.type.elem if isinstance(p.type, (Pointer, Array)) else VOID


def _at(p: e.Expr, i: e.Var, t: Type) -> e.Expr:
    if isinstance(p, e.Binary) and p.op == "+" and isinstance(p.a, e.Var):
        return e.Index(p.a, w.binary("+", w.cast(p.b, i.type), i), t)
    if isinstance(p, e.AddressOf) and isinstance(p.x, e.Index) and isinstance(p.x.base, e.Var):
        return e.Index(p.x.base, w.binary("+", w.cast(p.x.index, i.type), i), t)
    return e.Index(p, i, t)


def elements_in(size: e.Expr, one: int) -> e.Expr | None:
    """The elements of `one` bytes each in `size` bytes; None where they are not clearly whole."""
    return _count(_signed(size), one)


def _signed(size: e.Expr) -> e.Expr:
    """Bytes as i64 where they come from signed numbers: of those none can be negative here."""
    if isinstance(size, e.Const):
        return w.const(int(size.value), I64)
    if isinstance(size, e.Cast) and size.type in (I64, U64) and isinstance(size.x.type, Scalar):
        return w.cast(size.x, I64) if size.x.type.is_signed else size
    if isinstance(size, e.Binary) and size.op in ("*", "+"):
        a, b = _signed(size.a), _signed(size.b)
        return w.binary(size.op, a, b) if a.type == b.type == I64 else size
    return size if size.type == I64 else w.cast(size, U64)


def _count(size: e.Expr, one: int) -> e.Expr | None:
    """The elements in `size` bytes, where they are known to be whole."""
    if isinstance(size, e.Const):
        n = int(size.value)
        return w.const(n // one, size.type) if n % one == 0 else None
    if one == 1:
        return size
    if isinstance(size, e.Binary) and size.op == "*":
        for factor, rest in ((size.b, size.a), (size.a, size.b)):
            count = _count(factor, one)
            if count is not None:
                return w.binary("*", rest, count)
    return None
