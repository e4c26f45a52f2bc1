"""Comparison of two runs' outputs: how far apart may they be, and where are they not.

Two correct programs differ by rounding only. For an output element y of type D that a sum of about
n terms feeds, computed in a precision of unit roundoff u, the bound is

    |expected - actual|  <=  ulp_D(y) + LAMBDA * u * sqrt(n) * (|y| + s)

The square root is the probabilistic bound of Higham and Mary ("A new approach to probabilistic
rounding error analysis", SIAM J. Sci. Comput. 41, 2019): errors of random sign grow like sqrt(n),
not n. s is the size of the summed terms, sqrt(sum of t_i^2) for terms t_i, measured rather than
guessed: moving every input by a relative h with random signs moves y by about h s. A cancelling sum
has s much larger than |y|; in a sum of one sign |y| is about sqrt(n) s. A dropped term of a long
sum is s / sqrt(n): above the bound while n is below u^(-2/3) or so. Integer and impulse runs know
no such limit.

Where a formula loses what it computed on the way (1 + erf(x) far to the left), moving the inputs
does not show it: there the source runs again with every operation rounded up, and down. Its two
results lie r apart, and that, times MODES / sqrt(n) since it grows like n, is allowed on top; but
never more than a share LOSS of the element, or of the output's typical size, since what rounds on
purpose (to whole numbers, say) jumps as a whole. Beyond that share, a run whose differences are all
within 8 r is not compared at all (`rounding_decides`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from xpiler.verify.dtypes import (
    Bools,
    Floats,
    canonical,
    decode,
    is_float,
    largest_finite,
    same_bits,
    spacing,
    unit_roundoff,
)
from xpiler.verify.invocation import Array

LAMBDA = 8.0
MODES = 4.0
LOSS = 2.0**-12
_DYADIC_BITS = 10  # a value with at most so many binary places counts as exactly computed
_JUMP_FACTOR = 2.0
_NOISY = 0.75  # the share of such elements that other inputs must change, too


@dataclass(frozen=True, slots=True)
class Precision:
    """In what precision a program computes.

    `narrow`: a coarser type that values pass through. `widened`: doubles are made of floats that
    were computed; "sums" where such floats are sums, else "values".
    """

    accumulate: str = ""
    narrow: str = ""
    widened: Literal["", "values", "sums"] = ""

    def unit(self, out: str) -> float:
        """The roundoff of the sums behind an output of type `out`."""
        if self.accumulate:
            return unit_roundoff(self.accumulate)
        doubles = canonical(out) == "float64" and self.widened != "sums"
        return unit_roundoff("float64" if doubles else "float32")

    def between(self, out: str) -> str:
        """The coarsest type that values pass through on their way to an output of type `out`."""
        floats = self.widened == "values" and canonical(out) == "float64"
        return self.narrow or ("float32" if floats else "")

    def narrow_unit(self, out: str) -> float:
        narrow = self.between(out)
        return unit_roundoff(narrow) if narrow else 0.0


@dataclass(frozen=True, slots=True)
class Bound:
    """The tolerance of one output buffer: everything in the formula above but y."""

    dtype: str
    terms: float
    size: Floats
    precision: Precision = Precision()
    lost: Floats | None = None

    def at(self, expected: Floats) -> Floats:
        """The allowed distance at each element."""
        with np.errstate(invalid="ignore"):
            bound = spacing(expected, self.dtype) + self.before_rounding(expected)
        return np.asarray(np.where(np.isfinite(bound), bound, 0.0))

    def before_rounding(self, expected: Floats) -> Floats:
        """The part of it that is there before the result is rounded to the output's type."""
        relative = LAMBDA * self.precision.unit(self.dtype) * np.sqrt(max(self.terms, 1.0))
        with np.errstate(invalid="ignore"):
            scale = np.abs(expected) + self.size
            bound = scale * (relative + 2 * self.precision.narrow_unit(self.dtype))
        return np.asarray(bound if self.lost is None else bound + self.lost)

    def flips(self, expected: Floats) -> float:
        """How many elements of a narrow type may at most round to another neighbour.

        A result that lies within d of the other side's rounds apart from it with probability
        2 d / ulp; more than that on average means that one of them rounds in another way.
        """
        with np.errstate(invalid="ignore"):
            odds = 2 * self.before_rounding(expected) / spacing(expected, self.dtype)
        mean = float(np.minimum(np.nan_to_num(odds, nan=1.0, posinf=1.0), 1.0).sum())
        return mean + 4 * float(np.sqrt(mean)) + 3

    def describe(self) -> str:
        """The formula with its numbers: `ulp(float32) + 8 u sqrt(n) (|y|+s), u=2^-24, n=64`."""
        bits = int(-np.log2(self.precision.unit(self.dtype)))
        text = f"ulp({self.dtype}) + {LAMBDA:g} u sqrt(n) (|y|+s), u=2^-{bits}, n={self.terms:.0f}"
        narrow = self.precision.between(self.dtype)
        return text + (f" + 2 ulp({narrow})" if narrow else "")


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The first element where two runs differ too much."""

    buffer: str
    index: int
    expected: float
    actual: float
    allowed: float

    def __str__(self) -> str:
        return (
            f"{self.buffer}[{self.index}]: expected {self.expected!r}, got {self.actual!r}"
            f" (allowed difference {self.allowed:.3g})"
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """One buffer's outcome in one run: how many elements, how many wrong, how many excused."""

    compared: int
    wrong: int
    excused: int
    first: Mismatch | None = None
    worst: float = 0.0  # the largest difference, in units of the allowed one

    @property
    def ok(self) -> bool:
        return self.wrong == 0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the source gave on nearly the same inputs: where it jumps, and between which values."""

    jumps: Bools
    low: Floats
    high: Floats


def agreement(expected: Array, actual: Array, dtype: str, allowed: Floats | None) -> Bools:
    """Where two arrays agree: within `allowed`, or (None) exactly.

    NaN agrees with NaN, -0 with 0, an infinity with itself and, within `allowed`, with the largest
    finite number.
    """
    if not is_float(dtype):
        return np.asarray(expected.reshape(-1) == actual.reshape(-1))
    y, z = decode(expected.reshape(-1), dtype), decode(actual.reshape(-1), dtype)
    same = (y == z) | (np.isnan(y) & np.isnan(z))
    if allowed is None:
        return np.asarray(same)
    largest = largest_finite(dtype)
    allowed = np.where(np.isfinite(y), allowed, largest * unit_roundoff(dtype) * LAMBDA)
    y, z = (np.clip(v, -largest, largest) for v in (y, z))  # NaN stays NaN
    with np.errstate(invalid="ignore"):
        return np.asarray(same | (np.abs(y - z) <= allowed))


def compare(
    name: str,
    expected: Array,
    actual: Array,
    dtype: str,
    *,
    bound: Bound | None,
    skip: Bools | None = None,
    around: Surroundings | None = None,
) -> Comparison:
    """Compare one buffer. `bound` None: exactly. `skip`: elements that the source never writes.

    `around` excuses an element where the source itself jumps, if the actual value lies between
    those that the source gives near by.
    """
    allowed = _allowed(expected, dtype, bound)
    bad = ~agreement(expected, actual, dtype, allowed)
    if skip is not None:
        bad &= ~skip
    excused = np.zeros_like(bad)
    if around is not None and bool(bad.any()):
        excused = bad & _excusable(actual, dtype, around, allowed)
        bad &= ~excused
    if bound is not None and allowed is not None and not bool(bad.any()):
        bad = _misrounded(expected, actual, dtype, bound, skip)
    first = _first(name, expected, actual, dtype, bad, allowed) if bool(bad.any()) else None
    compared = bad.size - (int(skip.sum()) if skip is not None else 0)
    worst = _worst(expected, actual, dtype, allowed, skip)
    return Comparison(compared, int(bad.sum()), int(excused.sum()), first, worst)


def _allowed(expected: Array, dtype: str, bound: Bound | None) -> Floats | None:
    if bound is None or not is_float(dtype):
        return None
    return bound.at(decode(expected.reshape(-1), dtype))


def _misrounded(
    expected: Array, actual: Array, dtype: str, bound: Bound, skip: Bools | None
) -> Bools:
    """Elements that rounded apart, if too many to be chance (truncation, rounding twice)."""
    y, z = decode(expected.reshape(-1), dtype), decode(actual.reshape(-1), dtype)
    with np.errstate(invalid="ignore"):
        apart = np.abs(y - z) > bound.before_rounding(y)
    if skip is not None:
        apart &= ~skip
    return apart if int(apart.sum()) > bound.flips(y) else np.zeros_like(apart)


def _excusable(actual: Array, dtype: str, around: Surroundings, allowed: Floats | None) -> Bools:
    value = decode(actual.reshape(-1), dtype)
    slack = allowed if allowed is not None else 0.0
    with np.errstate(invalid="ignore"):
        between = (value >= around.low - slack) & (value <= around.high + slack)
    return np.asarray(around.jumps & (between | ~np.isfinite(around.high - around.low)))


def _first(
    name: str, expected: Array, actual: Array, dtype: str, bad: Bools, allowed: Floats | None
) -> Mismatch:
    index = int(np.flatnonzero(bad)[0])
    at = slice(index, index + 1)
    pair = [decode(x.reshape(-1)[at], dtype) for x in (expected, actual)]
    limit = float(allowed[index]) if allowed is not None else 0.0
    return Mismatch(name, index, float(pair[0][0]), float(pair[1][0]), limit)


def _worst(
    expected: Array, actual: Array, dtype: str, allowed: Floats | None, skip: Bools | None
) -> float:
    if allowed is None or allowed.size == 0:
        return 0.0
    with np.errstate(invalid="ignore", divide="ignore"):
        distance = np.abs(decode(expected.reshape(-1), dtype) - decode(actual.reshape(-1), dtype))
        ratio = np.nan_to_num(distance / allowed, nan=0.0, posinf=0.0)
    return (
        float(np.max(ratio, where=~skip, initial=0.0)) if skip is not None else float(ratio.max())
    )


def measured_size(base: Array, moved: Sequence[Array], dtype: str, step: float) -> Floats:
    """s of the formula: how far runs with inputs moved by relative `step` lie from `base`.

    Where two terms cancel and their inputs happened to move alike, a run shows less than the terms'
    size; so an element that moves at all counts at least half as much as the typical one.
    """
    y = decode(base.reshape(-1), dtype)
    size = np.zeros_like(y)
    if step:
        with np.errstate(invalid="ignore"):
            for other in moved:
                size = np.fmax(size, np.abs(decode(other.reshape(-1), dtype) - y) / step)
    size = np.where(np.isfinite(size), size, 0.0)
    moving = size > 0
    return (
        np.where(moving, np.fmax(size, 0.5 * np.median(size[moving])), 0.0)
        if moving.any()
        else size
    )


def lost_to_rounding(
    base: Array, up: Array, down: Array, dtype: str, terms: float, skip: Bools | None = None
) -> Floats:
    """MODES r / sqrt(n) of the formula: from runs that rounded up and down."""
    y = decode(base.reshape(-1), dtype)
    kept = np.isfinite(y) if skip is None else np.isfinite(y) & ~skip
    usual = float(np.sqrt(np.mean(np.square(y[kept])))) if kept.any() else 0.0
    apart = _moved_by_rounding(y, up, down, dtype)
    most = LOSS * np.fmax(usual, np.abs(y))
    return np.asarray(np.fmin(MODES * apart / np.sqrt(max(terms, 1.0)), most))


def _moved_by_rounding(y: Floats, up: Array, down: Array, dtype: str) -> Floats:
    """r of the formula: how far apart an element is when every operation rounds up, and down."""
    a, b = (decode(x.reshape(-1), dtype) for x in (up, down))
    with np.errstate(invalid="ignore"):
        apart = np.fmax(np.abs(a - b), np.fmax(np.abs(a - y), np.abs(b - y)))
    return np.asarray(np.where(np.isfinite(apart), apart, 0.0))


def rounding_decides(
    runs: tuple[Array, Array], rounded: tuple[Array, Array], near: Array, bound: Bound, skip: Bools
) -> bool:
    """Whether the sides (`runs`) lie no further apart than rounding alone moves the source.

    Then nobody can say which of them is right: where E[x^2] - E[x]^2 has lost its digits, say.
    What rounds on purpose is no such loss: that stays where it is on the inputs of `near`, which
    differ a little, while noise changes with anything.
    """
    dtype = bound.dtype
    y, z, other = (decode(x.reshape(-1), dtype) for x in (*runs, near))
    moved = _moved_by_rounding(y, *rounded, dtype)
    with np.errstate(invalid="ignore"):
        bad = ~agreement(*runs, dtype, bound.at(y)) & ~skip
        if not bad.any():
            return False
        scale = np.abs(y) + bound.size + np.finfo(np.float64).tiny
        usual = np.median((moved / scale)[bad]) * scale  # by chance both ways may give the same
        covered = np.abs(y - z) <= 2 * MODES * np.fmax(moved, usual) + bound.at(y)
    return bool(covered[bad].all()) and float((other[bad] != y[bad]).mean()) >= _NOISY


def surroundings(
    base: Array, near: Sequence[Array], far: Array, dtype: str, ratio: float, noise: Floats
) -> Surroundings:
    """Where the function behind `base` jumps.

    `near` and `far` moved the inputs by the same signs or their reverse, `far` by `ratio` times as
    much: on a smooth function the change grows alike; at a jump the near one is too large already.
    """
    y, b = (decode(x.reshape(-1), dtype) for x in (base, far))
    low, high = np.fmin(y, b), np.fmax(y, b)
    jumps = np.zeros(y.shape, dtype=np.bool_) if is_float(dtype) else np.asarray(b != y)
    for a in (decode(x.reshape(-1), dtype) for x in near):
        with np.errstate(invalid="ignore"):
            smooth = np.abs(a - y) <= _JUMP_FACTOR / ratio * np.abs(b - y) + noise
        alike = (a == y) | (np.isnan(a) & np.isnan(y))
        jumps |= ~alike & ~(smooth & is_float(dtype))
        low, high = np.fmin(low, a), np.fmax(high, a)
    return Surroundings(jumps, low, high)


def is_exact(data: Array, dtype: str, precision: Precision) -> bool:
    """Whether every value has so few bits that no rounding can have touched it on the way.

    They are counted from the last bit that any of them has: a large value has no other fraction
    than one that looks like that of an exact result.
    """
    if not is_float(dtype):
        return True
    y = decode(data.reshape(-1), dtype)
    narrowest = precision.accumulate or dtype
    room = 1.0 / (4 * unit_roundoff(narrowest)) if precision.accumulate else 2.0**22
    with np.errstate(invalid="ignore"):
        steps = (y * 2.0**bits for bits in range(_DYADIC_BITS + 1))
        whole = next((x for x in steps if np.all(x == np.rint(x))), None)
        return whole is not None and bool(np.all(np.abs(whole) < room))


def differing_bits(a: Array, b: Array) -> Bools:
    """Where two runs of one program on one input differ in any bit."""
    return ~same_bits(a, b)
