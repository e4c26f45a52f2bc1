"""Prefix sums, and the compaction that is built on them."""

import numpy as np


def inclusive(x: np.ndarray) -> np.ndarray:
    """Running sum along the last axis."""
    return np.cumsum(x, axis=-1)


def exclusive(x: np.ndarray) -> np.ndarray:
    """Sum of everything before, along the last axis."""
    return np.cumsum(x, axis=-1) - x


def compact_positive(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positive numbers of each row first, then zeros; and how many there were."""
    out = np.zeros_like(x)
    for row, kept in zip(out, x, strict=True):
        positive = kept[kept > 0]
        row[: len(positive)] = positive
    return out, (x > 0).sum(axis=1)
