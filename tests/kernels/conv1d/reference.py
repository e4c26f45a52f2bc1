"""One-dimensional convolution (correlation, as networks use the word)."""

import numpy as np


def same(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """As long as x; zeros beyond the ends; odd number of taps."""
    radius = len(w) // 2
    return valid(np.pad(x, radius), w)


def valid(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Only where every tap meets a sample."""
    return np.correlate(x, w, mode="valid")


def layer(
    x: np.ndarray, w: np.ndarray, bias: np.ndarray, stride: int, pad: int, dil: int
) -> np.ndarray:
    """x (n, c, l), w (o, c, k) -> (n, o, l')."""
    taps = w.shape[2]
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad)))
    length = (x.shape[2] - dil * (taps - 1) - 1) // stride + 1
    y = np.tile(bias[None, :, None], (len(x), 1, length)).astype(float)
    for k in range(taps):
        window = x[:, :, k * dil : k * dil + (length - 1) * stride + 1 : stride]
        y += np.einsum("ncl,oc->nol", window, w[:, :, k])
    return y
