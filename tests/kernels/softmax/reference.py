"""Softmax and log-softmax along the last axis."""

import numpy as np


def softmax(x: np.ndarray) -> np.ndarray:
    """exp(x) over its sum, row by row."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def log_softmax(x: np.ndarray) -> np.ndarray:
    """Logarithm of the softmax."""
    return np.log(softmax(x))


def masked_softmax(x: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Softmax over the elements whose mask is odd; the others get 0."""
    keep = mask % 2 == 1
    e = np.where(keep, np.exp(x), 0.0)
    total = e.sum(axis=-1, keepdims=True)
    return np.divide(e, total, out=np.zeros_like(e), where=total > 0)
