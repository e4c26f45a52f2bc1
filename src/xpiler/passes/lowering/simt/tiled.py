"""Loops over tiles and over the elements of a tile, with others between them, as loops over all.

`for i0 step T { for k0 step T { for i in [i0, min(i0 + T, m)) { for k in [k0, min(k0 + T, n)) ...`
keeps a CPU's caches warm; threads want `for i { for k ...`. Loops that find their own elements go
outside, where all their iterations are independent; what one of them does for its element keeps
its order, since the others go through the same numbers as before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from xpiler.analysis.dependence import not_aliased
from xpiler.analysis.effects import assigned, escapes, is_memory, names_in
from xpiler.analysis.extremes import smaller
from xpiler.analysis.parallelism import gather, nature, within
from xpiler.analysis.poly import atom
from xpiler.analysis.ranges import Facts, is_int
from xpiler.analysis.walker import Walker, inside
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function
from xpiler.ir.rewrite import fresh_name, walk
from xpiler.passes.lowering.simt.inline import renamed
from xpiler.passes.lowering.simt.versions import apart_if


def untiled(f: Function, facts: Facts, readers: frozenset[str], taken: set[str]) -> Function:
    """`f` without loops over tiles, where the others can be taken in another order."""
    return _Untiler(readers, taken).run(f, facts)


@dataclass(frozen=True)
class _Nest:
    """Loops around each other, the declarations between them, and what the innermost does."""

    loops: list[s.For]
    decls: list[s.Decl]
    body: s.Body

    def bound(self) -> set[str]:
        """What changes within the nest."""
        names = {lp.var.name for lp in self.loops} | {d.var.name for d in self.decls}
        return names | assigned(self.body)


@dataclass
class _Untiler(Walker):
    readers: frozenset[str]
    taken: set[str]

    def stmt(self, st: s.Stmt, facts: Facts) -> s.Body:
        new = self._whole(st, facts) if isinstance(st, s.For) else None
        return (new,) if new is not None else super().stmt(st, facts)

    def _whole(self, st: s.For, facts: Facts) -> s.Stmt | None:
        nest = _nest(st)
        loops, tiles = _merged(nest, facts)
        if not tiles or escapes(nest.body):
            return None
        outer, inner = self._order(loops, nest, facts)
        if not outer or not _as_before(nest, inner, tiles):
            return None
        body: s.Body = (*nest.decls, *nest.body)
        for lp in reversed([*outer[1:], *inner]):
            body = (replace(lp, body=body),)
        new = replace(outer[0], body=body)
        if self._free(new, len(outer), facts):
            return new
        found = apart_if(new, facts, self.readers)
        if found is None or not self._free(new, len(outer), found.facts):
            return None
        return s.If(found.cond, (self._copy(new),), (st,), loc=st.loc)

    def _copy(self, st: s.For) -> s.Stmt:
        """`st` with names of its own."""
        own = [n.var for n in walk(st) if isinstance(n, (s.Decl, s.For))]
        new = {v.name: replace(v, name=fresh_name(v.name, self.taken)) for v in own}
        return renamed((st,), new, new)[0]

    def _order(
        self, loops: list[s.For], nest: _Nest, facts: Facts
    ) -> tuple[list[s.For], list[s.For]]:
        """The loops that say which elements are written, and the others; none where what stands
        between them may read what is written."""
        for lp in loops:
            facts = inside(lp, facts)
        found = gather((*nest.decls, *nest.body), facts, self.readers)
        written = [a for a in found.accesses if a.write]
        read = gather(tuple(nest.decls), facts, self.readers).accesses
        apart = all(
            a.root.name != b.root.name and not_aliased(a.root, b.root, facts)
            for a in read
            for b in written
        )
        if found.opaque or not apart:
            return [], loops
        names = {n for a in written for p in a.subs for x in p.atoms() for n in facts.inside_of(x)}
        return (
            [lp for lp in loops if lp.var.name in names],
            [lp for lp in loops if lp.var.name not in names],
        )

    def _free(self, st: s.For, count: int, facts: Facts) -> bool:
        """Whether the iterations of each of the outer loops are independent."""
        for _ in range(count):
            found = nature(st, facts, self.readers)
            if not found.free or found.atomics:
                return False
            facts = within(st, facts)
            inner = st.body[0]
            if isinstance(inner, s.For):
                st = inner
        return True


def _nest(loop: s.For) -> _Nest:
    loops, decls, body = [loop], [], loop.body
    while body and isinstance(body[-1], s.For) and all(map(_is_value, body[:-1])):
        decls += [d for d in body[:-1] if isinstance(d, s.Decl)]
        loops.append(body[-1])
        body = body[-1].body
    return _Nest(loops, decls, body)


def _is_value(st: s.Stmt) -> bool:
    """A declaration of what may as well be computed elsewhere, and again."""
    if not isinstance(st, s.Decl) or st.init is None or st.space != "local":
        return False
    return not any(isinstance(n, (e.Call, e.AddressOf)) for n in walk(st.init))


def _merged(nest: _Nest, facts: Facts) -> tuple[list[s.For], dict[str, str]]:
    """The loops, with one for each pair of a loop over tiles and one in it, and which loop was
    whose tiles; none of these where something else depends on where a loop is."""
    tiles: dict[str, str] = {}
    out: list[s.For] = []
    for lp in nest.loops:
        tile = next((o for o in out if lp.lo == o.var), None)
        if tile is None:
            out.append(lp)
        elif not _is_tile(lp, tile, facts):
            return [], {}
        else:
            tiles[lp.var.name] = tile.var.name
            out[out.index(tile)] = replace(lp, lo=tile.lo, hi=tile.hi, comments=tile.comments)
    heads = {n for lp in out for x in (lp.lo, lp.hi, lp.step) for n in names_in(x)}
    used = names_in((*nest.decls, *nest.body))
    lost = set(tiles.values()) & used or heads & nest.bound() or _reads_memory(out)
    return ([], {}) if lost or not all(is_int(lp.var.type) for lp in out) else (out, tiles)


def _as_before(nest: _Nest, inner: list[s.For], tiles: dict[str, str]) -> bool:
    """Whether the loops that stay inside go through their numbers in the order that they had: no
    other one of them stood between a loop and its tiles."""
    names = {lp.var.name for lp in inner}
    names |= {tiles[n] for n in names if n in tiles}
    order = [lp.var.name for lp in nest.loops if lp.var.name in names]
    return all(
        order.index(lp.var.name) == order.index(tiles[lp.var.name]) + 1
        for lp in inner
        if lp.var.name in tiles
    )


def _is_tile(loop: s.For, tile: s.For, facts: Facts) -> bool:
    """Whether `loop` goes through what is between one step of `tile` and the next."""
    pair = smaller(loop.hi)
    if pair is None or loop.var.type != tile.var.type or facts.poly(loop.step).constant != 1:
        return False
    inner = inside(tile, facts)
    top, end = atom(tile.var.name) + inner.poly(tile.step), inner.poly(tile.hi)
    return [inner.poly(x) for x in pair] in ([top, end], [end, top])


def _reads_memory(loops: list[s.For]) -> bool:
    heads = (n for lp in loops for x in (lp.lo, lp.hi, lp.step) for n in walk(x))
    return any(isinstance(n, e.Index) and is_memory(n) for n in heads)
