"""`kill -9` of a writer: what was acknowledged is there, and nothing that was never sent."""

import random
import shutil
import time
from pathlib import Path

import pytest

from jina_cli.errors import StorageFailed
from jina_cli.store.store import Store
from tests.integration.store.writing import THREADS, Held, after

KILLS = 20


def held_by(store: Store) -> dict[str, Held]:
    return {stored.id: (stored.body, stored.text or "", stored.rest) for stored in store}


def is_prefix(held: dict, seed: int, thread: int, counts: range) -> bool:
    own = {id_: value for id_, value in held.items() if id_.startswith(f"{thread}-")}
    return any(own == after(seed, thread, count) for count in counts)


def test_nothing_acknowledged_is_lost_in_20_kills(tmp_path: Path, writing, seed: int) -> None:
    rng = random.Random(seed)
    for kill in range(KILLS):
        folder = tmp_path / str(kill)
        process = writing(folder, seed + kill)
        process.wait_for(rng.randrange(1, 150))
        process.kill()

        start = time.monotonic()
        with Store.open(folder) as store:
            opened_after_s = time.monotonic() - start
            store.verify()
            held = held_by(store)
            assert store.count() == len(held)

        assert opened_after_s < 2
        for thread in range(THREADS):
            known = process.acknowledged[thread]
            # The batch that was on its way may be there or not, but never in part.
            assert is_prefix(held, seed + kill, thread, range(known, known + 2)), f"kill {kill}"
        shutil.rmtree(folder)


def test_a_log_cut_or_changed_anywhere_gives_a_prefix_or_is_refused(
    tmp_path: Path, writing, seed: int
) -> None:
    process = writing(tmp_path / "whole", seed)
    process.wait_for(120)
    process.kill()
    rng = random.Random(seed)
    log = (tmp_path / "whole" / "documents.sqlite-wal").read_bytes()

    for case in range(60):
        folder = tmp_path / "damaged"
        shutil.copytree(tmp_path / "whole", folder)
        (folder / "documents.sqlite-shm").unlink(missing_ok=True)
        place = rng.randrange(len(log))
        damaged = bytearray(log[:place] if case % 2 else log)
        if not case % 2:
            damaged[place] ^= 1 << rng.randrange(8)
        (folder / "documents.sqlite-wal").write_bytes(damaged)

        with Store.open(folder) as store:
            store.verify()
            held = held_by(store)

        for thread in range(THREADS):
            counts = range(process.acknowledged[thread] + 2)
            assert is_prefix(held, seed, thread, counts), f"case {case}, place {place}"
        shutil.rmtree(folder)


def test_a_file_cut_or_changed_anywhere_gives_what_was_written_or_is_refused(
    tmp_path: Path, writing, seed: int
) -> None:
    process = writing(tmp_path / "whole", seed)
    process.wait_for(60)
    process.kill()
    with Store.open(tmp_path / "whole") as store:
        expected = held_by(store)
    rng = random.Random(seed)
    whole = (tmp_path / "whole" / "documents.sqlite").read_bytes()
    refused = 0

    for case in range(200):
        folder = tmp_path / "damaged"
        folder.mkdir()
        place = rng.randrange(len(whole))
        damaged = bytearray(whole[:place] if case % 4 == 0 else whole)
        if case % 4:
            damaged[place] ^= 1 << rng.randrange(8)
        (folder / "documents.sqlite").write_bytes(damaged)

        try:
            with Store.open(folder) as store:
                held = held_by(store)
                store.verify()
        except StorageFailed:
            refused += 1
        else:
            assert held == expected, f"case {case}, place {place}"
        shutil.rmtree(folder)

    assert refused >= 50  # all that were cut, at least


def test_a_second_process_is_refused_until_the_first_is_killed(
    tmp_path: Path, writing, seed: int
) -> None:
    process = writing(tmp_path, seed)
    process.wait_for(1)

    with pytest.raises(StorageFailed, match=f"is being written by process {process.pid}: "):
        Store.open(tmp_path)

    process.kill()
    with Store.open(tmp_path) as store:
        store.verify()
