"""Products of matrices in a batch."""

import numpy as np


def bmm(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a[z] @ b[z]."""
    return np.einsum("zik,zkj->zij", a, b)


def bmm_nt(a: np.ndarray, b: np.ndarray, alpha: float) -> np.ndarray:
    """alpha * a[z] @ b[z].T."""
    return alpha * np.einsum("zik,zjk->zij", a, b)


def bmm_nt_bits(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a[z] @ b[z].T where the operands are given as the bits of bfloat16 numbers."""
    wide = [(v.astype(np.uint32) << 16).view(np.float32).astype(np.float64) for v in (a, b)]
    return bmm_nt(wide[0], wide[1], 1.0)
