"""General matrix product."""

import numpy as np


def gemm(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a @ b."""
    return a @ b


def gemm_nt(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a @ b with b stored transposed."""
    return a @ b.T


def gemm_full(a: np.ndarray, b: np.ndarray, c: np.ndarray, alpha: float, beta: float) -> np.ndarray:
    """alpha * a @ b + beta * c, as in BLAS."""
    return alpha * (a @ b) + beta * c
