"""The inverse of cache: a staged copy goes, and the buffer itself is used again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from xpiler.analysis.dependence import not_aliased
from xpiler.analysis.effects import assigned, declared, names_in
from xpiler.analysis.parallelism import gather
from xpiler.analysis.purity import readers
from xpiler.analysis.ranges import Facts
from xpiler.analysis.walker import inside
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Program
from xpiler.ir.rewrite import map_children, walk
from xpiler.passes.steps.base import Around, Param, Refused, Step, Work
from xpiler.passes.steps.instance import Instance
from xpiler.passes.steps.nest import Place, at_loop, loops, only
from xpiler.passes.steps.staging import Copy, copy_of, subscripts


class Uncache(Step):
    """`for i { copy in; ... near[x] ...; copy out }` as `for i { ... a[f(x)] ... }`."""

    name = "uncache"
    category = "memory conversion"
    summary = "a staged copy goes: the buffer itself is used again"
    legality = (
        "all of the array is copied from or to one buffer at the ends of a loop's body; nothing in "
        "between touches that buffer or changes where the elements lie"
    )
    params = (Param("buffer", "name", "the staged array"),)
    inverse = "cache"
    proof = "the staged elements are those of the buffer"

    def candidates(self, program: Program, around: Around) -> Iterator[Instance]:
        for _, _, loop in loops(program):
            for st in loop.body:
                if isinstance(st, s.Decl) and _copies(st, loop.body):
                    yield self.make(buffer=st.var.name)

    def rewrite(self, program: Program, given: Instance, work: Work) -> Program:
        pure, name = readers(program), given.text("buffer")

        def one(loop: s.For, facts: Facts, place: Place) -> s.Body:
            return (replace(loop, body=unstaged(loop, name, inside(loop, facts), pure)),)

        for address, _, loop in loops(program):
            if any(isinstance(st, s.Decl) and st.var.name == name for st in loop.body):
                return at_loop(program, address, work, only(one))
        raise Refused(f"no loop's body declares {name}")


def _copies(d: s.Decl, body: s.Body) -> list[tuple[s.Stmt, Copy]]:
    found = [(st, c) for st in body if (c := copy_of(st)) is not None]
    return [(st, c) for st, c in found if c.near == d.var]


def unstaged(loop: s.For, name: str, facts: Facts, pure: frozenset[str]) -> s.Body:
    """The loop's body without the staged array; raises Refused."""
    body = loop.body
    d = next(st for st in body if isinstance(st, s.Decl) and st.var.name == name)
    copies = _copies(d, body)
    if not copies or len({(c.far.base, c.out) for _, c in copies}) != len(copies):
        raise Refused(f"{name} is no staged copy of a buffer")
    gone = [st for st, _ in copies]
    rest = tuple(st for st in body if st is not d and all(st is not g for g in gone))
    _ends(d, copies, body, rest)
    _legal(name, copies, rest, facts, pure)
    return _Back(copies[0][1]).body(rest)


def _ends(d: s.Decl, copies: list[tuple[s.Stmt, Copy]], body: s.Body, rest: s.Body) -> None:
    """Raises Refused unless what goes in stands before the first use, and what goes out last."""
    name = d.var.name
    where = {id(st): k for k, st in enumerate(body)}
    uses = [where[id(st)] for st in rest if name in names_in(st)]
    low, high = min(uses, default=len(body)), max(uses, default=-1)
    fine = all(where[id(st)] > high if c.out else where[id(st)] < low for st, c in copies)
    if not fine:
        raise Refused(f"{name} is copied while it is in use")
    reads_first = not any(not c.out for _, c in copies)
    written = any(isinstance(n, s.Assign) and _root(n.target) == d.var for n in walk(rest))
    if written and not any(c.out for _, c in copies):
        raise Refused(f"what is written to {name} is never copied back")
    if reads_first and not written:
        raise Refused(f"{name} is copied out and nothing fills it")


def _root(x: e.Expr) -> e.Expr:
    while isinstance(x, e.Index):
        x = x.base
    return x


def _legal(
    name: str, copies: list[tuple[s.Stmt, Copy]], rest: s.Body, facts: Facts,
    pure: frozenset[str],
) -> None:  # fmt: skip
    far = copies[0][1].far
    buffer = far.base
    assert isinstance(buffer, e.Var)
    if any(c.place(copies[0][1].counts) != far for _, c in copies):
        raise Refused(f"{name} is copied from one place and to another")
    moving = names_in(far.index) & (assigned(rest) | frozenset(declared(rest)))
    if moving or any(isinstance(n, e.Index) for n in walk(far.index)):
        raise Refused(f"where the elements of {name} lie may change")
    found = gather(rest, facts, pure)
    if found.opaque:
        raise Refused("it is not known what all of the statements touch")
    out = any(c.out for _, c in copies)
    for a in found.accesses:
        if a.root.name == name:
            continue
        if (a.write or out) and (a.root == buffer or not not_aliased(a.root, buffer, facts)):
            raise Refused(f"{a.root.name} may overlap what {name} stands for")


@dataclass
class _Back:
    """Rewrites elements of the staged array as elements of the buffer."""

    copy: Copy

    def body(self, body: s.Body) -> s.Body:
        return tuple(map_children(st, self.node) for st in body)

    def node(self, n: object) -> object:
        if isinstance(n, e.Index):
            found = subscripts(n)
            if found is not None and found[0] == self.copy.near:
                return self.copy.place(tuple(self.node(x) for x in found[1]))  # type: ignore[misc]
        near = self.copy.near
        lent = isinstance(n, e.AddressOf) and near.name in names_in(n)
        if lent or n == near:
            raise Refused(f"the address of {near.name} is taken")
        return map_children(n, self.node)  # type: ignore[type-var]
