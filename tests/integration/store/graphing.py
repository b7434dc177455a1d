"""A process that saves graphs, one over the other, until it is killed.

    python graphing.py FOLDER

Before the first and after each, a line goes to stdout. Each has 100 labels more than the last.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np

from jina_cli.store import sidecar
from jina_cli.store.exact import prepare
from jina_cli.store.hnsw import Graph
from jina_cli.store.space import Space
from jina_cli.vocabulary import Metric

DIM = 16
STEP = 100


def vectors_of(count: int) -> np.ndarray:
    """Return the vectors whose graph is saved when there are so many."""
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((count, DIM)).astype(np.float32)
    return prepare(vectors, Metric.COSINE)


def main(folder: Path) -> None:
    graph = Graph(Space.fit(Metric.COSINE, vectors_of(1000)))
    count = 0
    os.write(1, b"0\n")
    while True:
        places = np.arange(count, count + STEP)
        graph.expect(places, 1 << 20)
        graph.add(places, vectors_of(count + STEP)[count:])
        count += STEP
        saved = sidecar.Saved.of(graph, np.arange(count), change=count)
        sidecar.save(folder / "graph", graph.index, saved)
        os.write(1, f"{count}\n".encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
