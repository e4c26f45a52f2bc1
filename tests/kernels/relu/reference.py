"""Rectified linear unit, with an optional slope on the negative side."""

import numpy as np


def relu(x: np.ndarray, slope: float = 0.0) -> np.ndarray:
    """x where positive, else slope * x."""
    return np.where(x > 0, x, slope * x)


def relu_clipped(x: np.ndarray, ceiling: float) -> np.ndarray:
    """x limited to [0, ceiling]."""
    return np.clip(x, 0, ceiling)
