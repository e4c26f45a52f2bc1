"""Concatenation."""

import numpy as np


def concat(a: np.ndarray, b: np.ndarray, axis: int) -> np.ndarray:
    """Both arrays along one axis."""
    return np.concatenate([a, b], axis=axis)


def concat3(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Three matrices side by side."""
    return np.concatenate([x, y, z], axis=1)
