"""Instance normalisation: each plane of each sample by its own statistics."""

import numpy as np


def instance_norm(x: np.ndarray, eps: float) -> np.ndarray:
    """x is (n, c, ...)."""
    axes = tuple(range(2, x.ndim))
    mean = x.mean(axis=axes, keepdims=True)
    return (x - mean) / np.sqrt(x.var(axis=axes, keepdims=True) + eps)


def instance_norm_affine(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray, eps: float
) -> np.ndarray:
    """x is (n, c, area); with an affine map per channel."""
    return instance_norm(x, eps) * weight[None, :, None] + bias[None, :, None]
