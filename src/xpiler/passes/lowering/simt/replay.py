"""The most that any iteration of a nest asks for, found by the host before the launch."""

from __future__ import annotations

from dataclasses import dataclass, replace

from xpiler.analysis.effects import assigned, declared, has_jump, names_in
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import walk
from xpiler.ir.types import I64, Pointer
from xpiler.passes.lowering.simt import words as w
from xpiler.passes.lowering.simt.context import Frame
from xpiler.passes.lowering.simt.copies import elements_in
from xpiler.passes.lowering.simt.inline import renamed
from xpiler.passes.lowering.simt.layout import size_and_align


@dataclass(frozen=True)
class Asked:
    """`front` leaves in `most` the elements (i64) of the largest piece."""

    most: e.Var
    front: s.Body


def replay(frame: Frame, loop: s.For, alloc: s.Instr, unknown: set[str]) -> Asked | None:
    """The loops around `alloc` again, with nothing in them but how much it asks for.

    None where that takes memory, a call, one of the values that are `unknown` to the host, or one
    that the loops change.
    """
    (own,) = alloc.outs
    assert isinstance(own, e.Var)
    assert isinstance(own.type, Pointer)
    count = elements_in(alloc.ins[0], size_and_align(frame.low.program, own.type.elem)[0])
    if count is None:
        return None
    most = frame.fresh("most", I64)
    wide = w.cast(count, I64)
    new = _Replay(alloc, s.If(e.compare(">", wide, most), (s.Assign(most, wide),))).stmt(loop)
    if new is None or any(map(_of_memory, walk(new))):
        return None
    if (names_in(new) - {most.name}) & (unknown | assigned((loop,))):
        return None
    inner = {n.var.name: n.var for n in walk((new,)) if isinstance(n, (s.Decl, s.For))}
    own_names = {n: frame.fresh(n, v.type) for n, v in inner.items()}
    front = (s.Decl(most, w.const(0, I64)), *renamed((new,), own_names, dict(own_names)))
    return Asked(most, front)


def _of_memory(n: object) -> bool:
    return isinstance(n, (e.Index, e.Call, s.Instr, s.Launch))


@dataclass
class _Replay:
    """Keeps what leads to one statement, and the declarations that this needs."""

    alloc: s.Instr
    asked: s.Stmt

    def stmt(self, st: s.Stmt) -> s.Stmt | None:
        """The statement with nothing else in it; None where it has none of it or too much."""
        if st is self.alloc:
            return self.asked
        if isinstance(st, (s.For, s.Scope)):
            inner = self.body(st.body)
            if inner is None or isinstance(st, s.Scope):
                return None if inner is None else replace(st, body=inner)
            return replace(st, body=inner, kind="serial")
        if isinstance(st, s.If):
            then, orelse = self.body(st.then), self.body(st.orelse)
            if then is None and orelse is None:
                return None
            return replace(st, then=then or (), orelse=orelse or ())
        return None

    def body(self, body: s.Body) -> s.Body | None:
        """What comes before it, as far as it is needed, and the statement itself."""
        for k, st in enumerate(body):
            found = self.stmt(st)
            if found is None:
                continue
            out: list[s.Stmt] = [found]
            for d in reversed(body[:k]):
                if isinstance(d, s.Decl) and d.var.name in names_in(tuple(out)):
                    out.insert(0, d)
                elif has_jump((d,)) or set(declared((d,))) & names_in(tuple(out)):
                    return None
            return tuple(out)
        return None
