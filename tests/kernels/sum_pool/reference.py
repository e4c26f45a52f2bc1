"""Pooling over windows of the two spatial axes."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def windows(x: np.ndarray, window: tuple[int, int], stride: tuple[int, int]) -> np.ndarray:
    """(..., h, w) -> (..., p, q, window height, window width)."""
    view = sliding_window_view(x, window, axis=(-2, -1))
    return view[..., :: stride[0], :: stride[1], :, :]


def sum_pool(x: np.ndarray, win: int, stride: int) -> np.ndarray:
    """Planes (..., h, w)."""
    return windows(x, (win, win), (stride, stride)).sum(axis=(-2, -1))
