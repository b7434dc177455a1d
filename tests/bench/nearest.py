"""Search of vectors by a graph: recall, and rates beside bare usearch.

    python tests/bench/nearest.py [--folder DIR] [--glosses VECTORS.npy] [--only NAME]

Prints JSON. Two sets of vectors, compared by cosine, and 500 queries that are in neither:

* `fashion`: 60,000 x 64, the images of Fashion-MNIST projected on their 64 main axes; queries are
  of its test images. Needs /usr/share/datasets/fashion-mnist or --fashion.
* `glosses`: 100,000 x 256, embeddings of texts from an `.npy` file with at least 100,500 rows.
  Our figures are of wordllama's vectors of WordNet's glosses (Debian's wordnet-base), a hard set:
  glosses are short and many are alike. Without a file, `noise` takes its place: Fashion-MNIST's
  images through a random projection to 256 numbers with noise as strong as the images.

`store` is `Store.search_vectors` with one query a call, for the ten best; `bare` is usearch's own
`Index.search` on the same graph with the same ef, on one thread, which answers without comparing
exactly. They take turns, and the ratio is the median of the turns. `filters` are of conditions
that a share of the documents fulfil, by a bitmap as the store makes it.
"""

from __future__ import annotations

import argparse
import gzip
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from jina_cli.store.exact import count_of, prepare
from jina_cli.store.hnsw import EXPANSION_SEARCH, Graph
from jina_cli.store.records import Records
from jina_cli.store.store import Store
from jina_cli.store.vectors import VectorTable

TOP_K = 10
QUERIES = 500
TURNS = 9
BATCH = 1000
SHARES = (0.5, 0.1, 0.01, 0.0001)
IMAGE_HEADER = 16


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--fashion", type=Path, default=Path("/usr/share/datasets/fashion-mnist"))
    parser.add_argument("--glosses", type=Path, default=None)
    parser.add_argument("--only", choices=["fashion", "glosses", "noise"])
    options = parser.parse_args()
    sets = {
        "fashion": lambda: projected(options.fashion),
        "glosses": lambda: split(np.load(options.glosses)),
        "noise": lambda: noisy(options.fashion),
    }
    del sets["noise" if options.glosses else "glosses"]
    report = {}
    for name, load in sets.items():
        if options.only in (None, name):
            vectors, queries = load()
            with tempfile.TemporaryDirectory(dir=options.folder) as folder:
                report[name] = measured(Path(folder), vectors, queries)
    print(json.dumps(report, indent=1))


def images_of(path: Path) -> np.ndarray:
    data = gzip.decompress(path.read_bytes())
    return np.frombuffer(data, np.uint8, offset=IMAGE_HEADER).reshape(-1, 784) / np.float32(255)


def projected(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    train = images_of(folder / "train-images-idx3-ubyte.gz")
    test = images_of(folder / "t10k-images-idx3-ubyte.gz")
    mean = train.mean(axis=0)
    _, axes = np.linalg.eigh((train - mean).T @ (train - mean))
    main_axes = axes[:, ::-1][:, :64].astype(np.float32)
    return (train - mean) @ main_axes, (test[:QUERIES] - mean) @ main_axes


def noisy(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    train = images_of(folder / "train-images-idx3-ubyte.gz")
    images = train[rng.integers(0, len(train), 100_000 + QUERIES)] - train.mean(axis=0)
    points = images @ rng.standard_normal((784, 256)).astype(np.float32) / 28
    points += points.std() * rng.standard_normal(points.shape).astype(np.float32)
    return points[:-QUERIES], points[-QUERIES:]


def split(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    order = np.random.default_rng(1).permutation(len(vectors))
    return vectors[order[:100_000]], vectors[order[100_000 : 100_000 + QUERIES]]


def measured(folder: Path, vectors: np.ndarray, queries: np.ndarray) -> dict[str, object]:
    with Store.open(folder) as store:
        indexing_s = seconds(lambda: index(store, vectors))
        table = store._moments.vectors
        begun = time.perf_counter()
        while (graph := whole_graph(table)) is None:
            time.sleep(0.1)
        report: dict[str, object] = {
            "indexed_docs_s": round(len(vectors) / indexing_s),
            "graph_s": round(time.perf_counter() - begun, 1),
        }
        report |= rates(store, graph, queries)
        report["filters"] = [filtered(table, queries, share) for share in SHARES]
    report["reopen_s"] = round(seconds(lambda: Store.open(folder).close()), 2)
    return report


def index(store: Store, vectors: np.ndarray) -> None:
    for start in range(0, len(vectors), BATCH):
        part = vectors[start : start + BATCH]
        ids = [f"{i:08x}" for i in range(start, start + len(part))]
        store.upsert(Records(ids=ids, bodies=[b""] * len(ids), vectors=part))


def whole_graph(table: VectorTable) -> Graph | None:
    with table.lock:
        graph = table.graph
        if graph is None or count_of(graph.tail(table.columns.end)) > graph.unfit:
            return None
        return graph


def exact_of(table: VectorTable) -> VectorTable:
    """Return the same vectors, searched without a graph."""
    exact = VectorTable(table.columns.metric)
    exact.columns = table.columns
    return exact


def rates(store: Store, graph: Graph, queries: np.ndarray) -> dict[str, object]:
    table = store._moments.vectors
    exact = exact_of(table)
    aims = graph.space.aim(prepare(queries, store.metric))
    assert aims is not None

    def ours() -> None:
        for query in queries:
            store.search_vectors(query[None], TOP_K)

    def bare() -> None:
        for aim in aims:
            graph.index.search(aim, TOP_K, threads=1)

    def one_by_one() -> None:
        for query in queries[:100]:
            exact.search(query[None], TOP_K, None)

    graph.search(aims[:1], TOP_K, EXPANSION_SEARCH)
    turns = [(seconds(ours), seconds(bare)) for _ in range(TURNS)]
    right = exact.search(queries, TOP_K, None).ids
    found = store.search_vectors(queries, TOP_K).ids
    return {
        "ef": EXPANSION_SEARCH,
        "recall": round(recall(found, right), 4),
        "store_qps": round(QUERIES / min(ours_s for ours_s, _ in turns)),
        "bare_qps": round(QUERIES / min(bare_s for _, bare_s in turns)),
        "ratio": round(statistics.median(bare_s / ours_s for ours_s, bare_s in turns), 3),
        "exact_qps": round(100 / seconds(one_by_one)),
    }


def filtered(table: VectorTable, queries: np.ndarray, share: float) -> dict[str, float]:
    rng = np.random.default_rng(2)
    count = len(table)
    allowed = np.zeros(len(table.columns.ids), np.bool_)
    allowed[1 + rng.choice(count, max(TOP_K, round(share * count)), replace=False)] = True
    some = queries[:100]
    found: list[list[str]] = []

    def ours() -> None:
        found.extend(table.search(query[None], TOP_K, allowed).ids[0] for query in some)

    taken_s = seconds(ours)
    right = exact_of(table).search(some, TOP_K, allowed).ids
    return {"share": share, "recall": recall(found, right), "qps": round(len(some) / taken_s)}


def recall(found: list, right: list) -> float:
    shares = [len(set(a) & set(b)) / len(b) for a, b in zip(found, right, strict=True)]
    return float(np.mean(shares))


def seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
