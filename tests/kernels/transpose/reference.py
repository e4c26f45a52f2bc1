"""Transposition of a matrix, and exchange of the two middle axes of four."""

import numpy as np


def transpose(x: np.ndarray) -> np.ndarray:
    """The matrix with rows and columns exchanged."""
    return x.T


def swap_middle(x: np.ndarray) -> np.ndarray:
    """(b, s, h, d) to (b, h, s, d)."""
    return x.transpose(0, 2, 1, 3)
