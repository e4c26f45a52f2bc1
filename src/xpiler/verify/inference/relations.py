"""Comparisons and logic of intervals: their truth, and what they say of a number."""

from __future__ import annotations

import math

from xpiler.verify.inference.values import Interval, point

NEGATED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


def bound_by(op: str, other: Interval, least: int) -> Interval | None:
    """What `x op other` says of x; `least`: by how much two different values differ at least."""
    match op:
        case "<":
            return Interval(-math.inf, other.hi - least)
        case "<=":
            return Interval(-math.inf, other.hi)
        case ">":
            return Interval(other.lo + least, math.inf)
        case ">=":
            return Interval(other.lo, math.inf)
        case "==":
            return other
        case _:
            return None


def holds(op: str, a: Interval, b: Interval) -> Interval:
    yes, no, maybe = point(1), point(0), Interval(0, 1)
    match op:
        case "<":
            return yes if a.hi < b.lo else no if a.lo >= b.hi else maybe
        case "<=":
            return yes if a.hi <= b.lo else no if a.lo > b.hi else maybe
        case ">":
            return holds("<", b, a)
        case ">=":
            return holds("<=", b, a)
        case "==":
            return yes if a.single and a == b else no if a.hi < b.lo or b.hi < a.lo else maybe
        case "!=":
            eq = holds("==", a, b)
            return Interval(1 - eq.hi, 1 - eq.lo)
        case "&&":
            return (
                no
                if (a.single and not a.lo) or (b.single and not b.lo)
                else yes
                if _true(a) and _true(b)
                else maybe
            )
        case _:
            return yes if _true(a) or _true(b) else no if a == no and b == no else maybe


def _true(a: Interval) -> bool:
    return a.lo > 0 or a.hi < 0
