"""Feed-forward block with a gate."""

import math

import numpy as np


def swiglu(x: np.ndarray, gate: np.ndarray, up: np.ndarray, down: np.ndarray) -> np.ndarray:
    """(silu(x @ gate) * (x @ up)) @ down."""
    g = x @ gate
    return (g / (1 + np.exp(-g)) * (x @ up)) @ down


def geglu(x: np.ndarray) -> np.ndarray:
    """Exact GELU of the first half of the columns times the second half."""
    g, linear = np.split(x, 2, axis=-1)
    return 0.5 * g * (1 + np.vectorize(math.erf)(g / math.sqrt(2))) * linear
