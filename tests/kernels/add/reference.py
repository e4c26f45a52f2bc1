"""Elementwise addition, plain and with one row added to every row."""

import numpy as np


def add(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a + b."""
    return a + b


def add_row(matrix: np.ndarray, row: np.ndarray) -> np.ndarray:
    """The matrix with `row` added to each of its rows."""
    return matrix + row[None, :]
