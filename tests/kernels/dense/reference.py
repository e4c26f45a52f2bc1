"""Fully connected layer with bias."""

import numpy as np


def dense(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray, act: int, transposed: bool = False
) -> np.ndarray:
    """x @ weight + bias, then ReLU when `act` is 1; `weight` may be stored output first."""
    y = x @ (weight.T if transposed else weight) + bias
    return np.maximum(y, 0) if act else y


def dense_quantised(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray, scale: float
) -> np.ndarray:
    """Integer layer, scaled, rounded to nearest even and saturated to int8."""
    return np.clip(np.rint((x @ weight.T + bias) * scale), -128, 127).astype(np.int64)
