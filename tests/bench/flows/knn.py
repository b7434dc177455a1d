"""What every peer computes: hashed trigrams of a text, 64 numbers of them, the nearest of 60,000.

Only numpy, so that each peer's environment has it.
"""

from __future__ import annotations

import zlib

import numpy as np

TRIGRAMS, DIM, COUNT, TOP_K = 784, 64, 60_000, 10


class Encoder:
    """A projection made from a seed; vectors have length 1."""

    def __init__(self) -> None:
        random = np.random.default_rng(0)
        self._project = random.standard_normal((TRIGRAMS, DIM)).astype(np.float32)

    def encode(self, texts: list[str]) -> np.ndarray:
        """Return float32 of shape (texts, 64)."""
        counts = np.zeros((len(texts), TRIGRAMS), np.float32)
        for row, text in enumerate(texts):
            data = text.encode()
            for place in range(len(data) - 2):
                counts[row, zlib.crc32(data[place : place + 3]) % TRIGRAMS] += 1
        return unit(counts @ self._project)


class Index:
    """Vectors made from a seed, searched exactly; the score is the cosine."""

    def __init__(self) -> None:
        random = np.random.default_rng(1)
        self.vectors = unit(random.standard_normal((COUNT, DIM)).astype(np.float32))

    def search(self, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return places of the nearest, best first, and their scores; shapes (queries, 10)."""
        scores = vectors @ self.vectors.T
        places = np.argpartition(-scores, TOP_K, axis=1)[:, :TOP_K]
        found = np.take_along_axis(scores, places, axis=1)
        order = np.argsort(-found, axis=1)
        return np.take_along_axis(places, order, 1), np.take_along_axis(found, order, 1)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return rows of length 1; those of nothing but zeros stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)
