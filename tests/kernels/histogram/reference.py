"""Histograms."""

import numpy as np


def of_bytes(x: np.ndarray) -> np.ndarray:
    """64 bins, each for four neighbouring byte values."""
    return np.bincount(x // 4, minlength=64)


def of_unit_interval(x: np.ndarray, bins: int) -> np.ndarray:
    """Equal cells of [0, 1); what lies outside goes to the end cells."""
    # the product is rounded to float32, as a program that stores floats does
    cell = np.floor((x.astype(np.float32) * np.float32(bins)).astype(float)).astype(int)
    return np.bincount(np.clip(cell, 0, bins - 1), minlength=bins)


def modulo_32(x: np.ndarray) -> np.ndarray:
    """Counts of the remainders by 32."""
    return np.bincount(x % 32, minlength=32)
