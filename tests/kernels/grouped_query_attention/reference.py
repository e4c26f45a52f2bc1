"""Grouped-query attention: several query heads share one head of keys and values."""

import numpy as np


def softmax(x: np.ndarray) -> np.ndarray:
    """Along the last axis."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def decode(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> np.ndarray:
    """q (b, hq, d); k, v (b, t, hkv, d)."""
    group = q.shape[1] // k.shape[2]
    k, v = (np.repeat(x, group, axis=2) for x in (k, v))
    scores = np.einsum("bhd,bthd->bht", q, k) / np.sqrt(q.shape[-1])
    return np.einsum("bht,bthd->bhd", softmax(scores), v)


def prefill_causal(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> np.ndarray:
    """q (hq, s, d); k, v (hkv, s, d)."""
    group = len(q) // len(k)
    k, v = (np.repeat(x, group, axis=0) for x in (k, v))
    scores = q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[-1])
    scores = np.where(np.tri(q.shape[1], dtype=bool), scores, -np.inf)
    return softmax(scores) @ v
