"""Pooling over windows of the two spatial axes."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def windows(x: np.ndarray, window: tuple[int, int], stride: tuple[int, int]) -> np.ndarray:
    """(..., h, w) -> (..., p, q, window height, window width)."""
    view = sliding_window_view(x, window, axis=(-2, -1))
    return view[..., :: stride[0], :: stride[1], :, :]


def min_pool(x: np.ndarray, win: int, stride: int) -> np.ndarray:
    """One plane (h, w)."""
    return windows(x, (win, win), (stride, stride)).min(axis=(-2, -1))


def min_pool_nhwc(x: np.ndarray, win: int) -> np.ndarray:
    """Channels last; windows side by side."""
    w = windows(x.transpose(0, 3, 1, 2), (win, win), (win, win))
    return w.min(axis=(-2, -1)).transpose(0, 2, 3, 1)
