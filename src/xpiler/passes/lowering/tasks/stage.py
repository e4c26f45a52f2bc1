"""Scalar code does not touch the device's memory: what it reads is copied near it, piece by piece.

Where a loop reads an element further in each iteration, pieces of it are copied before; single
elements are copied one by one. Stores go the other way.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from xpiler.analysis.affine import to_expr
from xpiler.analysis.dependence import not_aliased
from xpiler.analysis.effects import assigned, declared, names_in
from xpiler.analysis.pointers import Target, target
from xpiler.analysis.poly import Poly
from xpiler.analysis.ranges import Facts
from xpiler.analysis.walker import after, inside
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import fresh_name, map_children, rewrite_exprs, substitute, walk
from xpiler.ir.types import I32, Pointer, Scalar, Type, Vector
from xpiler.passes.lowering.tasks.build import (
    ONE,
    ZERO,
    add,
    address,
    at,
    cast,
    const,
    copy,
    folded,
    is_const,
    least,
    strided,
    sub,
)  # fmt: skip
from xpiler.passes.lowering.tasks.nram import Arena, TooLarge

PIECE = 256
"""Elements that are copied ahead of a scalar loop."""


@dataclass
class Stager:
    """Rewrites a kernel's statements; `far` names the pointers to the device's memory."""

    arena: Arena
    far: frozenset[str]
    held: list[e.Var] = field(default_factory=list)

    def body(self, body: s.Body, facts: Facts) -> s.Body:
        out: list[s.Stmt] = []
        for st in body:
            out += self.statement(st, facts)
            facts = after(st, facts)
        return tuple(out)

    def statement(self, st: s.Stmt, facts: Facts) -> s.Body:
        """The statement after copies of what it reads; their room is free again behind it."""
        first = len(self.held)
        out = self._rewritten(st, facts)
        for item in self.held[first:]:
            self.arena.release(item)
        del self.held[first:]
        return out

    def _rewritten(self, st: s.Stmt, facts: Facts) -> s.Body:
        if isinstance(st, s.For):
            return self._for(st, facts)
        if isinstance(st, s.Scope):
            return (replace(st, body=self.body(st.body, facts)),)
        if isinstance(st, s.While):
            return (replace(st, body=self.body(st.body, facts), step=self.body(st.step, facts)),)
        if isinstance(st, s.Switch):
            cases = tuple(replace(c, body=self.body(c.body, facts)) for c in st.cases)
            return (replace(st, cases=cases),)
        if isinstance(st, s.If):
            front, cond = self._fetched(st.cond, facts)
            then = self.body(st.then, facts.with_cond(st.cond))
            other = self.body(st.orelse, facts.with_cond(st.cond, False))
            return (*front, replace(st, cond=cond, then=then, orelse=other))
        return self._simple(st, facts)

    # -- one element at a time ------------------------------------------------------------------

    def _simple(self, st: s.Stmt, facts: Facts) -> s.Body:
        if isinstance(st, s.Decl) and st.init is not None and not _is_pointer(st.var.type):
            chosen = isinstance(st.init, e.Select) and self._reads(st.init, facts)
            if chosen and isinstance(st.init, e.Select):
                return (replace(st, init=None, const=False), *self._chosen(st.var, st.init, facts))
            front, x = self._fetched(st.init, facts)
            return (*front, replace(st, init=x))
        if isinstance(st, s.Assign):
            return self._assign(st, facts)
        if isinstance(st, s.Eval) and isinstance(st.call, e.Call) and _is_platforms(st.call):
            front, args = self._arguments(st.call.args, facts)
            return (*front, replace(st, call=replace(st.call, args=args)))
        return (st,)

    def _chosen(self, var: e.Expr, x: e.Select, facts: Facts) -> s.Body:
        then = s.Assign(var, x.a)
        other = s.Assign(var, x.b)
        return self.statement(s.If(x.cond, (then,), (other,)), facts)

    def _assign(self, st: s.Assign, facts: Facts) -> s.Body:
        chosen = isinstance(st.value, e.Select) and not st.op and self._reads(st.value, facts)
        if chosen and isinstance(st.value, e.Select) and isinstance(st.target, e.Var):
            return self._chosen(st.target, st.value, facts)
        front, value = self._fetched(st.value, facts)
        if not self._is_far(st.target, facts) or _size(st.target.type) is None:
            return (*front, replace(st, value=value))
        assert isinstance(st.target, e.Index)
        item = self._item(st.target, facts)
        if item is None:
            return (*front, replace(st, value=value))
        more, index = self._fetched(st.target.index, facts)
        place = address(replace(st.target, index=index))
        t = st.target.type
        load = (_moved(item, place, t, "GDRAM2NRAM"),) if st.op else ()
        store = _moved(place, item, t, "NRAM2GDRAM")
        return (*front, *more, *load, replace(st, target=at(item, ZERO), value=value), store)

    def _arguments(
        self, args: tuple[e.Expr, ...], facts: Facts
    ) -> tuple[s.Body, tuple[e.Expr, ...]]:
        front: list[s.Stmt] = []
        out: list[e.Expr] = []
        for a in args:
            if isinstance(a, e.Select) and self._reads(a, facts):
                var = e.Var(fresh_name("value", self.arena.taken), a.type)
                front += [s.Decl(var), *self._chosen(var, a, facts)]
                out.append(var)
                continue
            if isinstance(a, e.AddressOf) or _is_pointer(a.type):
                out.append(a)
                continue
            more, x = self._fetched(a, facts)
            front += more
            out.append(x)
        return tuple(front), tuple(out)

    def _fetched(self, x: e.Expr, facts: Facts) -> tuple[s.Body, e.Expr]:
        """`x` with what it always reads from far replaced by copies, made by statements before."""
        front: list[s.Stmt] = []

        def go(n: e.Expr, sure: bool) -> e.Expr:
            if isinstance(n, e.Index) and sure and self._is_far(n, facts):
                inner = replace(n, index=go(n.index, sure))
                item = self._item(n, facts) if _size(n.type) is not None else None
                if item is None:
                    return inner
                front.append(_moved(item, address(inner), n.type, "GDRAM2NRAM"))
                return at(item, ZERO)
            if isinstance(n, e.AddressOf):
                return n
            if isinstance(n, e.Select) or (isinstance(n, e.Binary) and n.op in e.LOGICAL):
                first = n.cond if isinstance(n, e.Select) else n.a
                return map_children(n, lambda c: go(c, sure and c is first))
            return map_children(n, lambda c: go(c, sure))

        new = go(x, True)
        return tuple(front), new

    def _item(self, place: e.Index, facts: Facts) -> e.Var | None:
        """Room for one element."""
        found = target(place.base, facts)
        stem = found.root.name.split(".")[0] if found is not None else "far"
        t = place.type
        try:
            if isinstance(t, Scalar):
                item = self.arena.array(f"{stem}_item", t, 1)
                self.held.append(item)
                return item
        except TooLarge:
            return None
        return None

    def _is_far(self, x: e.Expr, facts: Facts) -> bool:
        if not isinstance(x, e.Index) or not isinstance(x.base.type, Pointer):
            return False
        found = target(x.base, facts)
        return isinstance(found, Target) and found.root.name in self.far

    def _reads(self, x: e.Expr, facts: Facts) -> bool:
        return any(self._is_far(n, facts) for n in walk(x) if isinstance(n, e.Index))

    # -- pieces ahead of a loop -------------------------------------------------------------------

    def _for(self, st: s.For, facts: Facts) -> s.Body:
        front, hi = self._fetched(st.hi, facts)
        more, lo = self._fetched(st.lo, facts)
        st = replace(st, lo=lo, hi=hi)
        inner = inside(st, facts)
        ahead = self._ahead(st, facts, inner) if is_const(st.step, 1) else []
        if not ahead:
            return (*front, *more, replace(st, body=self.body(st.body, inner)))
        new = self._in_pieces(st, ahead, facts)
        return (*front, *more, *(new or (replace(st, body=self.body(st.body, inner)),)))

    def _ahead(self, st: s.For, facts: Facts, inner: Facts) -> list[tuple[e.Index, Poly]]:
        """What every iteration reads further on, and by how many elements."""
        changing = assigned(st.body) | set(declared(st.body))
        written = self._written(st.body, inner)
        out: dict[e.Expr, Poly] = {}
        known = inner
        for top in st.body:
            for place in self._always(top):
                if place in out or not self._is_far(place, known):
                    continue
                if names_in(place) & changing or written is None:
                    continue
                found = target(place.base, known)
                assert found is not None
                if found.root.name in written or not self._apart(found.root, written, facts):
                    continue
                by = self._step(place, st.var, known)
                if by is not None and isinstance(place.type, Scalar):
                    out[place] = by
            known = after(top, known)
        return list(out.items())  # type: ignore[arg-type]

    def _apart(self, root: e.Var, written: dict[str, e.Var], facts: Facts) -> bool:
        return all(not_aliased(root, w, facts) for w in written.values())

    def _step(self, place: e.Index, var: e.Var, facts: Facts) -> Poly | None:
        split = facts.address(place.index).split(var.name)
        if split is None or not split[0].terms:
            return None
        hidden = {v for p in split for a in p.atoms() for v in facts.inside_of(a)}
        return None if var.name in hidden else split[0]

    def _always(self, st: s.Stmt) -> list[e.Index]:
        """What a statement of the loop's body reads whenever it runs."""
        roots: list[e.Expr] = []
        if isinstance(st, s.Decl) and st.init is not None:
            roots = [st.init]
        elif isinstance(st, s.Assign):
            roots = [st.value]
        elif isinstance(st, s.If):
            roots = [st.cond]
        elif isinstance(st, s.Eval) and isinstance(st.call, e.Call):
            roots = [a for a in st.call.args if not isinstance(a, e.AddressOf)]
        out: list[e.Index] = []

        def go(n: e.Expr) -> None:
            if isinstance(n, e.AddressOf):
                return
            if isinstance(n, e.Index):
                out.append(n)
            if isinstance(n, e.Select) or (isinstance(n, e.Binary) and n.op in e.LOGICAL):
                go(n.cond if isinstance(n, e.Select) else n.a)
                return
            from xpiler.ir.rewrite import children

            for c in children(n):
                if isinstance(c, e.Expr):
                    go(c)

        for r in roots:
            go(r)
        return out

    def _written(self, body: s.Body, facts: Facts) -> dict[str, e.Var] | None:
        """Far memory that the loop writes; None where that cannot be told."""
        out: dict[str, e.Var] = {}
        local = declared(body)
        for n in walk(body):
            places: list[e.Expr] = []
            if isinstance(n, s.Assign) and isinstance(n.target, e.Index):
                places.append(n.target.base)
            elif isinstance(n, e.Call) and n.func == "__memcpy":
                way = n.args[3]
                if isinstance(way, e.Call) and way.func.endswith("GDRAM"):
                    places.append(n.args[0])
            elif isinstance(n, (s.Instr, s.Launch)):
                return None
            for p in places:
                base = _base_of(p)
                if base is None:
                    return None
                if base.name in local and isinstance(local[base.name].var.type, Pointer):
                    init = local[base.name].init
                    base = _base_of(init) if init is not None else None
                    if base is None:
                        return None
                found = target(base, facts)
                if found is None:
                    return None
                if found.root.name in self.far:
                    out[found.root.name] = found.root
        return out

    def _in_pieces(
        self, st: s.For, ahead: list[tuple[e.Index, Poly]], facts: Facts
    ) -> s.Body | None:
        trip = None
        if isinstance(st.lo, e.Const) and isinstance(st.hi, e.Const):
            trip = int(st.hi.value) - int(st.lo.value)
            if trip <= 0:
                return None
        width = min(PIECE, trip or PIECE)
        mark = self.arena.mark()
        base: e.Expr = st.lo
        head: list[s.Stmt] = []
        count: e.Expr = const(width)
        if trip != width:
            start = e.Var(
                fresh_name(f"{st.var.name.split('.')[0]}0", self.arena.taken), st.var.type
            )
            n = e.Var(fresh_name("n", self.arena.taken), I32)
            left = sub(st.hi, start)
            head.append(s.Decl(n, cast(least(e.Const(width, left.type), left), I32), const=True))
            base, count = start, n
        copies, rooms = [], []
        mapping: dict[e.Index, e.Index] = {}
        try:
            for place, by in ahead:
                stem = _base_of(place.base)
                name = stem.name.split(".")[0] if stem is not None else "far"
                room = self.arena.array(f"{name}_ahead", place.type, width)
                rooms.append(room)
                src = address(folded(substitute(place, {st.var.name: base})))
                stride = to_expr(facts, by, I32, checked=False)
                if stride is None:
                    raise TooLarge("a stride that cannot be written")
                if is_const(stride, 1):
                    copies.append(copy(room, src, count, place.type, "GDRAM2NRAM"))
                else:
                    copies.append(strided(room, src, count, place.type, "GDRAM2NRAM", ONE, stride))
                mapping[place] = at(room, cast(sub(st.var, base), I32))
        except TooLarge:
            self.arena.back(mark)
            return None
        body = _read_near(st.body, mapping)
        inner = inside(st, facts)
        done = self.body(body, inner)
        for room in rooms:
            self.arena.release(room)
        last = add(base, cast(count, st.var.type))
        loop = replace(st, lo=base, hi=last, body=done) if head else replace(st, body=done)
        if not head:
            return (*copies, loop)
        step = e.Const(width, st.var.type)
        assert isinstance(base, e.Var)
        return (s.For(base, st.lo, st.hi, step, (*head, *copies, loop)),)


def _read_near(body: s.Body, mapping: dict[e.Index, e.Index]) -> s.Body:
    """What is read at the places comes from the copies; addresses stay where they were."""
    places = {copied: place for place, copied in mapping.items()}

    def one(x: e.Expr) -> e.Expr:
        if isinstance(x, e.AddressOf) and isinstance(x.x, e.Index) and x.x in places:
            return replace(x, x=places[x.x])
        return mapping.get(x, x) if isinstance(x, e.Index) else x

    out: s.Body = rewrite_exprs(body, one)
    return out


def _base_of(x: e.Expr) -> e.Var | None:
    while not isinstance(x, e.Var):
        if isinstance(x, (e.Index, e.Field)):
            x = x.base
        elif isinstance(x, (e.AddressOf, e.Cast)):
            x = x.x
        elif isinstance(x, e.Binary) and isinstance(x.type, Pointer):
            x = x.a
        else:
            return None
    return x


def _is_platforms(call: e.Call) -> bool:
    return call.func.startswith("__")


def _is_pointer(t: Type) -> bool:
    return isinstance(t, Pointer)


def _size(t: Type) -> int | None:
    return t.bits // 8 if isinstance(t, Scalar) else None


def _moved(dst: e.Expr, src: e.Expr, t: Type, way: str) -> s.Stmt:
    return copy(dst, src, ONE, t, way)


__all__ = ["Stager", "Vector"]
