"""Bring precomputed embeddings into an Indexer of a real Flow, durably, and count what it took.

    python tests/bench/indexers.py [--documents 40000] [--dim 64] [--passes 3]

Documents are sent over the frames that `jina index` speaks, 2,000 a request, four under way. The
wall clock is what a user sees and what a busy machine spoils; the CPU time of the Indexer's
process, which is all that can hold it up, says what the machine could do if it were idle.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import psutil

from jina_cli import Flow
from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import DocsColumn, TensorColumn, TextColumn
from jina_cli.store.schema import FILE_NAME
from jina_cli.store.store import Store
from jina_cli.wire.bodies import write_body
from jina_cli.wire.channel import Link
from jina_cli.wire.messages import Format, Request, new_request_id

REQUEST, WINDOW, CHUNKS = 2000, 4, 3
WORDS = ("bread", "copper", "river", "winter", "engine", "garden", "letter", "harbour", "silver")
CASES = {
    "HybridIndexer, embeddings": ("HybridIndexer", False, False),
    "HybridIndexer, embeddings and text": ("HybridIndexer", True, False),
    "HybridIndexer, 3 chunks and text": ("HybridIndexer", True, True),
    "VectorIndexer, embeddings and text": ("VectorIndexer", True, False),
}


def main() -> None:
    options = _options()
    for name, (uses, has_text, has_chunks) in CASES.items():
        batches = [
            _documents(range(start, min(start + REQUEST, options.documents)), options.dim, has_text)
            for start in range(0, options.documents, REQUEST)
        ]
        if has_chunks:
            batches = [_with_chunks(batch, options.dim) for batch in batches]
        runs = [_measured(uses, batches) for _ in range(options.passes)]
        rate, cpu_us = (statistics.median(column) for column in zip(*runs, strict=True))
        print(f"{name:36s} {rate:9,.0f} documents/s  {cpu_us:6.1f} us of CPU each", flush=True)


def _measured(uses: str, batches: Sequence[DocumentBatch]) -> tuple[float, float]:
    """Return documents a second, and CPU of the Flow's processes in microseconds a document."""
    count = sum(map(len, batches))
    with tempfile.TemporaryDirectory(prefix="jina-bench-") as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder
        with Flow(workspace=f"{folder}/workspace").add(name="index", uses=uses):
            (socket,) = Path(folder).rglob("gateway.sock")
            before = _cpu_s()
            seconds = asyncio.run(_sent(f"unix:{socket}", batches))
            cpu_s = _cpu_s() - before
        (file,) = Path(folder).rglob(FILE_NAME)
        with Store.open(file.parent) as store:
            assert store.count() == count, f"{store.count()} documents instead of {count}"
    return count / seconds, 1e6 * cpu_s / count


async def _sent(address: str, batches: Sequence[DocumentBatch]) -> float:
    link = Link(address)
    link.start()
    await link.wait_up(20)
    bodies = [write_body(batch, Format.COLUMNS) for batch in batches]
    requests = [
        Request(endpoint="/index", bodies=(b,), request_id=new_request_id()) for b in bodies
    ]
    began = time.perf_counter()
    waiting = iter(requests)
    await asyncio.gather(*(_one_by_one(link, waiting) for _ in range(WINDOW)))
    seconds = time.perf_counter() - began
    await link.close()
    return seconds


async def _one_by_one(link: Link, requests: Iterator[Request]) -> None:
    for request in requests:
        response = await link.request(request)
        assert response.status.ok, response.status.description


def _documents(numbers: range, dim: int, has_text: bool) -> DocumentBatch:
    random = np.random.default_rng(numbers.start)
    vectors = random.standard_normal((len(numbers), dim)).astype(np.float32)
    batch = DocumentBatch([f"{n:032x}" for n in numbers], {"embedding": TensorColumn(vectors)})
    if not has_text:
        return batch
    texts = [f"{n:05d} {WORDS[n % 9]} {WORDS[n // 9 % 9]} {WORDS[n // 81 % 9]}" for n in numbers]
    return batch.with_columns(text=TextColumn(texts))


def _with_chunks(batch: DocumentBatch, dim: int) -> DocumentBatch:
    random = np.random.default_rng(len(batch))
    count = CHUNKS * len(batch)
    vectors = random.standard_normal((count, dim)).astype(np.float32)
    ids = [f"{id_}-{n}" for id_ in batch.ids for n in range(CHUNKS)]
    chunks = DocumentBatch(ids, {"text": TextColumn(ids), "embedding": TensorColumn(vectors)})
    return batch.with_columns(chunks=DocsColumn(np.arange(0, count + 1, CHUNKS), chunks))


def _cpu_s() -> float:
    children = psutil.Process().children(recursive=True)
    return sum(sum(child.cpu_times()[:2]) for child in children)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=40_000)
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--passes", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
