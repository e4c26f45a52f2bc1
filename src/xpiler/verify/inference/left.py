"""What a loop leaves in integers that it chooses (the place of a maximum), and what copies move."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.verify.inference import values as v
from xpiler.verify.inference.machine import Machine, OutOfBudget
from xpiler.verify.inference.values import BLANK, Interval, PointerTo, Value

SHARE = 4  # of the steps that are left, one in so many may be taken to see what is assigned


def watch(m: Machine, target: e.Expr, value: Value) -> None:
    """Note what is assigned to a variable, where that is asked."""
    if m.watched and isinstance(target, e.Var):
        m.watched.get((m.depth, target.name), []).append(value)


def left_by(
    m: Machine, body: s.Body, names: Sequence[str], start: Mapping[str, Value]
) -> dict[str, Value]:
    """All that variables hold where turns of a loop begin: as before it, or as some turn left them.

    The machine stands before the loop, with all values that variables may have there; of these ones
    any: then one run of the body, of which nothing is noted, shows all that is assigned.
    """
    asked = [n for n in names if (m.depth, n) not in m.watched and _open(m, n, start)]
    if not asked:
        return {}
    seen: dict[tuple[int, str], list[Value]] = {(m.depth, n): [] for n in asked}
    other = _twin(m)
    other.env |= dict.fromkeys(asked, v.TOP)
    other.watched = {**m.watched, **seen}
    try:
        other.run(body)
    except OutOfBudget:
        return {}
    finally:
        m.steps = other.steps
    found = {n: reduce(v.join, seen[m.depth, n], start[n]) for n in asked}
    return {n: _meet(m.env[n], x) for n, x in found.items()}


def _meet(a: Value, b: Value) -> Value:
    return a.meet(b) if isinstance(a, Interval) and isinstance(b, Interval) else a


def _open(m: Machine, name: str, start: Mapping[str, Value]) -> bool:
    """Whether a number is known before the loop, and not which one inside."""
    before, inside = start.get(name), m.env.get(name)
    known = isinstance(before, Interval) and (before.bounded or before is BLANK)
    return known and isinstance(inside, Interval) and not inside.single


def _twin(m: Machine) -> Machine:
    """The machine as it is, so that what it does from here on leaves no trace."""
    other = copy.copy(m)
    other.regions = {n: replace(r, mirrors=set(r.mirrors)) for n, r in m.regions.items()}
    other.launches, other.env = list(m.launches), dict(m.env)
    other.origins, other.paths = dict(m.origins), dict(m.paths)
    other.shared_out, other.filled, other.again = set(), set(), set()
    other.shifts, other.plain = {}, {}
    other.budget = m.steps + (m.budget - m.steps) // SHARE
    return other


def copied(m: Machine, x: e.Expr) -> Value:
    """The value of `x` where it is but moved: BLANK from where nothing was stored yet.

    Lists that are kept in order move their elements before they have any.
    """
    if isinstance(x, e.Var) and m.env.get(x.name) is BLANK:
        return BLANK
    value = m.eval(x)
    if not isinstance(x, e.Index) or value != v.TOP:
        return value
    m.muted += 1
    where = m.place(x)
    m.muted -= 1
    names = [n for n, _ in where.targets] if isinstance(where, PointerTo) else []
    return BLANK if len(names) == 1 and _is_blank(m.region(names[0])) else value


def _is_blank(r: v.Region) -> bool:
    return r.content is BLANK or (r.room and r.content is None and r.written is None)
