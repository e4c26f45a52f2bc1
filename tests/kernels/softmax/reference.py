"""Softmax and log-softmax along the last axis."""

import numpy as np


def softmax(x: np.ndarray) -> np.ndarray:
    """exp(x) over its sum, row by row."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def log_softmax(x: np.ndarray) -> np.ndarray:
    """Logarithm of the softmax."""
    return np.log(softmax(x))
