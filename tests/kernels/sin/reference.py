"""Sine, and a sampled wave with both of its quadratures."""

import numpy as np


def sine(x: np.ndarray) -> np.ndarray:
    """sin(x), x in radians."""
    return np.sin(x)


def wave(x: np.ndarray, frequency: float, phase: float) -> np.ndarray:
    """Pairs (sin, cos) of frequency * x + phase."""
    angle = frequency * x + phase
    return np.stack([np.sin(angle), np.cos(angle)], axis=-1)
