"""A process that writes into a store until it is killed, and the batches it writes.

    python writing.py FOLDER SEED

Three threads write batches of their own at the same time, in order. After each that was
acknowledged, a line `thread number` goes to stdout.
"""

from __future__ import annotations

import os
import random
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jina_cli.store.records import Records
from jina_cli.store.store import Store

THREADS = 3
DIM = 8

Held = tuple[bytes, str, bytes | None]
"""Body, text and rest of a document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one call writes: either records or ids to delete."""

    records: Records
    deleted: list[str]


def batch_of(seed: int, thread: int, number: int) -> Batch:
    """Return the batch that a thread writes as its `number`-th; always the same one."""
    rng = random.Random(f"{seed} {thread} {number}")
    ids = [f"{thread}-{rng.randrange(200)}" for _ in range(rng.randrange(1, 12))]
    if rng.random() < 0.25:
        return Batch(records=Records(ids=[], bodies=[]), deleted=ids)
    value = f"{thread} {number}"
    records = Records(
        ids=ids,
        bodies=[value.encode() * rng.randrange(1, 300) for _ in ids],
        texts=[f"batch{thread}x{number}" for _ in ids],
        vectors=np.full((len(ids), DIM), number + 1, np.float32),
        rests=[value.encode() * rng.randrange(300) or None for _ in ids],
    )
    return Batch(records=records, deleted=[])


def after(seed: int, thread: int, count: int) -> dict[str, Held]:
    """Return what a store holds of a thread after its first `count` batches, by id."""
    held: dict[str, Held] = {}
    for number in range(count):
        batch = batch_of(seed, thread, number)
        records = batch.records
        for id_ in batch.deleted:
            held.pop(id_, None)
        columns = (records.ids, records.bodies, records.texts or [], records.rests or [])
        for id_, body, text, rest in zip(*columns, strict=True):
            held[id_] = (body, text or "", rest)
    return held


def _write(store: Store, seed: int, thread: int) -> None:
    number = 0
    while True:
        batch = batch_of(seed, thread, number)
        if batch.deleted:
            store.delete(batch.deleted)
        else:
            store.upsert(batch.records)
        os.write(1, f"{thread} {number}\n".encode())
        number += 1


def main(folder: Path, seed: int) -> None:
    store = Store.open(folder)
    threads = [
        threading.Thread(target=_write, args=(store, seed, thread)) for thread in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
