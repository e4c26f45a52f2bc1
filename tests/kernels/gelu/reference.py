"""Gaussian error linear unit: exact, and by the tanh approximation."""

import math

import numpy as np


def gelu(x: np.ndarray) -> np.ndarray:
    """x times the standard normal distribution function of x."""
    return 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def gelu_tanh(x: np.ndarray) -> np.ndarray:
    """The approximation of Hendrycks and Gimpel."""
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
