"""Batch normalisation per channel, with given or with batch statistics."""

import numpy as np


def inference(
    x: np.ndarray,
    mean: np.ndarray,
    var: np.ndarray,
    scale: np.ndarray,
    bias: np.ndarray,
    eps: float,
) -> np.ndarray:
    """NCHW, normalised by running statistics."""
    mean, var, scale, bias = (v[None, :, None, None] for v in (mean, var, scale, bias))
    return (x - mean) / np.sqrt(var + eps) * scale + bias


def train(x: np.ndarray, eps: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N, C): the normalised batch, its mean and its biased variance per channel."""
    mean, var = x.mean(axis=0), x.var(axis=0)
    return (x - mean) / np.sqrt(var + eps), mean, var


def train_affine(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float) -> np.ndarray:
    """(N, C, S): batch statistics over N and S, then an affine map per channel."""
    mean = x.mean(axis=(0, 2), keepdims=True)
    var = x.var(axis=(0, 2), keepdims=True)
    return (x - mean) / np.sqrt(var + eps) * gamma[None, :, None] + beta[None, :, None]
