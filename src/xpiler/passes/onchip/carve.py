"""A byte buffer that pointers carve up becomes one typed array for each piece.

Pieces begin at the constant offsets that the program's pointers are set to. That no access runs
from one into the next is proved, or follows from a bound on a parameter, which is said; where
neither holds, two pieces are one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import fresh_name, map_children, walk
from xpiler.ir.types import Array, Pointer, Scalar, Type
from xpiler.passes.onchip.bounds import Bounds
from xpiler.passes.onchip.offsets import byte_size, constant_part, plus


@dataclass
class Piece:
    """Bytes `start` to `end` of a buffer; `uses` counts accesses by type of element."""

    start: int
    end: int
    uses: dict[Type, int] = field(default_factory=dict)
    var: e.Var | None = None


LEAST = 64  # bytes: nearer than that, an offset is a shift and no new piece


@dataclass
class Carve:
    """The pieces of the buffers in one body; `names`: pointers by the offset they were set to."""

    body: s.Body
    names: Mapping[tuple[str, int], str]
    taken: set[str]
    params: tuple[e.Var, ...]
    sentences: list[str] = field(default_factory=list)

    def run(self) -> s.Body:
        """The body with carved buffers as separate arrays."""
        decls = [st for st in walk(self.body) if isinstance(st, s.Decl)]
        starts = {st.var.name: self._starts(st.var) for st in decls if self._is_carved(st.var)}
        buffers = {st.var.name: st.var for st in decls if st.var.name in starts}
        self.bytes = {
            n for n, v in buffers.items() if byte_size(getattr(v.type, "elem", v.type)) == 1
        }
        while starts:
            self.pieces: dict[str, list[Piece]] = {}
            for name, places in starts.items():
                self._plan(buffers[name], places)
            whole = [n for n, pieces in self.pieces.items() if not self._settled(n, pieces)]
            if whole:
                starts = {n: at for n, at in starts.items() if n not in whole}
                continue
            body = self._rewrite(self.body)
            wrong = self._overrun(body, starts)
            if not wrong:
                return body
            for name, at in wrong:
                starts[name] = [x for x in starts[name] if x != at]
        return self.body

    def _overrun(self, body: s.Body, starts: Mapping[str, list[int]]) -> list[tuple[str, int]]:
        """Starts of pieces that the piece before may run into; takes note of what is assumed."""
        apart = {n: p for n, p in self.pieces.items() if len(starts[n]) > 1}
        owner = {p.var.name: (n, i) for n, ps in apart.items() for i, p in enumerate(ps) if p.var}
        arrays = [p.var for ps in apart.values() for p in ps if p.var]
        sizes = {v.name: v.type.size or 0 for v in arrays if isinstance(v.type, Array)}
        check = Bounds(sizes)
        check.check(body, self.params)
        wrong = [self._culprit(*owner[name], starts) for name in sorted(check.overrun)]
        if not wrong:
            self.sentences += sorted({x for found in check.needs.values() for x in found})
        return wrong

    def _culprit(self, name: str, piece: int, starts: Mapping[str, list[int]]) -> tuple[str, int]:
        """The start to give up so that piece number `piece` of a buffer becomes larger."""
        at = starts[name]
        return name, at[piece + 1] if piece + 1 < len(at) else at[piece]

    # -- planning -----------------------------------------------------------------------------
    def _is_carved(self, var: e.Var) -> bool:
        t = var.type
        if not (isinstance(t, Array) and t.size is not None and isinstance(t.elem, Scalar)):
            return False
        accesses = list(self._accesses(var.name))
        return bool(accesses) and {a.type for a in accesses} != {t.elem}

    def _starts(self, var: e.Var) -> list[int]:
        total = byte_size(var.type) or 0
        found = sorted({at for name, at in self.names if name == var.name and 0 <= at < total})
        starts = [0]
        for at in found:
            if at - starts[-1] >= LEAST:
                starts.append(at)
        return starts

    def _plan(self, var: e.Var, starts: list[int]) -> None:
        ends = [*starts[1:], byte_size(var.type) or 0]
        self.pieces[var.name] = [Piece(a, b) for a, b in zip(starts, ends, strict=True)]
        for access in self._accesses(var.name):
            piece = self._piece(var.name, access)
            piece.uses[access.type] = piece.uses.get(access.type, 0) + 1

    def _accesses(self, name: str) -> list[e.Index]:
        return [x for x in walk(self.body) if isinstance(x, e.Index) and _buffer(x) == name]

    def _piece(self, name: str, x: e.Index) -> Piece:
        """The piece in which an access begins, by the constant part of its place."""
        at = constant_part(x.index)[0] * (byte_size(x.type) or 1)
        inside = [p for p in self.pieces[name] if p.start <= at]
        return inside[-1] if inside else self.pieces[name][0]

    def _settled(self, name: str, pieces: list[Piece]) -> bool:
        """Gives each piece its array; False where the buffer has to stay whole."""
        direct = sum(1 for x in walk(self.body) if isinstance(x, e.Var) and x.name == name) - 1
        if direct != len(self._accesses(name)):
            return False  # its address goes elsewhere
        for p in pieces:
            sizes = {byte_size(t) for t in p.uses}
            if len(sizes) > 1:
                return False
            if any(not isinstance(t, Scalar) or p.start % (byte_size(t) or 1) for t in p.uses):
                return False
        for p in pieces:
            if p.uses:
                t = max(p.uses, key=lambda u: (p.uses[u], str(u)))
                base = self._name(name, p)
                count = (p.end - p.start) // (byte_size(t) or 1)
                p.var = e.Var(fresh_name(base, self.taken), Array(t, count))
        return True

    def _name(self, buffer: str, p: Piece) -> str:
        """The name of the pointer that was set to the piece's start."""
        found = self.names.get((buffer, p.start), buffer)
        return (found if buffer in self.bytes else buffer).split(".")[0]

    # -- rewriting ----------------------------------------------------------------------------
    def _rewrite(self, body: s.Body) -> s.Body:
        out: list[s.Stmt] = []
        for st in body:
            if isinstance(st, s.Decl) and st.var.name in self.pieces:
                out += [replace(st, var=p.var) for p in self.pieces[st.var.name] if p.var]
            else:
                out.append(self._statement(st))
        return tuple(out)

    def _statement(self, st: s.Stmt) -> s.Stmt:
        if isinstance(st, s.Assign) and isinstance(st.target, e.Index):
            target = self._place(st.target)
            if target is not None and target.type != st.target.type:
                return self._stored_bits(st, target)

        def go(child: object) -> object:
            if isinstance(child, e.Expr):
                return self.expr(child)
            if isinstance(child, s.Case):
                return replace(child, body=self._rewrite(child.body))
            assert isinstance(child, s.Stmt)
            return self._rewrite((child,))

        return map_children(st, go)

    def _stored_bits(self, st: s.Assign, target: e.Index) -> s.Stmt:
        """A store of a value whose type is not the array's: its bits."""
        value = self.expr(st.value)
        if st.op:
            value = e.Binary(st.op, e.Bits(target, st.target.type), value, st.target.type)
        return replace(st, target=target, value=e.Bits(value, target.type), op="")

    def expr(self, x: e.Expr) -> e.Expr:
        if isinstance(x, e.Index):
            place = self._place(x)
            if place is not None:
                return place if place.type == x.type else e.Bits(place, x.type)
        return map_children(x, lambda c: self.expr(c) if isinstance(c, e.Expr) else c)

    def _place(self, x: e.Index) -> e.Index | None:
        name = _buffer(x)
        if name is None or name not in self.pieces:
            return None
        piece = self._piece(name, x)
        assert piece.var is not None
        shift = piece.start // (byte_size(x.type) or 1)
        index = plus(self.expr(_without(x.index, shift)), e.Const(0, x.index.type))
        assert isinstance(piece.var.type, Array)
        return e.Index(piece.var, index, piece.var.type.elem)


def _without(index: e.Expr, shift: int) -> e.Expr:
    """`index - shift`, folded into its constant part."""
    if shift == 0:
        return index
    known, rest = constant_part(index)
    return plus(rest, e.Const(known - shift, index.type))


def _buffer(x: e.Index) -> str | None:
    base = x.base
    if isinstance(base, e.Cast) and isinstance(base.type, Pointer):
        base = base.x
    return base.name if isinstance(base, e.Var) and isinstance(base.type, Array) else None
