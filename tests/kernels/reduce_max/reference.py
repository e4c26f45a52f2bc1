"""Maximum of rows with its place, and of everything."""

import numpy as np


def with_index(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Maximum of each row and the first place where it stands."""
    return x.max(axis=-1), x.argmax(axis=-1)


def everything(x: np.ndarray) -> np.ndarray:
    """One maximum, as an array of one element."""
    return x.max()[None]


def below_tile_maximum(x: np.ndarray) -> np.ndarray:
    """Each element minus the maximum of its 64 neighbours."""
    starts = np.arange(0, len(x), 64)
    peaks = np.maximum.reduceat(x, starts)
    return x - np.repeat(peaks, 64)[: len(x)]
