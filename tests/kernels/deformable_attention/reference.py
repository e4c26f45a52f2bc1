"""Deformable attention: weighted bilinear samples at learnt places."""

import numpy as np


def bilinear(image: np.ndarray, y: float, x: float) -> np.ndarray:
    """Sample of (h, w, c) at (y, x), cell centres at integers, zero outside."""
    total = np.zeros(image.shape[2])
    for iy in (int(np.floor(y)), int(np.floor(y)) + 1):
        for ix in (int(np.floor(x)), int(np.floor(x)) + 1):
            if 0 <= iy < image.shape[0] and 0 <= ix < image.shape[1]:
                total += (1 - abs(y - iy)) * (1 - abs(x - ix)) * image[iy, ix]
    return total


def multi_scale(
    value: np.ndarray, loc: np.ndarray, weight: np.ndarray, shapes: list[list[int]]
) -> np.ndarray:
    """value (b, cells, heads, ch), loc (b, q, heads, levels, points, 2) as (x, y) in [0, 1]."""
    out = np.zeros((*weight.shape[:3], value.shape[3]))
    start = 0
    for level, (h, w) in enumerate(shapes):
        maps = value[:, start : start + h * w].reshape(len(value), h, w, *value.shape[2:])
        start += h * w
        for b, q, m, p in np.ndindex(*weight.shape[:3], weight.shape[4]):
            x, y = loc[b, q, m, level, p]
            sample = bilinear(maps[b, :, :, m], y * h - 0.5, x * w - 0.5)
            out[b, q, m] += weight[b, q, m, level, p] * sample
    return out


def single_level(
    feature: np.ndarray, reference: np.ndarray, offset: np.ndarray, score: np.ndarray
) -> np.ndarray:
    """feature (h, w, c), reference (q, 2) and offset (q, points, 2) as (y, x) in cells."""
    weight = np.exp(score - score.max(axis=1, keepdims=True))
    weight /= weight.sum(axis=1, keepdims=True)
    place = reference[:, None, :] + offset
    rows = [
        sum(w * bilinear(feature, *at) for w, at in zip(ws, ats, strict=True))
        for ws, ats in zip(weight, place, strict=True)
    ]
    return np.stack(rows)
