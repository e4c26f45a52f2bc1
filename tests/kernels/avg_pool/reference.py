"""Pooling over windows of the two spatial axes."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def windows(x: np.ndarray, window: tuple[int, int], stride: tuple[int, int]) -> np.ndarray:
    """(..., h, w) -> (..., p, q, window height, window width)."""
    view = sliding_window_view(x, window, axis=(-2, -1))
    return view[..., :: stride[0], :: stride[1], :, :]


def avg_pool(x: np.ndarray, win: int, stride: int, pad: int) -> np.ndarray:
    """Planes (n, h, w); positions outside do not count."""
    margin = ((0, 0), (pad, pad), (pad, pad))
    total = windows(np.pad(x, margin), (win, win), (stride, stride)).sum(axis=(-2, -1))
    ones = np.pad(np.ones_like(x), margin)
    return total / windows(ones, (win, win), (stride, stride)).sum(axis=(-2, -1))


def global_avg_pool(x: np.ndarray) -> np.ndarray:
    """Mean of each row (plane, area)."""
    return x.mean(axis=1)
