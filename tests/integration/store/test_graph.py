"""The graph beside a record: `kill -9` while it is saved, and files that are not what they were."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from jina_cli.store import sidecar
from jina_cli.store.hnsw import digests_of
from jina_cli.store.records import Records
from jina_cli.store.store import Store
from jina_cli.vocabulary import Metric
from tests.integration.store.graphing import DIM, STEP, vectors_of
from tests.testing.processes import wait_until

GRAPHING = Path(__file__).with_name("graphing.py")
KILLS = 12
COUNT = 9000
FILE = "vectors.usearch"


def saved_until_killed(folder: Path, rng: random.Random) -> int:
    """Let a process save graphs, kill it at any moment, and return the last one it had saved."""
    process = subprocess.Popen(
        [sys.executable, str(GRAPHING), str(folder)],
        stdout=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.getcwd(), "OMP_NUM_THREADS": "1"},
    )
    assert process.stdout is not None
    with process.stdout as stdout:
        try:
            lines = [stdout.readline() for _ in range(rng.randrange(2, 20))]
            moment = time.monotonic() + rng.random() * 0.01
            while time.monotonic() < moment:
                pass  # into the middle of whatever it does
        finally:
            os.killpg(process.pid, signal.SIGKILL)
        lines += stdout.readlines()
    process.wait(10)
    return int(lines[-1])


def test_a_graph_is_whole_whenever_its_writer_is_killed(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    for kill in range(KILLS):
        folder = tmp_path / str(kill)
        folder.mkdir()

        acknowledged = saved_until_killed(folder, rng)
        saved, index = sidecar.load(folder / "graph", Metric.COSINE, DIM, is_shared=False)

        assert len(index) == len(saved.keys)
        assert saved.change in (acknowledged, acknowledged + STEP)
        digests = digests_of(vectors_of(saved.change))
        assert saved.digests.tolist() == digests.tolist()


def a_store(folder: Path, **options) -> Store:
    return Store.open(folder, graph_above=COUNT // 2, **options)


def some_records(seed: int, count: int = COUNT) -> Records:
    vectors = np.random.default_rng(seed).standard_normal((count, DIM)).astype(np.float32)
    ids = [f"{seed}-{i}" for i in range(count)]
    return Records(ids=ids, bodies=[b""] * count, vectors=vectors)


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index whose graph is saved; to be copied."""
    folder = tmp_path_factory.mktemp("indexed")
    with a_store(folder) as store:
        store.upsert(some_records(1))
        wait_until((folder / FILE).exists)
    return folder


def recall(store: Store, records: Records) -> float:
    """Return the share of the ten best that a store finds for some queries."""
    assert records.vectors is not None
    rows = records.vectors / np.linalg.norm(records.vectors, axis=1, keepdims=True)
    queries = np.random.default_rng(9).standard_normal((30, DIM)).astype(np.float32)
    best = np.argsort(-(queries @ rows.T), axis=1)[:, :10]
    found = store.search_vectors(queries, 10).ids
    shares = [
        len({records.ids[i] for i in row.tolist()} & set(ids)) / 10
        for row, ids in zip(best, found, strict=True)
    ]
    return float(np.mean(shares))


@pytest.mark.parametrize("how", ["whole", "cut", "changed", "of another store", "gone"])
def test_a_store_finds_the_same_with_any_graph(how: str, indexed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "index"
    shutil.copytree(indexed, folder)
    whole = (folder / FILE).read_bytes()
    (folder / FILE).unlink()
    if how in ("whole", "of another store"):
        (folder / FILE).write_bytes(whole)
    elif how == "cut":
        (folder / FILE).write_bytes(whole[: len(whole) // 2])
    elif how == "changed":
        (folder / FILE).write_bytes(whole[:9999] + bytes([whole[9999] ^ 8]) + whole[10_000:])
    records = some_records(1)
    if how == "of another store":
        shutil.rmtree(folder / "other", ignore_errors=True)
        with a_store(folder / "other") as other:
            other.upsert(records := some_records(2))
        shutil.copy(folder / FILE, folder / "other" / FILE)
        folder /= "other"

    with a_store(folder) as store:
        for _ in range(20):
            assert recall(store, records) >= 0.95
        wait_until((folder / FILE).exists)
        assert recall(store, records) >= 0.95
        store.verify()


def test_what_a_writer_adds_to_many_is_found_by_it_and_by_readers_at_once(
    indexed: Path, tmp_path: Path
) -> None:
    shutil.copytree(indexed, tmp_path / "index")
    with (
        a_store(tmp_path / "index") as writer,
        a_store(tmp_path / "index", read_only=True) as reader,
    ):
        for step in range(5):
            vector = np.random.default_rng(100 + step).standard_normal((1, DIM))
            ids = [f"new-{step}"]
            writer.upsert(Records(ids=ids, bodies=[b""], vectors=vector.astype(np.float32)))

            for store in (writer, reader):
                assert store.search_vectors(vector.astype(np.float32), 1).ids == [ids]

            writer.delete(ids)
            for store in (writer, reader):
                assert store.search_vectors(vector.astype(np.float32), 1).ids != [ids]
