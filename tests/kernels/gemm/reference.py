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


def gemm_rows_of_four(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a @ b with b packed (k / 4, n, 4)."""
    return a @ b.transpose(0, 2, 1).reshape(-1, b.shape[1])


def gemm_bits_of_two(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The same packed (k / 2, n, 2); elements are bits of bfloat16."""
    x, y = ((v.astype(np.uint32) << 16).view(np.float32).astype(np.float64) for v in (a, b))
    return gemm_rows_of_four(x, y)
