"""Train on spirals made here, and refuse to write a model that has not learned them."""

from __future__ import annotations

import sys

import numpy as np
from model import CLASSES, Model

POINTS, WIDTH, STEPS, RATE = 100, 100, 4000, 1.0


def spirals(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Points, and the class of each."""
    radius = np.tile(np.linspace(0.0, 1.0, POINTS), CLASSES)
    labels = np.repeat(np.arange(CLASSES), POINTS)
    angle = 4 * (radius + labels) + random.normal(0, 0.15, POINTS * CLASSES)
    return np.column_stack((radius * np.sin(angle), radius * np.cos(angle))), labels


def train(points: np.ndarray, labels: np.ndarray, random: np.random.Generator) -> Model:
    """Plain gradient descent on the cross entropy."""
    weights = {
        "w1": random.normal(0, 0.1, (2, WIDTH)),
        "b1": np.zeros(WIDTH),
        "w2": random.normal(0, 0.1, (WIDTH, CLASSES)),
        "b2": np.zeros(CLASSES),
    }
    model = Model(weights)
    target = np.eye(CLASSES)[labels]
    for _ in range(STEPS):
        hidden = model.hidden(points)
        error = (model.probabilities(points) - target) / len(points)
        back = (error @ weights["w2"].T) * (hidden > 0)
        for name, slope in (
            ("w2", hidden.T @ error),
            ("b2", error.sum(axis=0)),
            ("w1", points.T @ back),
            ("b1", back.sum(axis=0)),
        ):
            weights[name] -= RATE * slope
    return model


if __name__ == "__main__":
    random = np.random.default_rng(7)
    points, labels = spirals(random)
    model = train(points, labels, random)
    accuracy = float((model.probabilities(points).argmax(axis=1) == labels).mean())
    print(f"accuracy {accuracy:.3f}")
    if accuracy < 0.9:
        sys.exit("the model has not learned")
    np.savez(sys.argv[1], **{name: value.astype(np.float32) for name, value in model.weights.items()})
