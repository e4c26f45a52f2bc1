"""Layer normalisation over the last axis."""

import numpy as np


def layer_norm(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float) -> np.ndarray:
    """Rows shifted to mean 0 and scaled to variance 1, then an affine map per column."""
    mean = x.mean(axis=-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(axis=-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + eps) * gamma + beta


def layer_norm_gradient(
    dy: np.ndarray, x: np.ndarray, gamma: np.ndarray, mean: np.ndarray, rstd: np.ndarray
) -> np.ndarray:
    """Gradient by x, where `mean` and `rstd` stand for the statistics of each row."""
    unit = (x - mean[:, None]) * rstd[:, None]
    g = dy * gamma
    centred = g - g.mean(axis=1, keepdims=True)
    return rstd[:, None] * (centred - unit * (g * unit).mean(axis=1, keepdims=True))
