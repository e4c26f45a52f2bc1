"""Minimum along one axis."""

import numpy as np


def over_axis(x: np.ndarray, axis: int) -> np.ndarray:
    """Minimum along one axis."""
    return x.min(axis=axis)
