"""Readers beside a writer in another process: they see all that was acknowledged, at once."""

import random
import threading
from pathlib import Path

import numpy as np

from jina_cli.store.store import Store
from tests.integration.store.writing import DIM, THREADS, batch_of


def acknowledged_are_seen(reader: Store, seed: int, counts: dict[int, int]) -> None:
    """Look for the last batch of each thread that was acknowledged before the call."""
    for thread in range(THREADS):
        last = counts.get(thread, 0) - 1
        if last < 0:
            continue
        batch = batch_of(seed, thread, last)
        held = reader.get([*batch.records.ids, *batch.deleted])
        # The batches behind it may have changed single documents of it, so all are looked at.
        later = [batch_of(seed, thread, number) for number in range(last + 1, last + 100)]
        touched = {id_ for each in later for id_ in (*each.records.ids, *each.deleted)}
        there = set(batch.records.ids) - touched
        assert there <= set(held), f"thread {thread}, batch {last}"
        assert not (set(batch.deleted) - touched) & set(held)
        if there:
            word = f"batch{thread}x{last}"
            assert there <= set(reader.search_text([word], 100).ids[0])
            vector = np.full((1, DIM), last + 1, np.float32)
            scores = reader.score_vectors(vector[0], sorted(there))
            assert scores.tolist() == [1.0] * len(there)


def test_readers_follow_a_writer_through_kills_and_restarts(
    tmp_path: Path, writing, seed: int
) -> None:
    rng = random.Random(seed)
    # One is there before the index is: whoever comes first makes it.
    with Store.open(tmp_path, read_only=True) as early:
        assert early.count() == 0
        for life in range(4):
            process = writing(tmp_path, seed + life)
            with Store.open(tmp_path, read_only=True) as late:
                for _ in range(5):
                    process.wait_for(rng.randrange(1, 20))
                    known = dict(process.acknowledged)
                    for reader in (early, late):
                        acknowledged_are_seen(reader, seed + life, known)
                process.kill()
                for reader in (early, late):
                    acknowledged_are_seen(reader, seed + life, dict(process.acknowledged))
            with Store.open(tmp_path) as writer:
                assert early.count() == writer.count()
                assert [s.id for s in early.page(limit=10**6)] == sorted(s.id for s in writer)
                query = np.ones((1, DIM), np.float32)
                assert (
                    early.search_vectors(query, 10**4).ids
                    == writer.search_vectors(query, 10**4).ids
                )
                writer.verify()
                writer.delete([s.id for s in writer])


def test_a_reader_that_searches_all_the_time_does_not_hold_up_the_writer(
    tmp_path: Path, writing, seed: int
) -> None:
    process = writing(tmp_path, seed)
    process.wait_for(1)
    errors: list[BaseException] = []
    stop = threading.Event()
    with Store.open(tmp_path, read_only=True) as reader:

        def search() -> None:
            try:
                while not stop.is_set():
                    found = reader.search_vectors(np.ones((3, DIM), np.float32), 10)
                    assert [len(ids) for ids in found.ids] == [len(s) for s in found.scores]
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=search) for _ in range(2)]
        for thread in threads:
            thread.start()
        process.wait_for(150)
        stop.set()
        for thread in threads:
            thread.join(10)

    assert errors == []
