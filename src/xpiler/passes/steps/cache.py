"""Cache: the part of a buffer that a loop's iteration uses is staged in a nearer memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from xpiler.analysis.affine import known_to_fit, to_expr
from xpiler.analysis.dependence import not_aliased
from xpiler.analysis.effects import escapes
from xpiler.analysis.parallelism import gather
from xpiler.analysis.poly import Poly, atom
from xpiler.analysis.purity import readers
from xpiler.analysis.ranges import Facts
from xpiler.analysis.walker import inside
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import map_children, walk
from xpiler.ir.types import I32, Array, Pointer, Scalar, Type
from xpiler.passes.steps.base import ANYTHING, Around, Check, Done, Param, Refused, Step, Work
from xpiler.passes.steps.forms import same_form
from xpiler.passes.steps.instance import Instance
from xpiler.passes.steps.nest import Place, at_loop, const, loops, only, written
from xpiler.passes.steps.regions import (
    Box,
    Scan,
    box_of,
    distinct_places,
    local_array,
    split_index,
    variables_of,
)

NEAREST = 32 * 1024
"""Bytes where the target's tables say nothing: a first-level cache."""


class Cache(Step):
    """`for i { ... a[..] ... }` as `for i { copy a's part in; ...; copy it out }`.

    The staged array is local to the iteration: lowering puts it in registers, shared memory or
    NRAM, by what the loop became.
    """

    name = "cache"
    category = "memory conversion"
    summary = "the part of a buffer that an iteration uses is staged in a nearer memory"
    legality = (
        "the accesses make a box of constant size; all of it is surely read before it is copied in "
        "and surely written before it is copied out; nothing else overlaps; it fits the memory"
    )
    params = (
        Param("buffer", "name", "the buffer to stage"),
        Param("loop", "loop", "the loop in whose body it is staged"),
    )
    inverse = "uncache"

    def candidates(self, program: Program, around: Around) -> Iterator[Instance]:
        for address, _, loop in loops(program):
            for name in sorted(variables_of(loop.body)):
                yield self.make(buffer=name, loop=address)

    def rewrite(self, program: Program, given: Instance, work: Work) -> Program:
        pure = readers(program)
        name = given.text("buffer")

        def one(loop: s.For, facts: Facts, place: Place) -> s.Body:
            room = _room(work.around) - _used(place.function)
            return (staged(loop, name, facts, place, pure, room),)

        return at_loop(program, given.text("loop"), work, only(one))

    def check(
        self, before: Program, after: Program, given: Instance, around: Around = ANYTHING
    ) -> Check:
        """Undoing it gives the program before, index by index."""
        from xpiler.passes.steps.uncache import Uncache

        near = _near_names(after) - _near_names(before)
        undone = Uncache().apply(after, Uncache().make(buffer=min(near)), around) if near else None
        if isinstance(undone, Done) and same_form(before, undone.program):
            return Check("same form", "without the staged copy it is the program before")
        return Check("test", "the staged copy could not be taken out again")


def _near_names(program: Program) -> set[str]:
    return {n.var.name for f in program.functions for n in walk(f.body) if isinstance(n, s.Decl)}


def _room(around: Around) -> int:
    limits = [around.limit(k, 0) for k in ("nram_bytes", "shared_bytes")]
    return max(limits) or NEAREST


def _used(f: Function) -> int:
    return sum(size_of(n.var.type) for n in walk(f.body) if isinstance(n, s.Decl))


def size_of(t: Type) -> int:
    """Bytes of an array of scalars; 0 for what is no array."""
    count = 1
    while isinstance(t, Array):
        count, t = count * (t.size or 0), t.elem
    return count * (t.bits // 8) if isinstance(t, Scalar) and count > 1 else 0


def staged(
    loop: s.For, name: str, facts: Facts, place: Place, pure: frozenset[str], room: int
) -> s.For:
    """The loop with the buffer staged in its body; raises Refused."""
    buffer = variables_of(loop.body).get(name)
    if buffer is None:
        raise Refused(f"{name} is no buffer that the loop {loop.var.name} uses")
    if escapes(loop.body):
        raise Refused(f"an iteration of {loop.var.name} can be left early")
    if any(isinstance(n, s.Decl) and n.var == buffer for n in walk(loop.body)):
        raise Refused(f"{name} is local to an iteration of {loop.var.name} already")
    within = inside(loop, facts)
    scan = Scan(buffer)
    scan.body(loop.body, within)
    box = box_of(scan.found, within)
    _legal(box, buffer, loop.body, within, pure)
    _by_name(buffer, len(scan.found), loop.body, within, pure)
    _fits(box, buffer, room)
    return replace(loop, body=_body(box, buffer, scan, loop.body, within, place))


def _legal(box: Box, buffer: e.Var, body: s.Body, facts: Facts, pure: frozenset[str]) -> None:
    name = buffer.name
    if not box.strides:
        raise Refused(f"{name} is one element there: a scalar would do")
    copied_in = box.reads
    if copied_in and not box.read_whole:
        raise Refused(f"it is not sure that all of the copied part of {name} is read")
    if box.writes and not box.write_whole:
        raise Refused(f"it is not sure that all of the copied part of {name} is written")
    if box.writes and not distinct_places(box, facts):
        raise Refused(f"two staged elements may be one element of {name}")
    found = gather(body, facts, pure)
    if found.opaque:
        raise Refused("it is not known what all of the statements touch")
    for a in found.accesses:
        near = a.root.name == name
        if not near and (a.write or box.writes) and not not_aliased(a.root, buffer, facts):
            raise Refused(f"{a.root.name} may overlap {name}")


def _by_name(buffer: e.Var, count: int, body: s.Body, facts: Facts, pure: frozenset[str]) -> None:
    """Raises Refused where the buffer is also reached through another pointer."""
    every = [a for a in gather(body, facts, pure).accesses if a.root.name == buffer.name]
    if len(every) > count:
        raise Refused(f"{buffer.name} is also reached through another pointer")


def _fits(box: Box, buffer: e.Var, room: int) -> None:
    elem = buffer.type.elem if isinstance(buffer.type, (Pointer, Array)) else buffer.type
    if not isinstance(elem, Scalar):
        raise Refused(f"the elements of {buffer.name} are no scalars")
    size = box.count * elem.bits // 8
    if size > room:
        raise Refused(f"{size} bytes of {buffer.name} do not fit into the {max(room, 0)} left")


def _body(box: Box, buffer: e.Var, scan: Scan, body: s.Body, facts: Facts, place: Place) -> s.Body:
    assert isinstance(buffer.type, (Pointer, Array))
    elem = buffer.type.elem
    near = place.named(f"{buffer.name.split('.')[0]}_near", local_array(elem, box.extents))
    rest = _Moved(buffer, near, box, scan).body(body, facts)
    load = (_copy(box, buffer, near, facts, place, out=False),) if box.reads else ()
    store = (_copy(box, buffer, near, facts, place, out=True),) if box.writes else ()
    return (s.Decl(near), *load, *rest, *store)


def _copy(box: Box, buffer: e.Var, near: e.Var, facts: Facts, place: Place, out: bool) -> s.Stmt:
    """The loops that copy the box in, or out."""
    t = box.type
    counts = [place.named("x", t) for _ in box.extents]
    heads = [
        s.For(v, const(0, t), const(n, t), const(1, t), ())
        for v, n in zip(counts, box.extents, strict=True)
    ]
    p = box.base
    for v, stride, head in zip(counts, box.strides, heads, strict=True):
        facts = inside(head, facts)
        p = p + stride * facts.poly(v)
    far = e.Index(buffer, _expression(p, facts, t), element_type(buffer))
    here = at(near, tuple(counts))
    body: s.Body = (s.Assign(far, here) if out else s.Assign(here, far),)
    for head in reversed(heads):
        body = (replace(head, body=body),)
    return body[0]


def _expression(p: Poly, facts: Facts, t: Type) -> e.Expr:
    x = known_to_fit(facts, p, t)
    return x if x is not None else written(p, facts, t)


def element_type(buffer: e.Var) -> Type:
    assert isinstance(buffer.type, (Pointer, Array))
    return buffer.type.elem


def at(array: e.Expr, subs: tuple[e.Expr, ...]) -> e.Index:
    """`array[s0][s1]...`."""
    out = array
    for x in subs:
        assert isinstance(out.type, (Array, Pointer))
        out = e.Index(out, x, out.type.elem)
    assert isinstance(out, e.Index)
    return out


class _Moved(Scan):
    """Rewrites the accesses to the buffer as accesses to its staged box."""

    def __init__(self, buffer: e.Var, near: e.Var, box: Box, scan: Scan) -> None:
        super().__init__(buffer)
        self.near, self.box = near, box
        self.inners, self.own = scan.inners, scan.own

    def stmt(self, st: s.Stmt, facts: Facts) -> s.Body:
        return (self.descend(st, facts),)

    def expr(self, x: e.Expr, facts: Facts) -> e.Expr:
        if isinstance(x, e.Index) and x.base == self.buffer:
            return self._element(x, facts)
        return map_children(x, lambda c: self.expr(c, facts))

    def place(self, x: e.Expr, facts: Facts) -> e.Expr:
        if isinstance(x, e.Index) and x.base == self.buffer:
            return self._element(x, facts)
        if isinstance(x, e.Index):
            index = self.expr(x.index, facts)
            return replace(x, base=self.place(x.base, facts), index=index)
        return x if isinstance(x, e.Var) else super().place(x, facts)

    def _element(self, x: e.Index, facts: Facts) -> e.Expr:
        base, dims = split_index(facts.poly(x.index), facts, self.inners, self.own)
        diff = base - self.box.base
        subs: list[e.Expr] = []
        for stride in self.box.strides:
            n = diff.divided_by(stride)[0].terms.get((), 0)
            diff = diff - stride * n
            p = Poly({(): n} if n else {})
            for inner in dims.get(stride, ()):
                p = p + atom(inner.name) - inner.lo
            sub = to_expr(facts, p, self.box.type)
            subs.append(sub if sub is not None else written(p, facts, I32))
        return at(self.near, tuple(subs))
