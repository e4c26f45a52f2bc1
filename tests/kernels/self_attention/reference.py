"""Scaled dot-product attention."""

import numpy as np


def attention(q: np.ndarray, k: np.ndarray, v: np.ndarray, causal: bool = False) -> np.ndarray:
    """softmax(q k^T / sqrt(d)) v over the last two axes; causal hides later keys."""
    scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])
    if causal:
        scores = np.where(np.tri(*scores.shape[-2:], dtype=bool), scores, -np.inf)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True) @ v


def attention_bshd(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> np.ndarray:
    """The same for (batch, sequence, head, size)."""
    q, k, v = (x.transpose(0, 2, 1, 3) for x in (q, k, v))
    return attention(q, k, v).transpose(0, 2, 1, 3)
