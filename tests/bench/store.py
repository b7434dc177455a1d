"""The store beside what it is made of: a disk that syncs, and bare numpy.

    python tests/bench/store.py [--documents 60000] [--dim 64] [--folder DIR]

Prints JSON. Rates of indexing are of durable documents, one batch after another by one caller.
`search` is compared with numpy on the same matrix, for the ten best, in this run.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import TensorColumn, ValuesColumn
from jina_cli.executors.indexers.bodies import bodies_of
from jina_cli.store.records import Records
from jina_cli.store.store import Store

TOP_K = 10
QUERIES = 500
ROUNDS = 5
NUMPY_QUERIES_AT_ONCE = 64  # about the best for numpy here


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=60_000)
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--folder", type=Path, default=None)
    options = parser.parse_args()
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((options.documents, options.dim)).astype(np.float32)
    queries = rng.standard_normal((QUERIES, options.dim)).astype(np.float32)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        report = {
            "vectors_100_docs_s": indexing_rate(Path(folder) / "100", vectors, 100),
            "vectors_1000_docs_s": indexing_rate(Path(folder) / "1000", vectors, 1000),
            "documents_1000_docs_s": indexing_rate(
                Path(folder) / "tags", vectors, 1000, has_tags=True
            ),
        }
        opening_s = seconds(lambda: Store.open(Path(folder) / "1000").close())
        with Store.open(Path(folder) / "1000") as store:
            report |= {"reopen_s": opening_s, **search_rates(store, vectors, queries)}
    print(json.dumps({name: round(value, 3) for name, value in report.items()}))


def indexing_rate(folder: Path, vectors: np.ndarray, size: int, *, has_tags: bool = False) -> float:
    """Return documents a second; with tags, also what it takes to write these as bytes."""
    batches = []
    for start in range(0, len(vectors), size):
        ids = [f"{i:08x}" for i in range(start, min(start + size, len(vectors)))]
        columns = {"tags": ValuesColumn([{"label": i % 10} for i in range(len(ids))])}
        batch = DocumentBatch(ids, columns if has_tags else {})
        batches.append(batch.with_columns(embedding=TensorColumn(vectors[start : start + size])))

    def index_all() -> None:
        for batch in batches:
            bodies = bodies_of(batch.without("embedding"))
            store.upsert(Records(ids=batch.ids, bodies=bodies, vectors=batch.tensor("embedding")))

    with Store.open(folder) as store:
        return len(vectors) / seconds(index_all)


def search_rates(store: Store, vectors: np.ndarray, queries: np.ndarray) -> dict[str, float]:
    matrix = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def bare(some: np.ndarray) -> None:
        scores = (some / np.linalg.norm(some, axis=1, keepdims=True)) @ matrix.T
        best = np.argpartition(scores, -TOP_K, axis=1)[:, -TOP_K:]
        values = np.take_along_axis(scores, best, axis=1)
        np.take_along_axis(best, np.argsort(-values, axis=1), axis=1)

    def rate(search: Callable[[np.ndarray], object], size: int) -> float:
        parts = [queries[start : start + size] for start in range(0, len(queries), size)]
        return len(queries) / seconds(lambda: [search(part) for part in parts])

    def ours(some: np.ndarray) -> None:
        store.search_vectors(some, TOP_K)

    # In turn, so that a busy machine is as busy for both; the best of each.
    rounds = [
        (rate(ours, 1), rate(bare, 1), rate(ours, QUERIES), rate(bare, NUMPY_QUERIES_AT_ONCE))
        for _ in range(ROUNDS)
    ]
    one, bare_one, batch, bare_batch = map(max, zip(*rounds, strict=True))
    return {
        "search_one_qps": one,
        "search_one_ratio": one / bare_one,
        "search_batch_qps": batch,
        "search_batch_ratio": batch / bare_batch,
    }


def seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
