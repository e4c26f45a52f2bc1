"""Inputs from a seed: values that make a wrong translation show itself.

Never all ones: a dropped factor, a swapped index or a wrong stride leaves those results alone.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from xpiler.verify.dtypes import (
    Bools,
    Floats,
    canonical,
    decode,
    encode,
    is_float,
    storage,
    unit_roundoff,
)
from xpiler.verify.invocation import Array

Role = Literal["in", "out", "inout"]
Recipe = Literal[
    "uniform", "integers", "normal", "positive", "negative", "edges", "wide", "impulses"
]  # fmt: skip
RECIPES: tuple[Recipe, ...] = (
    "uniform", "integers", "negative", "positive", "normal", "edges", "wide",
)  # fmt: skip

# Neither 0 nor 1: a dropped term or factor always changes the sum or the product.
SMALL_INTEGERS = (-3.0, -2.0, -1.0, 2.0, 3.0, 4.0)
_EDGES = np.array([0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 2.0, -8.0, 1e-3, -1e-3, 0.1, -3.7, 12.25])
_IMPULSE = 3.0
_INTEGRAL_BOUNDS = (0.0, 100.0)  # exact in every type, and in range of every integer type
_INTEGER_BOUND = 100.0
_STEPS = 6  # places at which ascending values rise
LARGEST_DIVISOR = _INTEGER_BOUND
_WIDE = 60.0  # shows what conversions to integers do; its exponential is still finite
_MARKED = 0.125  # of the elements are numbers that the program compares with
_OUTLIERS = 0.03  # of the wide values are eight times as large: a wrong maximum overflows


@dataclass(frozen=True, slots=True)
class BufferSpec:
    """One buffer of an entry. `count` in elements, `bounds` inclusive.

    `is_index`: the values address something, so every one must lie within `bounds`.
    `integral`: the program converts the values to integers, so only those are given to it.
    `distinct`: no value occurs twice, as far as `bounds` have room. `marks`: integers that the
    program compares elements with; some of the elements are to be such. `guessed`: the count may
    be more than the source reaches. `ascending`: no value is below the one before.
    """

    name: str
    ctype: str
    dtype: str
    count: int
    role: Role = "in"
    bounds: tuple[float, float] | None = None
    is_index: bool = False
    integral: bool = False
    distinct: bool = False
    marks: tuple[int, ...] = ()

    guessed: bool = False
    ascending: bool = False

    @property
    def is_read(self) -> bool:
        return self.role != "out"

    @property
    def is_smooth(self) -> bool:
        """Whether a slightly different value is a sensible input too."""
        return self.is_read and is_float(self.dtype) and not self.integral and not self.is_index

    @property
    def is_free(self) -> bool:
        """Whether any value within its bounds is a sensible input, whatever the others are."""
        return self.is_read and not self.is_index and not self.distinct


@dataclass(frozen=True, slots=True)
class RecordSpec:
    """A buffer of `count` structs of `size` bytes; `parts` as in `RecordArg`."""

    name: str
    size: int
    count: int
    parts: tuple[tuple[int, BufferSpec], ...]

    def sized(self, count: int) -> RecordSpec:
        """The same with another number of structs."""
        parts = ((at, replace(b, count=b.count // self.count * count)) for at, b in self.parts)
        return replace(self, count=count, parts=tuple(parts))


Values = Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class InputPlan:
    """`runs` sets of inputs; run i follows recipe i, in later rounds with new numbers."""

    seed: int
    runs: int = len(RECIPES)

    def recipe(self, run: int) -> Recipe:
        return RECIPES[run % len(RECIPES)]

    def draw(self, buffers: Sequence[BufferSpec], run: int, recipe: Recipe | None = None) -> Values:
        """The data of every buffer that is read; the same for the same seed, run and names."""
        chosen = recipe or self.recipe(run)
        return {b.name: draw(b, chosen, self.random(run, b.name)) for b in buffers if b.is_read}

    def random(self, run: int, purpose: str) -> np.random.Generator:
        """A stream of its own for each purpose, so that one buffer more changes no other."""
        return np.random.default_rng([self.seed, run, zlib.crc32(purpose.encode())])


def draw(buffer: BufferSpec, recipe: Recipe, random: np.random.Generator) -> Array:
    """`buffer.count` values of its type by `recipe`.

    Negative ones rise and positive ones fall along the buffer: then the extremes lie at the two
    ends of every row and column, where a loop that is too short leaves them out.
    """
    values = _drawn(buffer, recipe, random)
    if recipe not in ("positive", "negative") or buffer.is_index or buffer.distinct:
        return values
    if not is_float(buffer.dtype):
        ordered = np.sort(values)
    else:
        ordered = encode(np.sort(decode(values, buffer.dtype)), buffer.dtype)
    return ordered if recipe == "negative" else ordered[::-1].copy()


def _drawn(buffer: BufferSpec, recipe: Recipe, random: np.random.Generator) -> Array:
    if not is_float(buffer.dtype):
        return _draw_integers(buffer, recipe, random)
    if buffer.integral:
        low, high = buffer.bounds or _INTEGRAL_BOUNDS
        whole = _whole(np.ceil(low), np.floor(high), buffer.count, recipe, random)
        return encode(whole, buffer.dtype)
    values = _draw_reals(buffer.count, recipe, random, buffer.bounds)
    return _inside(encode(values, buffer.dtype), buffer)


def _draw_integers(buffer: BufferSpec, recipe: Recipe, random: np.random.Generator) -> Array:
    kind = storage(buffer.dtype)
    if kind == np.bool_:
        return _not_all_ones(random.integers(0, 2, buffer.count).astype(np.float64)).astype(kind)
    low, high = buffer.bounds or _default_integer_bounds(kind)
    info = np.iinfo(kind)
    low, high = max(np.ceil(low), float(info.min)), min(np.floor(high), float(info.max))
    if buffer.distinct:
        return _draw_distinct(buffer.count, low, high, random).astype(kind)
    if buffer.ascending:
        return _draw_ascending(buffer.count, low, high, random).astype(kind)
    plain: Recipe = "uniform" if buffer.is_index and recipe not in ("normal", "edges") else recipe
    drawn = _whole(low, high, buffer.count, plain, random).astype(kind)
    return drawn if buffer.is_index or recipe == "impulses" else _marked(drawn, buffer, random)


def _marked(values: Array, buffer: BufferSpec, random: np.random.Generator) -> Array:
    """`values` with the buffer's marks, as far as they are within its type and given bounds."""
    info = np.iinfo(storage(buffer.dtype))
    low, high = buffer.bounds or (float(info.min), float(info.max))
    marks = [k for k in buffer.marks if max(low, info.min) <= k <= min(high, info.max)]
    if marks and values.size > 1:
        places = random.permutation(values.size)[: max(1, int(_MARKED * values.size))]
        values[places] = random.choice(np.array(marks, dtype=values.dtype), places.size)
    return values


def _draw_distinct(count: int, low: float, high: float, random: np.random.Generator) -> Array:
    """Values of [low, high] in random order, none twice until all are used."""
    room = int(high) - int(low) + 1
    if room > 1 << 24:
        return random.integers(int(low), int(high), count, endpoint=True)
    rounds = [random.permutation(room) + int(low) for _ in range(-(-count // room))]
    return np.concatenate(rounds)[:count] if rounds else np.zeros(0, np.int64)


def _draw_ascending(count: int, low: float, high: float, random: np.random.Generator) -> Array:
    """Values that rise from `low` to `high` in a few steps: some rows are long, others empty."""
    steps = random.integers(int(low), int(high), _STEPS, endpoint=True)
    drawn = np.sort(random.choice(np.concatenate([steps, [int(low), int(high)]]), count))
    drawn[-1:], drawn[:1] = int(high), int(low)
    return drawn


def _default_integer_bounds(kind: np.dtype[Any]) -> tuple[float, float]:
    if kind.itemsize == 1:
        info = np.iinfo(kind)
        return float(info.min), float(info.max)
    return (0.0 if kind.kind == "u" else -_INTEGER_BOUND), _INTEGER_BOUND


def _whole(
    low: float, high: float, count: int, recipe: Recipe, random: np.random.Generator
) -> Floats:
    small = np.array([x for x in SMALL_INTEGERS if low <= x <= high])
    if recipe == "impulses" and low <= 0 <= high:
        return _impulses(count, min(_IMPULSE, high), random)
    if recipe == "integers" and len(small) > 2:
        return random.choice(small, count)
    if recipe in ("positive", "negative") and high - low > 1:
        middle = np.floor((low + high) / 2)
        low, high = (middle + 1, high) if recipe == "positive" else (low, middle - (low < 0))
    drawn = random.integers(int(low), int(high), count, endpoint=True).astype(np.float64)
    if recipe == "edges" and count > 3:
        drawn[random.integers(0, count, max(1, count // 8))] = low
        drawn[random.integers(0, count, max(1, count // 8))] = high
    return _not_all_ones(drawn) if low <= 0 or high > 1 else drawn


def _not_all_ones(values: Floats) -> Floats:
    """Bounds such as [0, 1] and few elements can give nothing but ones by chance."""
    if len(values) and bool(np.all(values == 1)):
        values[0] = 0
    return values


def _draw_reals(
    count: int, recipe: Recipe, random: np.random.Generator, bounds: tuple[float, float] | None
) -> Floats:
    if bounds is not None:
        return _draw_between(count, recipe, random, *bounds)
    match recipe:
        case "uniform":
            return random.uniform(-1, 1, count)
        case "normal":
            return np.clip(random.standard_normal(count), -6, 6)
        case "positive":
            return random.uniform(0.25, 2.25, count)
        case "negative":
            return -random.uniform(0.25, 2.25, count)
        case "wide":
            outlying = random.random(count) < _OUTLIERS
            return random.uniform(-_WIDE, _WIDE, count) * np.where(outlying, 8.0, 1.0)
        case "integers":
            return random.choice(SMALL_INTEGERS, count)
        case "edges":
            edges = random.choice(_EDGES, count)
            return np.where(random.random(count) < 0.5, edges, random.uniform(-4, 4, count))
        case "impulses":
            return _impulses(count, _IMPULSE, random)


def _draw_between(
    count: int, recipe: Recipe, random: np.random.Generator, low: float, high: float
) -> Floats:
    middle, width = (low + high) / 2, high - low
    match recipe:
        case "normal":
            return np.clip(middle + width / 6 * random.standard_normal(count), low, high)
        case "positive":
            return random.uniform(max(middle, low), high, count)
        case "negative":
            return random.uniform(low, middle, count)
        case "integers":
            return _lattice(count, random, low, high)
        case "edges":
            marks = np.array([low, high, middle] + ([0.0, -0.0] if low <= 0 <= high else []))
            marked = random.random(count) < 0.4
            return np.where(marked, random.choice(marks, count), random.uniform(low, high, count))
        case "impulses" if low <= 0 <= high:
            return _impulses(count, high if high > 0 else low, random)
        case _:
            return random.uniform(low, high, count)


def _lattice(count: int, random: np.random.Generator, low: float, high: float) -> Floats:
    """Small integers within bounds; where there are too few, multiples of a power of two."""
    step = 1.0
    while high - low < 3 * step:
        step /= 2
        if step < 2.0**-20:
            return random.uniform(low, high, count)
    points = np.arange(np.ceil(low / step), np.floor(high / step) + 1)[:4096] * step
    small = points[(np.abs(points) <= 4) & (points != 0) & (points != 1)]
    return random.choice(small if len(small) > 2 else points, count)


def _impulses(count: int, height: float, random: np.random.Generator) -> Floats:
    """Zero but for the two ends and a few places between: shows one term of a sum alone."""
    values = np.zeros(count)
    if count:
        places = random.integers(0, count, max(1, count // 64))
        values[np.concatenate([[0, count - 1], places])] = height
    return values


def _inside(data: Array, buffer: BufferSpec) -> Array:
    """Rounding to a narrow type may step over a bound; such values become the middle."""
    if buffer.bounds is None:
        return data
    low, high = buffer.bounds
    values = decode(data, buffer.dtype)
    over = (values < low) | (values > high)
    if bool(over.any()):
        data[over] = encode(np.array([(low + high) / 2]), buffer.dtype)[0]
    return data


# How far a perturbed run moves its inputs, in units of their roundoff: near enough to tell a jump,
# far enough for the difference to stand above rounding.
NEAR, FAR = 2.0**6, 2.0**12


def perturbation(buffers: Sequence[BufferSpec], far: bool) -> float:
    """The relative change of all smooth inputs, set by the coarsest of their types; 0 for none."""
    units = [unit_roundoff(b.dtype) for b in buffers if b.is_smooth]
    if not units:
        return 0.0
    coarse = max(units)
    if far:
        return min(FAR * coarse, max(2.0**-6, 16 * coarse))
    return min(NEAR * coarse, max(2.0**-9, 4 * coarse))


def signs(buffers: Sequence[BufferSpec], random: np.random.Generator) -> dict[str, Floats]:
    """+1 or -1 for every smooth element."""
    ends = np.array([-1.0, 1.0])
    return {b.name: random.choice(ends, b.count) for b in buffers if b.is_smooth}


def perturb(
    buffers: Sequence[BufferSpec], values: Values, size: float, signs: Mapping[str, Floats]
) -> Values:
    """`values` with every smooth element x turned into x (1 + sign * size)."""
    changed = dict(values)
    for buffer in buffers:
        if buffer.is_smooth:
            moved = decode(values[buffer.name], buffer.dtype) * (1 + signs[buffer.name] * size)
            changed[buffer.name] = _inside(encode(moved, buffer.dtype), buffer)
    return changed


def redraw(
    buffers: Sequence[BufferSpec], values: Values, share: float, random: np.random.Generator
) -> Values:
    """`values` with about `share` of the smooth elements replaced by other ones."""
    changed = dict(values)
    for buffer in buffers:
        if buffer.is_smooth:
            fresh = draw(buffer, "uniform", random)
            chosen = random.random(buffer.count) < share
            changed[buffer.name] = np.where(chosen, fresh, values[buffer.name]).astype(fresh.dtype)
    return changed


def spiked(
    buffer: BufferSpec, data: Array, count: int, up: bool, random: np.random.Generator
) -> Array:
    """`data` with about `count` values, a sixteenth of all at most, far above or below the rest."""
    values = decode(data.reshape(-1), buffer.dtype).copy()
    count = max(1, min(count, values.size // 16))
    places = random.choice(values.size, count, replace=False)
    low, high = _reach(buffer, values)
    steps = 1 - np.arange(count) / (64 * count)  # no two alike: who is largest is clear
    values[places] = high * steps if up else low * steps
    return np.asarray(encode(np.clip(values, low, high), buffer.dtype)).reshape(data.shape)


def set_apart(buffer: BufferSpec, data: Array, places: Bools, up: bool) -> Array:
    """`data` with the values at `places` the largest (or the least) of all, the rest closer by."""
    values = decode(data.reshape(-1), buffer.dtype)
    low, high = _reach(buffer, values)
    middle = (low + high) / 2
    values = middle + (values - middle) / 2
    if buffer.integral or not is_float(buffer.dtype):
        values = np.floor(values)
    values[places] = high if up else low
    return np.asarray(encode(values, buffer.dtype)).reshape(data.shape)


def _reach(buffer: BufferSpec, values: Floats) -> tuple[float, float]:
    """How far values of this buffer may go."""
    if buffer.bounds is not None:
        return buffer.bounds
    if is_float(buffer.dtype):
        most = 4 * float(np.abs(values[np.isfinite(values)]).max(initial=0.0))
        return -most, most
    kind = storage(buffer.dtype)
    return (0.0, 1.0) if kind == np.bool_ else _default_integer_bounds(kind)


def describe(recipes: Sequence[Recipe]) -> str:
    """For people: "uniform, integers"."""
    return ", ".join(dict.fromkeys(recipes))


__all__ = [
    "FAR", "NEAR", "RECIPES", "BufferSpec", "InputPlan", "Recipe", "Role", "Values", "canonical",
    "describe", "draw", "perturb", "perturbation", "redraw", "signs",
]  # fmt: skip
