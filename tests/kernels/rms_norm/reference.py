"""Root-mean-square normalisation over the last axis."""

import numpy as np


def rms_norm(x: np.ndarray, weight: np.ndarray, eps: float) -> np.ndarray:
    """Rows divided by their root mean square, scaled per column."""
    return x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + eps) * weight


def add_rms_norm(
    residual: np.ndarray, x: np.ndarray, weight: np.ndarray, eps: float
) -> tuple[np.ndarray, np.ndarray]:
    """The new residual, and its normalisation."""
    total = residual + x
    return total, rms_norm(total, weight, eps)
