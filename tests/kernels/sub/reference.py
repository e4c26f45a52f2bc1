"""Elementwise subtraction, plain and saturating to int8."""

import numpy as np


def sub(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a - b."""
    return a - b


def sub_saturating(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a - b limited to the range of int8."""
    return np.clip(a - b, -128, 127)
