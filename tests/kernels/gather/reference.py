"""Gathering by an array of indices."""

import numpy as np


def rows(table: np.ndarray, index: np.ndarray) -> np.ndarray:
    """table[index[i]] for each i."""
    return table[index]


def along_axis(x: np.ndarray, idx: np.ndarray) -> np.ndarray:
    """Along the middle axis; negative indices count from its end."""
    return np.take_along_axis(x, np.where(idx < 0, idx + x.shape[1], idx), axis=1)


def or_zero(table: np.ndarray, where: np.ndarray) -> np.ndarray:
    """table[where], and 0 for an index outside."""
    inside = (where >= 0) & (where < len(table))
    return np.where(inside, table[np.where(inside, where, 0)], 0)
