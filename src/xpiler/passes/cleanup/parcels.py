"""One buffer that a host function divides among several arrays becomes a buffer for each.

`d = malloc(2 * n); copy(d, x); kernel(d, d + n, n); copy(y, d + n)`: where the copies, and what the
kernels reach through each pointer, stay within the pointer's part, the parts are memory of their
own. Each may then turn out to mirror a buffer of the host's.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise

from xpiler.analysis.affine import to_expr
from xpiler.analysis.effects import assigned, declared, names_in
from xpiler.analysis.pointers import byte_size
from xpiler.analysis.poly import Poly, atom
from xpiler.analysis.ranges import Facts, is_int
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import fresh_name, map_children, walk
from xpiler.ir.types import U64, Pointer
from xpiler.passes.cleanup.base import Context, Walker, each_function, facts_at, value_sentence


@dataclass(frozen=True)
class Parcels:
    """Parts of one allocation that calls and copies keep apart, as allocations of their own."""

    name: str = "parcels"

    def apply(self, program: Program, ctx: Context) -> Program:
        def one(f: Function) -> Function:
            for st in f.body:
                if isinstance(st, s.Instr) and st.name == "host.alloc":
                    divided = _Division(f, st, program, ctx).body()
                    if divided is not None:
                        return one(f.with_body(divided))
            return f

        return each_function(program, one)


class _Elsewhere(Exception):
    """The memory is used in a way that is not followed."""


@dataclass
class _Part:
    """A part of the memory: where it starts, and who asks for how much of it."""

    start: Poly
    name: str = ""
    sizes: list[e.Expr] = field(default_factory=list)
    calls: list[tuple[Function, e.Var, e.Call]] = field(default_factory=list)


class _Division:
    """What statement `alloc` of a function's body asks for, divided up."""

    def __init__(self, f: Function, alloc: s.Instr, program: Program, ctx: Context) -> None:
        self.f, self.alloc, self.program, self.ctx = f, alloc, program, ctx
        self.facts = facts_at(alloc, f.body, ctx.facts(f))
        self.views: dict[str, Poly] = {}
        self.parts: dict[Poly, _Part] = {}

    def body(self) -> s.Body | None:
        """The function's body with one allocation for each part; None where it stays one."""
        var = self.alloc.outs[0]
        if not isinstance(var, e.Var) or var.name not in declared(self.f.body):
            return None
        if not isinstance(var.type, Pointer) or byte_size(var.type.elem) is None:
            return None
        self.var, self.elem = var, byte_size(var.type.elem) or 1
        self.views[var.name] = Poly({})
        try:
            for st in self.f.body:
                self._statement(st)
        except _Elsewhere:
            return None
        parts = self._in_order()
        following = (*parts[1:], None)
        if len(parts) < 2 or not all(map(self._keeps_in, parts, following)):
            return None
        return self._divided(parts)

    # -- who uses what -------------------------------------------------------------------------

    def _statement(self, st: s.Stmt) -> None:
        if not names_in(st) & set(self.views) or st is self.alloc:
            return
        if isinstance(st, s.Decl):
            self._declaration(st)
        elif isinstance(st, s.Instr) and st.name == "host.free" and _bare(st.ins[0]) == self.var:
            return
        elif isinstance(st, s.Instr) and st.name in ("host.copy", "host.set"):
            for x in st.ins[:2] if st.name == "host.copy" else st.ins[:1]:
                if (start := self._start(x)) is not None:
                    self._part(start).sizes.append(st.ins[2])
            self._no_more(st.ins[2])
        elif isinstance(st, s.Eval) and isinstance(st.call, e.Call):
            self._call(st.call)
        else:
            raise _Elsewhere

    def _declaration(self, d: s.Decl) -> None:
        if d.init is None and d.var == self.var:
            return
        start = None if d.init is None else self._start(d.init)
        if start is None or d.var.name in assigned(self.f.body) or d.var.type != self.var.type:
            raise _Elsewhere
        self.views[d.var.name] = start

    def _call(self, call: e.Call) -> None:
        callee = next((f for f in self.program.functions if f.name == call.func), None)
        for k, x in enumerate(call.args):
            start = self._start(x)
            if start is not None:
                if callee is None or len(callee.params) != len(call.args):
                    raise _Elsewhere
                self._part(start).calls.append((callee, callee.params[k], call))

    def _no_more(self, x: e.Expr) -> None:
        if names_in(x) & set(self.views):
            raise _Elsewhere

    def _start(self, x: e.Expr) -> Poly | None:
        """Where in the memory `x` points to, in elements; None where it points elsewhere."""
        bare = _bare(x)
        if isinstance(bare, e.Var) and bare.name in self.views:
            return self.views[bare.name]
        if isinstance(bare, e.AddressOf) and isinstance(bare.x, e.Index):
            bare = e.Binary("+", bare.x.base, bare.x.index, bare.x.base.type)
        if isinstance(bare, e.Binary) and bare.op == "+" and is_int(bare.b.type):
            base = self._start(bare.a) if isinstance(bare.a.type, Pointer) else None
            if base is not None and bare.a.type == self.var.type:
                self._no_more(bare.b)
                offset = self.facts.address(bare.b)
                if names_in(bare.b) & assigned(self.f.body) or not self.facts.stable(offset):
                    raise _Elsewhere
                return base + offset
        self._no_more(bare)
        return None

    def _part(self, start: Poly) -> _Part:
        return self.parts.setdefault(start, _Part(start))

    # -- what lies where -----------------------------------------------------------------------

    def _in_order(self) -> list[_Part]:
        """The parts, each at or behind the one before it; none where that is not known."""
        parts = list(self.parts.values())
        size = {id(p): len(p.start.terms) and sum(map(abs, p.start.terms.values())) for p in parts}
        parts.sort(key=lambda p: size[id(p)])
        rising = all(self.facts.nonneg(b.start - a.start) or self._assumed(b.start - a.start)
                     for a, b in pairwise(parts))  # fmt: skip
        return parts if rising and parts and not parts[0].start.terms else []

    def _assumed(self, p: Poly) -> bool:
        return self.facts.assume(f"{value_sentence(self.facts, p)} is not negative", p)

    def _keeps_in(self, part: _Part, following: _Part | None) -> bool:
        """Whether nobody who has a pointer to `part` leaves it."""
        length = following.start - part.start if following is not None else None
        if length is not None and not all(
            self.facts.nonneg(length * self.elem - self.facts.raw(x)) for x in part.sizes
        ):
            return False
        return all(
            reaches_only(callee, p, self._told(callee, call, length), length is not None, self.ctx)
            for callee, p, call in part.calls
        )

    def _told(self, callee: Function, call: e.Call, length: Poly | None) -> Poly | None:
        """The part's length as `callee` knows it, by its parameters."""
        if length is None:
            return None
        given: dict[str, Poly] = {}
        for p, x in zip(callee.params, call.args, strict=True):
            if is_int(p.type) and p.name not in assigned(callee.body):
                value = self.facts.poly(x)
                if value == length:
                    return atom(p.name)
                if len(value.terms) == 1 and value.constant is None:
                    ((mono, c),) = value.terms.items()
                    if c == 1 and len(mono) == 1:
                        given[mono[0]] = atom(p.name)
        return length.substitute(given) if length.atoms() <= set(given) else None

    # -- the new text --------------------------------------------------------------------------

    def _divided(self, parts: list[_Part]) -> s.Body | None:
        taken = {p.name for p in self.f.params} | set(names_in(self.f.body))
        new: dict[Poly, e.Var] = {}
        heads: list[s.Stmt] = []
        for part, following in zip(parts, (*parts[1:], None), strict=True):
            bytes_ = self._bytes(part, following)
            if bytes_ is None:
                return None
            own = self._variable(part, taken)
            new[part.start] = own
            heads += [] if own == self.var else [s.Decl(own)]
            heads.append(replace(self.alloc, outs=(own,), ins=(bytes_,)))
        return self._with(new, heads)

    def _bytes(self, part: _Part, following: _Part | None) -> e.Expr | None:
        """What to allocate: as a copy says it, where one fills the part."""
        end = following.start if following is not None else self._count()
        if end is None:
            return None
        length = end - part.start
        for x in part.sizes:
            if self.facts.raw(x) == length * self.elem:
                return x
        return to_expr(self.facts, length * self.elem, U64, checked=False)

    def _count(self) -> Poly | None:
        asked = self.facts.raw(self.alloc.ins[0])
        if any(c % self.elem for c in asked.terms.values()):
            return None
        return Poly({mono: c // self.elem for mono, c in asked.terms.items()})

    def _variable(self, part: _Part, taken: set[str]) -> e.Var:
        if not part.start.terms:
            return self.var
        named = [name for name, start in self.views.items() if start == part.start]
        name = named[0] if named else fresh_name(self.var.name, taken)
        taken.add(name)
        return e.Var(name, self.var.type)

    def _with(self, new: dict[Poly, e.Var], heads: list[s.Stmt]) -> s.Body:
        def one(x: e.Expr) -> e.Expr:
            if isinstance(x.type, Pointer) and not isinstance(x, e.Cast):
                start = self._start(x) if names_in(x) & set(self.views) else None
                if start is not None:
                    return new[start]
            return map_children(x, one)

        out: list[s.Stmt] = []
        for st in self.f.body:
            if st is self.alloc:
                out += heads
            elif isinstance(st, s.Decl) and st.var.name in self.views and st.var != self.var:
                continue
            elif isinstance(st, s.Instr) and st.name == "host.free" and self.var in walk(st):
                out += [replace(st, ins=(own,)) for own in new.values()]
            elif isinstance(st, s.Instr):
                out.append(replace(st, ins=tuple(map(one, st.ins))))
            elif isinstance(st, s.Eval):
                out.append(replace(st, call=one(st.call)))
            else:
                out.append(st)
        return tuple(out)


def _bare(x: e.Expr) -> e.Expr:
    while isinstance(x, e.Cast) and isinstance(x.type, Pointer):
        x = x.x
    return x


# -- what a function reaches --------------------------------------------------------------------


def reaches_only(f: Function, p: e.Var, length: Poly | None, ends: bool, ctx: Context) -> bool:
    """Whether `f`, through `p`, stays from 0 up to `length` (not `ends`: there is no end)."""
    if ends and length is None:
        return False
    looker = _Looker(p, length)
    facts = ctx.facts(f)
    if p.name in facts.mutable:
        return False
    looker.run(f, facts)
    return looker.inside and _only_subscripts(f, p)


def _only_subscripts(f: Function, p: e.Var) -> bool:
    """Whether `p` is only used for its elements."""
    uses = sum(1 for n in walk(f.body) if n == p)
    return uses == sum(1 for n in walk(f.body) if isinstance(n, e.Index) and n.base == p)


@dataclass
class _Looker(Walker):
    param: e.Var
    length: Poly | None
    inside: bool = True

    def expr(self, x: e.Expr, facts: Facts) -> e.Expr:
        for n in walk(x):
            if isinstance(n, e.Index) and n.base == self.param:
                at = facts.poly(n.index)
                end = self.length is None or facts.nonneg(self.length - at - 1)
                self.inside = self.inside and end and facts.nonneg(at)
        return x

    def place(self, x: e.Expr, facts: Facts) -> e.Expr:
        return self.expr(x, facts)
