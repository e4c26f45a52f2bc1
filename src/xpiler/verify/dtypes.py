"""Facts about element types: precision, range, and the numbers behind the bits."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xpiler.verify.invocation import Array

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_SHORT = {
    "f16": "float16",
    "f32": "float32",
    "f64": "float64",
    "bfloat16": "bf16",
    "half": "float16",
}
_SIGNIFICAND_BITS = {"float16": 11, "bf16": 8, "float32": 24, "float64": 53}
_SMALLEST = {"float16": 2.0**-24, "bf16": 2.0**-133, "float32": 2.0**-149, "float64": 5e-324}


@cache
def canonical(dtype: str) -> str:
    """NumPy's name of `dtype` ("float32"), or "bf16"."""
    name = _SHORT.get(dtype, dtype)
    return name if name == "bf16" else np.dtype(name).name


def storage(dtype: str) -> np.dtype[Any]:
    """What an array of `dtype` is stored as; bf16 travels as its bits."""
    name = canonical(dtype)
    return np.dtype(np.uint16 if name == "bf16" else name)


def is_float(dtype: str) -> bool:
    return canonical(dtype) in _SIGNIFICAND_BITS


def unit_roundoff(dtype: str) -> float:
    """Half the distance from 1 to the next number: 2^-24 for float32."""
    return float(2.0 ** -_SIGNIFICAND_BITS[canonical(dtype)])


def largest_finite(dtype: str) -> float:
    """The largest number below infinity: 65504 for float16."""
    exponent = {"float16": 16, "bf16": 128, "float32": 128, "float64": 1024}[canonical(dtype)]
    return math.ldexp(1 - unit_roundoff(dtype), exponent)


def spacing(values: Floats, dtype: str) -> Floats:
    """One unit in the last place of `dtype` at each of `values`."""
    exponent = np.frexp(np.abs(values))[1]
    with np.errstate(over="ignore"):
        ulp = np.ldexp(1.0, exponent - _SIGNIFICAND_BITS[canonical(dtype)])
    return np.asarray(np.maximum(ulp, _SMALLEST[canonical(dtype)]))


def decode(data: Array, dtype: str) -> Floats:
    """The numbers that an array holds, as float64."""
    if canonical(dtype) == "bf16":
        bits = data.view(np.uint16).astype(np.uint32) << np.uint32(16)
        return bits.view(np.float32).astype(np.float64)
    with np.errstate(invalid="ignore"):  # poison may be a signalling NaN
        return data.astype(np.float64)


def encode(values: Floats, dtype: str) -> Array:
    """Numbers as an array of `dtype`, rounded to nearest even."""
    if canonical(dtype) == "bf16":
        bits = values.astype(np.float32).view(np.uint32)
        rounded = bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
        return (rounded >> np.uint32(16)).astype(np.uint16)
    with np.errstate(over="ignore"):
        return values.astype(storage(dtype))


def same_bits(a: Array, b: Array) -> Bools:
    """Where two arrays of one type agree bit for bit."""
    if a is b:
        return np.broadcast_to(np.True_, a.size)
    left, right = (np.ascontiguousarray(x).reshape(-1) for x in (a, b))
    size = left.dtype.itemsize
    if size in (1, 2, 4, 8):
        kind = np.dtype(f"u{size}")
        return np.asarray(left.view(kind) == right.view(kind))
    rows = (x.view(np.uint8).reshape(-1, size) for x in (left, right))
    return np.asarray((next(rows) == next(rows)).all(axis=1))
