"""Scattering by an array of indices."""

import numpy as np


def segment_sum(src: np.ndarray, index: np.ndarray, segments: int) -> np.ndarray:
    """Sum of the rows that carry the same index."""
    out = np.zeros((segments, src.shape[1]))
    np.add.at(out, index, src)
    return out


def permute(src: np.ndarray, where: np.ndarray) -> np.ndarray:
    """src[i] goes to place where[i]."""
    out = np.empty_like(src)
    out[where] = src
    return out


def columns(out: np.ndarray, idx: np.ndarray, src: np.ndarray) -> np.ndarray:
    """Per column, rows in order; a later one overwrites an earlier one."""
    out = out.copy()
    for row, places in zip(src, idx, strict=True):
        np.put_along_axis(out, places[None, :], row[None, :], axis=0)
    return out
