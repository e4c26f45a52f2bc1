"""Two-dimensional convolution, channels first."""

import numpy as np


def conv2d(
    x: np.ndarray, w: np.ndarray, strides: tuple[int, int] = (1, 1), pad: int = 0
) -> np.ndarray:
    """x (n, c, h, w), filters (m, c, r, s) -> (n, m, p, q)."""
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))
    windows = windows[:, :, :: strides[0], :: strides[1]]
    return np.einsum("ncpqrs,mcrs->nmpq", windows, w)


def conv2d_bias(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Valid convolution plus one number per output channel."""
    return conv2d(x, w) + b[None, :, None, None]


def conv2d_padded(x: np.ndarray, w: np.ndarray, pad: int) -> np.ndarray:
    """Stride 1 with zeros around the image."""
    return conv2d(x, w, pad=pad)


def conv2d_grouped(x: np.ndarray, w: np.ndarray, groups: int, sh: int, sw: int) -> np.ndarray:
    """Each group of output channels sees its own group of input channels."""
    pairs = zip(np.split(x, groups, axis=1), np.split(w, groups), strict=True)
    return np.concatenate([conv2d(part, taps, (sh, sw)) for part, taps in pairs], axis=1)
