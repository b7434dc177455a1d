"""A disk that is full: writes are refused, reads go on, and writes come back with the space."""

import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from jina_cli.errors import StorageFailed
from jina_cli.store.records import Records
from jina_cli.store.store import Store

SIZE = 8 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MiB."""
    libc = ctypes.CDLL(None, use_errno=True)
    folder = tmp_path / "disk"
    folder.mkdir()
    options = f"size={SIZE}".encode()
    if libc.mount(b"tmpfs", bytes(folder), b"tmpfs", 0, options):
        pytest.skip(f"cannot mount a small tmpfs: {os.strerror(ctypes.get_errno())}")
    yield folder
    libc.umount2(bytes(folder), 2)


def record(number: int) -> Records:
    return Records(ids=[f"d{number}"], bodies=[os.urandom(50_000)], texts=[f"word{number}"])


def test_a_full_disk_refuses_writes_and_nothing_acknowledged_is_lost(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(3 << 20))
    acknowledged: dict[str, bytes] = {}
    with Store.open(small_disk) as store:
        refused = ""
        while not refused:
            written = record(len(acknowledged))
            try:
                store.upsert(written)
                acknowledged[written.ids[0]] = written.bodies[0]
            except StorageFailed as error:
                refused = str(error)

        assert refused == f"no space left to write {store.path}: free some and try again"
        assert {stored.id: stored.body for stored in store} == acknowledged
        assert store.search_text(["word0"], 1).ids == [["d0"]]

        ballast.unlink()
        store.upsert(after := record(5000))
        acknowledged[after.ids[0]] = after.bodies[0]

    with Store.open(small_disk) as store:
        assert {stored.id: stored.body for stored in store} == acknowledged
        store.verify()


def test_an_index_is_not_made_in_part_on_a_full_disk(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(SIZE - (64 << 10)))  # room for the folder, not for the tables

    with pytest.raises(StorageFailed, match=r"^no space left to write "):
        Store.open(small_disk / "index")

    ballast.unlink()
    with Store.open(small_disk / "index") as store:
        assert store.upsert(record(1)) == 1
