"""Which statements may change places: the dependence analysis first, the solver where it fails."""

from __future__ import annotations

from collections.abc import Callable

from xpiler.analysis.dependence import Access, Summary, apart, distinct
from xpiler.analysis.effects import declared, loop_vars, of_body
from xpiler.analysis.parallelism import gather
from xpiler.analysis.ranges import Facts
from xpiler.ir import stmt as s
from xpiler.ir.text import show
from xpiler.passes.steps.base import Refused
from xpiler.passes.steps.solver import Term, never_both

Order = Callable[[Term, Term], Term]


def differ(a: Term, b: Term) -> Term:
    return a != b


def later(a: Term, b: Term) -> Term:
    return a > b


def accesses(body: s.Body, facts: Facts, readers: frozenset[str]) -> Summary:
    """What `body` touches outside itself; raises Refused where that is not known."""
    found = gather(body, facts, readers)
    if found.opaque:
        raise Refused("it is not known what all of the statements touch")
    return found


def varying(*bodies: s.Body) -> frozenset[str]:
    """The names that differ between two iterations of loops around `bodies`."""
    out: frozenset[str] = frozenset()
    for body in bodies:
        out |= frozenset(declared(body)) | loop_vars(body)
    return out


def keep_apart(
    first: list[Access], second: list[Access], v: str, names: frozenset[str], facts: Facts,
    order: Order = differ,
) -> None:  # fmt: skip
    """Raises Refused where an element may be touched by both at values of `v` in `order`."""
    for a in first:
        for b in second:
            if not (a.write or b.write) or apart((a,), (b,), v, names, facts):
                continue
            same = a.root.name == b.root.name
            if not same and distinct(a.root, b.root):
                continue
            if not same or not never_both(a, b, names, order, v):
                raise Refused(_clash(a, b, v))


def _clash(a: Access, b: Access, v: str) -> str:
    def one(x: Access) -> str:
        subs = "".join(f"[{p}]" for p in x.subs)
        return f"{'write' if x.write else 'read'} of {x.root.name}{subs}"

    return f"the {one(a)} and the {one(b)} may meet at different values of {v}"


def scalars_free(first: s.Body, second: s.Body, one: Summary, two: Summary) -> None:
    """Raises Refused where a scalar of outside passes from one part to the other."""
    reads = (of_body(first).reads, of_body(second).reads)
    shared = one.scalars & (two.scalars | reads[1]) | two.scalars & reads[0]
    if shared:
        raise Refused(f"{min(shared).split('.')[0]} goes from one part to the other")


__all__ = ["Refused", "accesses", "differ", "keep_apart", "later", "scalars_free", "show",
           "varying"]  # fmt: skip
