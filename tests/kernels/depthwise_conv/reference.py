"""Depthwise convolution: every channel has its own filter."""

import numpy as np


def nchw_same(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """x (n, c, h, w), filters (c, k, k) with odd k, zeros outside."""
    k = w.shape[-1]
    x = np.pad(x, ((0, 0), (0, 0), (k // 2, k // 2), (k // 2, k // 2)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (k, k), axis=(2, 3))
    return np.einsum("nchwrs,crs->nchw", windows, w)


def nhwc_valid(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """x (n, h, w, c), filters (r, s, c)."""
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[:2], axis=(1, 2))
    return np.einsum("nhwcrs,rsc->nhwc", windows, w)
