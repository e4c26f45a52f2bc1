"""One step of stochastic gradient descent."""

import numpy as np


def momentum(
    w: np.ndarray,
    g: np.ndarray,
    buf: np.ndarray,
    lr: float,
    mu: float,
    weight_decay: float,
    nesterov: int,
) -> tuple[np.ndarray, np.ndarray]:
    """New weights and new velocity."""
    g = g + weight_decay * w
    buf = mu * buf + g
    return w - lr * (g + mu * buf if nesterov else buf), buf


def clipped(w: np.ndarray, g: np.ndarray, lr: float, max_norm: float) -> np.ndarray:
    """The gradient is shortened to `max_norm` where it is longer."""
    norm = np.linalg.norm(g)
    return w - lr * min(1.0, max_norm / norm) * g
