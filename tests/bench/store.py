"""The store beside what it is made of: a disk that syncs, and bare numpy.

    python tests/bench/store.py [--documents 60000] [--dim 64] [--folder DIR]

Prints JSON. Rates of indexing are of durable documents, one batch after another by one caller,
and `submitted` those of batches of 1,000 with random ids and small tags that wait for each other
in the queue and share transactions, `_256` with vectors of 256 numbers. `_cpu` is the same by the
processor's time, of all threads, for machines that are busy. `memory_ratio` is what the process
grew by at its most while it indexed the latter, by what the vectors and one group of batches take.
`where` counts documents by a condition on a tag, for the first time and again, and after a change.
`search` is compared with numpy on the same matrix, for the ten best, in this run. `answers` are
of a `VectorIndexer` that holds half of the documents, as one of two shards does: requests of 50
queries for the 50 best, with their tags, without any fields, and with images beside the tags.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import TensorColumn, ValuesColumn
from jina_cli.documents.condition import condition_of
from jina_cli.executors.indexers.bodies import records_of
from jina_cli.executors.indexers.vector import VectorIndexer
from jina_cli.store.records import Records
from jina_cli.store.store import Store

TOP_K = 10
BATCH = 1000
GROUP = 16_384  # documents that share a transaction at the most
QUERIES = 500
ROUNDS = 5
NUMPY_QUERIES_AT_ONCE = 64  # about the best for numpy here
REQUEST_SIZE = 50
MATCHES = 50
IMAGE = (28, 28)


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
        for dim, name in ((options.dim, "submitted"), (256, "submitted_256")):
            more = rng.standard_normal((options.documents, dim)).astype(np.float32)
            report |= submitting_rates(Path(folder) / name, more, name)
        report |= filter_times(Path(folder) / "submitted")
        opening_s = seconds(lambda: Store.open(Path(folder) / "1000").close())
        with Store.open(Path(folder) / "1000") as store:
            report |= {"reopen_s": opening_s, **search_rates(store, vectors, queries)}
        half = vectors[: options.documents // 2]
        report |= answer_rates(Path(folder), half, queries)
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
            vectors_ = batch.tensor("embedding")
            store.upsert(records_of(batch.without("embedding"), vectors=vectors_))

    with Store.open(folder) as store:
        return len(vectors) / seconds(index_all)


def submitting_rates(folder: Path, vectors: np.ndarray, name: str) -> dict[str, float]:
    count, dim = vectors.shape
    ids = [f"{a:016x}{b:016x}" for a, b in np.random.default_rng(3).integers(0, 2**63, (count, 2))]
    batches = [
        Records(
            ids=ids[start : start + BATCH],
            bodies=[b'{"tags":{"label":%d}}' % (i % 10) for i in range(len(ids[start:][:BATCH]))],
            vectors=vectors[start : start + BATCH],
            beside=frozenset(),
        )
        for start in range(0, count, BATCH)
    ]
    with Store.open(folder) as store:
        store.upsert(Records(ids=["first"], bodies=[b""]))
        before, cpu_s = resident_bytes("VmRSS"), time.process_time()
        Path("/proc/self/clear_refs").write_text("5")  # so that the peak is that from here on
        elapsed_s = seconds(lambda: [future.result() for future in map(store.submit, batches)])
        cpu_s = time.process_time() - cpu_s
        grown = resident_bytes("VmHWM") - before
    kept = 4 * dim * (count + GROUP)
    return {
        f"{name}_docs_s": count / elapsed_s,
        f"{name}_docs_s_cpu": count / cpu_s,
        f"{name}_memory_ratio": grown / kept,
    }


def resident_bytes(which: str) -> int:
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith(which))
    return int(line.split()[1]) << 10


def filter_times(folder: Path) -> dict[str, float]:
    condition = condition_of("label < 3")
    with Store.open(folder) as store:
        first_s = seconds(lambda: store.count(condition))
        again_s = seconds(lambda: store.count(condition))
        store.delete(["first"])
        changed_s = seconds(lambda: store.count(condition))
    return {
        "where_first_ms": first_s * 1e3,
        "where_again_ms": again_s * 1e3,
        "where_changed_ms": changed_s * 1e3,
    }


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


def answer_rates(folder: Path, vectors: np.ndarray, queries: np.ndarray) -> dict[str, float]:
    rates: dict[str, float] = {}
    rates["answers_qps"], rates["answers_ids_qps"], _ = indexer_rates(
        folder / "a", vectors, queries
    )
    images = np.random.default_rng(2).random((len(vectors), *IMAGE), np.float32)
    with_images = indexer_rates(folder / "b", vectors, queries, images)
    rates["answers_of_images_qps"], _, rates["images_docs_s"] = with_images
    return rates


def indexer_rates(
    folder: Path, vectors: np.ndarray, queries: np.ndarray, images: np.ndarray | None = None
) -> tuple[float, float, float]:
    """Return queries a second with tags and with ids only, and documents indexed a second."""
    indexer = VectorIndexer(runtime_args={"workspace": str(folder), "name": "index"})
    batches = []
    for start in range(0, len(vectors), 500):
        part = vectors[start : start + 500]
        ids = [f"{i:032x}" for i in range(start, start + len(part))]
        tags = ValuesColumn([{"label": i % 10, "name": "ankle boot"} for i in range(len(part))])
        batch = DocumentBatch(ids, {"tags": tags, "embedding": TensorColumn(part)})
        if images is not None:
            batch = batch.with_tensor(images[start : start + 500], "tensor")
        batches.append(batch)
    requests = [
        DocumentBatch.of(len(part), {"embedding": TensorColumn(part)})
        for part in np.array_split(queries, len(queries) // REQUEST_SIZE)
    ]

    async def index_all() -> None:
        for batch in batches:
            await indexer.index(batch)

    def search_all(fields: list[str] | None) -> None:
        for request in requests:
            indexer.search(request, top_k=MATCHES, return_fields=fields)

    indexing_s = seconds(lambda: asyncio.run(index_all()))
    tags_s = min(seconds(lambda: search_all(None)) for _ in range(ROUNDS))
    ids_s = min(seconds(lambda: search_all([])) for _ in range(ROUNDS))
    indexer.close()
    return len(queries) / tags_s, len(queries) / ids_s, len(vectors) / indexing_s


def seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
