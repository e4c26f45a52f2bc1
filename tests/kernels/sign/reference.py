"""Sign: -1, 0 or 1."""

import numpy as np


def sign(x: np.ndarray) -> np.ndarray:
    """-1 where negative, 1 where positive, else 0."""
    return np.sign(x)
