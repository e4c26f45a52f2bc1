"""Two-dimensional convolution, channels last."""

import numpy as np


def conv2d(x: np.ndarray, w: np.ndarray, stride: int, pad: int) -> np.ndarray:
    """x (n, h, w, c), filters (k, r, s, c) -> (n, p, q, k)."""
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[1:3], axis=(1, 2))
    return np.einsum("npqcrs,krsc->npqk", windows[:, ::stride, ::stride], w)


def conv2d_rsck(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """One image (h, w, c), filters (r, s, c, k), stride 1, no padding."""
    return conv2d(x[None], w.transpose(3, 0, 1, 2), 1, 0)[0]


def conv2d_image(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """One image (h, w, c), filters (k, r, s, c), stride 1, no padding."""
    return conv2d(x[None], w, 1, 0)[0]
