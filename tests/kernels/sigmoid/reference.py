"""Logistic function, alone and as a gate of its own argument."""

import numpy as np


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x))."""
    return 1 / (1 + np.exp(-x))


def sigmoid_and_silu(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The logistic function and x times it."""
    return sigmoid(x), x * sigmoid(x)
