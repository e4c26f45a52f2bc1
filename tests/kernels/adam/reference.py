"""One step of Adam, in two common forms (Kingma and Ba; Loshchilov and Hutter)."""

import numpy as np

Step = tuple[np.ndarray, np.ndarray, np.ndarray]


def adamw(
    w: np.ndarray,
    g: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    step: int,
    lr: float,
    b1: float,
    b2: float,
    eps: float,
    decay: float,
) -> Step:
    """With bias correction and decoupled weight decay."""
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * g**2
    direction = (m / (1 - b1**step)) / (np.sqrt(v / (1 - b2**step)) + eps)
    return w - lr * (direction + decay * w), m, v


def adam_folded(
    w: np.ndarray,
    g: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    lr_t: float,
    b1: float,
    b2: float,
    eps: float,
) -> Step:
    """With the bias corrections inside the rate."""
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * g**2
    return w - lr_t * m / (np.sqrt(v) + eps), m, v
