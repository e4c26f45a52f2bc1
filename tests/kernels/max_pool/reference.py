"""Pooling over windows of the two spatial axes."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def windows(x: np.ndarray, window: tuple[int, int], stride: tuple[int, int]) -> np.ndarray:
    """(..., h, w) -> (..., p, q, window height, window width)."""
    view = sliding_window_view(x, window, axis=(-2, -1))
    return view[..., :: stride[0], :: stride[1], :, :]


def max_pool_with_index(
    x: np.ndarray, kernel: int, stride: int, pad: int
) -> tuple[np.ndarray, np.ndarray]:
    """Maxima of the planes (n, h, w), and the flat position of each in its plane."""
    height, width = x.shape[1:]
    margin = ((0, 0), (pad, pad), (pad, pad))
    w = windows(np.pad(x, margin, constant_values=-np.inf), (kernel, kernel), (stride, stride))
    place = np.arange(height * width).reshape(1, height, width)
    places = np.pad(place, margin, constant_values=-1)
    p = windows(places, (kernel, kernel), (stride, stride))
    flat = w.reshape(*w.shape[:3], -1)
    where = flat.argmax(axis=-1)[..., None]
    index = np.take_along_axis(
        np.broadcast_to(p.reshape(1, *p.shape[1:3], -1), flat.shape), where, -1
    )
    return flat.max(axis=-1), index[..., 0]


def max_pool_nhwc(x: np.ndarray, window: int, stride: int) -> np.ndarray:
    """Channels last."""
    w = windows(x.transpose(0, 3, 1, 2), (window, window), (stride, stride))
    return w.max(axis=(-2, -1)).transpose(0, 2, 3, 1)
