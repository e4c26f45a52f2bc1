"""Memory that the iterations of a nest allocate for themselves: a piece each of one buffer."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from xpiler.analysis.affine import to_expr
from xpiler.analysis.effects import assigned, root
from xpiler.analysis.extents import upper
from xpiler.analysis.pointers import byte_size
from xpiler.analysis.poly import constant
from xpiler.analysis.ranges import Facts
from xpiler.analysis.walker import after, inside
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import Node, children, rewrite_stmts, walk
from xpiler.ir.types import I64, Pointer
from xpiler.passes.lowering.simt import words as w
from xpiler.passes.lowering.simt.context import Frame, free_variables
from xpiler.passes.lowering.simt.layout import byte_count
from xpiler.passes.lowering.simt.replay import replay
from xpiler.passes.lowering.simt.threads import Points, points, trip_count


@dataclass(frozen=True)
class Pieces:
    """A nest without allocations, and what the host does before and after it.

    `checks`: there may be no point at all, which has to be asked before.
    """

    loop: s.For
    front: s.Body
    back: s.Body
    checks: tuple[e.Expr, ...] = ()

    def around(self, launch: s.Body) -> s.Body:
        """The launch with its buffers."""
        whole = (*self.front, *launch, *self.back)
        return (s.If(w.both(list(self.checks)), whole),) if self.checks else whole


def allocates(loop: s.For) -> bool:
    """Whether iterations ask for memory of their own."""
    return any(isinstance(n, s.Instr) and n.name == "host.alloc" for n in walk(loop.body))


def pieces(frame: Frame, loop: s.For, facts: Facts, resident: Collection[str]) -> Pieces | None:
    """`loop` (its iterations independent) with pieces of buffers that the host allocates.

    How much an iteration asks for at most follows from the sizes, or the host finds it out. None
    where that takes memory, or values that are `resident` on the device.
    """
    nest = points(loop)
    if nest.host:
        return None
    inner = facts
    for lp in nest.loops:
        inner = inside(lp, inner)
    for d in nest.before:
        inner = after(d, inner)
    keep = frozenset(v.name for v in free_variables((loop,))) - set(resident) - assigned((loop,))
    made: dict[str, s.Decl] = {}
    front: list[s.Stmt] = []
    back: list[s.Stmt] = []
    for st, at in _allocations(nest.body, inner):
        (own,) = st.outs
        if not isinstance(own, e.Var) or not isinstance(own.type, Pointer):
            return None
        if own.name in made or not _is_kept(nest.body, st):
            return None
        most = _most(st, at, keep)
        if most is None:
            asked = replay(frame, loop, st, set(resident))
            if asked is None:
                return None
            most = asked.most
            front += asked.front
        buffer = frame.fresh(f"d_{own.name.split('.')[0]}", own.type)
        size = byte_count(frame.low.program, own.type.elem, w.binary("*", _count(nest), most))
        front += [s.Decl(buffer), s.Instr("host.alloc", (buffer,), (size,))]
        back.append(s.Instr("host.free", (), (buffer,)))
        place = w.binary("*", _number(nest), most)
        made[own.name] = s.Decl(own, e.Binary("+", buffer, place, own.type))
    new = _without(loop, made)
    counts = [trip_count(lp) for lp in nest.loops]
    open_ = [n for n in counts if not facts.positive(facts.poly(n))]
    checks = tuple(w.less(w.const(0, n.type), n) for n in open_)
    if new is None or not made:
        return None
    frame.low.assume(f"the device has room for {', '.join(made)} of all iterations at once")
    return Pieces(new, tuple(front), tuple(back), checks)


def _allocations(body: s.Body, facts: Facts) -> Iterator[tuple[s.Instr, Facts]]:
    """The allocations in `body`, which runs where `facts` hold, with what holds there."""
    for st in body:
        if isinstance(st, s.Instr) and st.name == "host.alloc":
            yield st, facts
        elif isinstance(st, s.For):
            yield from _allocations(st.body, inside(st, facts))
        elif isinstance(st, s.If):
            yield from _allocations(st.then, facts.with_cond(st.cond, True))
            yield from _allocations(st.orelse, facts.with_cond(st.cond, False))
        elif isinstance(st, s.Scope):
            yield from _allocations(st.body, facts)
        facts = after(st, facts)


def _is_kept(body: s.Body, alloc: s.Instr) -> bool:
    """Whether the memory is known by one variable, declared before among the same statements.

    In a loop of an iteration's own its address goes nowhere else: each turn gets the same piece.
    """
    own = root(alloc.outs[0])
    home, looped = _home(body, alloc)
    at = next(k for k, st in enumerate(home) if st is alloc)
    decls = [st for st in home[:at] if isinstance(st, s.Decl) and st.var.name == own]
    there = (*decls, *home[at:])
    if len(decls) != 1 or _mentions(body, own) != _mentions(there, own):
        return False
    changed = (n for n in walk(there) if n is not alloc and own in _changed(n))
    return not any(changed) and not (looped and any(_hands_on(st, own) for st in home[at + 1 :]))


def _home(body: s.Body, alloc: s.Instr, looped: bool = False) -> tuple[s.Body, bool]:
    """The statements among which `alloc` is, and whether those are in a loop; else none."""
    if any(st is alloc for st in body):
        return body, looped
    found = (_home(b, alloc, looped or isinstance(st, s.For)) for st in body for b in _bodies(st))
    return next((x for x in found if x[0]), ((), looped))


def _bodies(st: s.Stmt) -> tuple[s.Body, ...]:
    if isinstance(st, s.If):
        return st.then, st.orelse
    return (st.body,) if isinstance(st, (s.For, s.Scope)) else ()


def _mentions(body: s.Body, name: str) -> int:
    return sum(isinstance(n, e.Var) and n.name == name for n in walk(body))


def _changed(n: Node) -> tuple[str, ...]:
    """The variables that a statement or an expression may change itself."""
    places: tuple[e.Expr, ...] = n.outs if isinstance(n, s.Instr) else ()
    if isinstance(n, s.Assign):
        places = (n.target,)
    elif isinstance(n, e.AddressOf):
        places = (n.x,)
    return tuple(x.name for x in places if isinstance(x, e.Var))


def _hands_on(n: Node, name: str) -> bool:
    """Whether the address itself is used, other than to reach elements and to free them."""
    if isinstance(n, s.Instr) and n.name == "host.free":
        return False
    if isinstance(n, e.Index) and isinstance(n.base, e.Var) and n.base.name == name:
        return _hands_on(n.index, name)
    if isinstance(n, e.Var):
        return n.name == name
    return any(_hands_on(c, name) for c in children(n))


def _most(st: s.Instr, facts: Facts, keep: frozenset[str]) -> e.Expr | None:
    """The elements that an allocation asks for at most, i64, in terms of `keep`."""
    (own,) = st.outs
    size = byte_size(own.type.elem) if isinstance(own.type, Pointer) else None
    if size is None:
        return None
    tops = [p.divided_by(constant(size)) for p in upper(facts, facts.address(st.ins[0]), keep)]
    found = [to_expr(facts, whole, I64, checked=False) for whole, rest in tops if not rest.terms]
    return next((x for x in found if x is not None and not _asks_memory(x)), None)


def _asks_memory(x: e.Expr) -> bool:
    return any(isinstance(n, (e.Index, e.Call)) for n in walk(x))


def _count(nest: Points) -> e.Expr:
    """The points of the nest, i64."""
    out: e.Expr = w.const(1, I64)
    for lp in nest.loops:
        out = w.binary("*", out, w.cast(trip_count(lp), I64))
    return out


def _number(nest: Points) -> e.Expr:
    """The number of a point among all of them, i64."""
    out: e.Expr | None = None
    for lp in nest.loops:
        turn = w.binary("-", w.cast(lp.var, I64), w.cast(lp.lo, I64))
        turn = w.binary("/", turn, w.cast(lp.step, I64))
        whole = w.binary("*", out, w.cast(trip_count(lp), I64)) if out is not None else None
        out = w.binary("+", whole, turn) if whole is not None else turn
    assert out is not None
    return out


def _without(loop: s.For, made: dict[str, s.Decl]) -> s.For | None:
    """The nest with `made` in place of allocations, nothing freed; None if any is left."""

    def one(st: s.Stmt) -> s.Stmt | s.Body:
        if isinstance(st, s.Decl) and st.var.name in made:
            return ()
        if not isinstance(st, s.Instr) or st.name not in ("host.alloc", "host.free"):
            return st
        (own,) = st.outs or st.ins
        if not isinstance(own, e.Var) or own.name not in made:
            return st
        return made[own.name] if st.outs else ()

    new: s.For = replace(loop, body=rewrite_stmts(loop.body, one))
    left = (n for n in walk(new.body) if isinstance(n, s.Instr) and n.name.startswith("host."))
    return None if any(left) else new
