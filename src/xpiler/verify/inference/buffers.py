"""What a trial says of each buffer of an entry: its extent, its role, the values it holds."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from xpiler.diagnostics import Diagnostic, XpilerError
from xpiler.ir import expr as e
from xpiler.ir.types import Pointer
from xpiler.verify.inference.entries import pointers
from xpiler.verify.inference.footprint import declared_counts
from xpiler.verify.inference.plan import BufferPlan, Case
from xpiler.verify.inference.search import MAX_BYTES, Searcher, Trial
from xpiler.verify.inference.values import Interval, size_of
from xpiler.verify.spec import size_value

UNSEEN_COUNT = 64  # elements of a buffer that no access of the text reaches
MOST_BYTES = 1 << 29  # of a buffer, where no smaller sizes are known, ...
SHARE_OF_MEMORY = 48  # and of the machine's memory: the results of many runs are kept


def case_of(search: Searcher, t: Trial, indices: Mapping[str, bool]) -> Case:
    """The case that a trial stands for; raises XpilerError (XP0304) for extents not known."""
    buffers = tuple(_buffer(search, t, p, indices) for p in pointers(search.program, search.entry))
    shape = t.shape or ((1, 1, 1), (1, 1, 1))
    shared = search.shared_bytes(t.values, t.shape)
    return Case(dict(t.values), buffers, shape[0], shape[1], shared, bool(search.fixed))


def _buffer(search: Searcher, t: Trial, p: e.Var, indices: Mapping[str, bool]) -> BufferPlan:
    assert isinstance(p.type, Pointer)
    spec, region = search.spec.arg(p.name), t.seen.regions[p.name]
    width = size_of(p.type.elem, search.program)
    span = region.touched
    declared = declared_counts(search.program, search.entry, t.values).get(p.name)
    if spec.extent is not None:
        count = size_value(spec.extent, t.values)
        if count < 0:
            raise ValueError(f"the extent {spec.extent} of {p.name} comes to {count}")
    elif declared is not None:
        count = declared
    elif span is None:
        count = UNSEEN_COUNT
    elif not span.bounded or span.hi > _most_bytes():
        raise XpilerError(_unknown(search, p.name, span))
    else:
        count = max(1, -(-int(span.hi) // width))
    role = spec.role or _role(region.read is not None, region.written is not None, p.type.const)
    index, scattered = p.name in indices, indices.get(p.name, False)
    bounds = _bounds(search, t, p.name)
    distinct = scattered if spec.distinct is None else spec.distinct
    guessed = spec.extent is None and declared is None
    inner = tuple(_fields(search, t, p, role, indices))
    return BufferPlan(p.name, p.type.elem, count, role, bounds, index, distinct, guessed, inner)


def _most_bytes() -> int:
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return min(MOST_BYTES, max(pages * size // SHARE_OF_MEMORY, MAX_BYTES))


def _unknown(search: Searcher, name: str, span: Interval) -> Diagnostic:
    message, hint = f"the extent of {name} is not known", f"give it: --arg {name}.extent=..."
    reason = "an index depends on data"
    if span.bounded:
        message = f"{name} takes {span.hi / 2**20:.0f} MiB at least"
        reason = f"a run whose sizes nobody gave may have {_most_bytes() >> 20}"
        hint = "give the sizes: --arg NAME=VALUE"
    return Diagnostic("XP0304", message, loc=search.entry.loc, reason=reason, help=hint)


def _fields(
    search: Searcher, t: Trial, p: e.Var, role: str, indices: Mapping[str, bool]
) -> Iterator[BufferPlan]:
    """What is known of the integers in a buffer of structs."""
    for name, kind in search.whole.items():
        known = _bounds(search, t, name)
        if name.startswith(f"{p.name}.") and known is not None:
            index, scattered = name in indices, indices.get(name, False)
            yield BufferPlan(name, kind, 1, role, known, index, scattered)


def _role(read: bool, written: bool, const: bool) -> str:
    if const or not written:
        return "in"
    return "inout" if read else "out"


def _bounds(search: Searcher, t: Trial, name: str) -> tuple[float, float] | None:
    given = search.spec.arg(name).range
    if given is not None:
        low, high = (b if isinstance(b, float) else size_value(b, t.values) for b in given)
        return float(low), float(high)
    span = t.data.get(name)
    return (float(span.lo), float(span.hi)) if span is not None else None
