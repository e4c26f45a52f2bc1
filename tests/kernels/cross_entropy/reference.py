"""Cross-entropy of logits against class numbers."""

import numpy as np


def log_softmax(z: np.ndarray) -> np.ndarray:
    """Logarithm of the softmax of each row."""
    z = z - z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def loss_and_gradient(logits: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Loss per row; gradient of their mean by the logits."""
    log_p = log_softmax(logits)
    one_hot = np.eye(logits.shape[1])[target]
    return -(log_p * one_hot).sum(axis=1), (np.exp(log_p) - one_hot) / len(logits)


def mean_loss(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Mean over the rows whose label is not -100, as an array of one element."""
    counted = labels != -100
    picked = log_softmax(logits)[counted, labels[counted]]
    return np.array([-picked.mean() if counted.any() else 0.0])
