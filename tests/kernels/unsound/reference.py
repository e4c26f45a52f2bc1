"""What the unsound kernels were meant to compute."""

import numpy as np


def block_sums(x: np.ndarray) -> np.ndarray:
    """Sums of 128 neighbours; the last group may be shorter."""
    return np.add.reduceat(x, np.arange(0, len(x), 128))


def matmul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a @ b."""
    return a @ b


def scale(x: np.ndarray, k: float) -> np.ndarray:
    """k * x."""
    return k * x


def smooth(x: np.ndarray) -> np.ndarray:
    """Mean of three neighbours, the ends repeated."""
    return np.convolve(np.pad(x, 1, mode="edge"), np.ones(3) / 3, mode="valid")


def histogram(keys: np.ndarray, bins: int) -> np.ndarray:
    """Counts of the remainders."""
    return np.bincount(keys % bins, minlength=bins)


def column_sums(m: np.ndarray) -> np.ndarray:
    """Sum of each column."""
    return m.sum(axis=0)


def shift(x: np.ndarray) -> np.ndarray:
    """Even places take the right neighbour plus one, odd ones the second to the right plus one."""
    even = np.roll(x, -1) + 1
    odd = np.roll(x, -2) + 1
    return np.where(np.arange(len(x)) % 2 == 0, even, odd)


def ragged(lengths: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Sum over the first rows of the neighbour's column, places reversed."""
    swapped = x.reshape(len(x), -1, 2)[:, :, ::-1].reshape(x.shape)
    return (swapped * (np.arange(len(x))[:, None] < lengths)).sum(axis=0)[::-1]


def total(x: np.ndarray) -> np.ndarray:
    """Sum of everything."""
    return x.sum()[None]


def matmul_bias(a: np.ndarray, b: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """a @ b with one number per column."""
    return a @ b + bias


def reverse(x: np.ndarray) -> np.ndarray:
    """Last first."""
    return x[::-1]


def row_sums(x: np.ndarray) -> np.ndarray:
    """Sum of each row."""
    return x.sum(axis=1)


def row_max(x: np.ndarray) -> np.ndarray:
    """Largest of each row."""
    return x.max(axis=1)
