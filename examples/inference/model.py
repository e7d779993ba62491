"""A network of one hidden layer that tells which of three spirals a point in the plane belongs to."""

from __future__ import annotations

from pathlib import Path

import numpy as np

CLASSES = 3


class Model:
    """`weights` are the two layers' matrices and biases."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        self.weights = weights

    @classmethod
    def load(cls, path: Path) -> Model:
        with np.load(path) as archive:
            return cls(dict(archive))

    def hidden(self, points: np.ndarray) -> np.ndarray:
        return np.maximum(0, points @ self.weights["w1"] + self.weights["b1"])

    def probabilities(self, points: np.ndarray) -> np.ndarray:
        """One row for each point, one column for each class; a row adds up to one."""
        scores = self.hidden(points) @ self.weights["w2"] + self.weights["b2"]
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)
