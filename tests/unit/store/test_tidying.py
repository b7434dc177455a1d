"""What was deleted gives its room back."""

import random
import sqlite3
from pathlib import Path

from jina_cli.store.records import Records
from jina_cli.store.store import Store
from tests.testing.processes import wait_until

WORDS = [f"w{i * 7919 % 100_000}" for i in range(5000)]
COUNT = 1200
IDS = [f"d{i}" for i in range(COUNT)]


def write_texts(store: Store, rng: random.Random) -> None:
    for start in range(0, COUNT, 100):
        texts = [" ".join(rng.choices(WORDS, k=30)) for _ in range(100)]
        store.upsert(Records(ids=IDS[start : start + 100], bodies=[b""] * 100, texts=texts))


def bytes_of_words(folder: Path) -> int:
    connection = sqlite3.connect(folder / "documents.sqlite")
    (size,) = connection.execute("SELECT sum(length(block)) FROM terms_data").fetchone()
    connection.close()
    return int(size)


def test_the_words_of_deleted_documents_go_without_another_change(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        write_texts(store, random.Random(1))
        full = bytes_of_words(tmp_path)

        store.delete(IDS)

        wait_until(lambda: store.meta().forgotten == 0)
        assert bytes_of_words(tmp_path) < full // 100
        assert store.search_text(WORDS[:5], 9).ids == [[]] * 5
        store.verify()


def test_an_index_that_is_written_again_and_again_does_not_grow_without_end(
    tmp_path: Path,
) -> None:
    rng = random.Random(2)
    sizes = []
    for _ in range(8):
        with Store.open(tmp_path) as store:
            write_texts(store, rng)
            if len(sizes) % 2:
                store.delete(IDS)
        sizes.append((tmp_path / "documents.sqlite").stat().st_size)

    assert max(sizes) <= 2.5 * sizes[0]
    with Store.open(tmp_path) as store:
        store.verify()
