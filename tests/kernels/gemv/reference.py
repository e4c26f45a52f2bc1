"""Matrix-vector product."""

import numpy as np


def gemv(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """a @ x."""
    return a @ x


def gemv_transposed(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """a.T @ x."""
    return a.T @ x
