"""A process that does to a store what it is told, until it is killed.

    python serving.py FOLDER

Changes come pickled on stdin: `Records` to add, a list of ids or a condition to delete. The result
of each goes to stdout as a line, once it is durable.
"""

from __future__ import annotations

import os
import pickle
import sys

from jina_cli.store.records import Records
from jina_cli.store.store import Store
from jina_cli.vocabulary import Metric


def main(folder: str) -> None:
    store = Store.open(folder, metric=Metric.INNER_PRODUCT)
    os.write(1, b"ready\n")
    while True:
        change = pickle.load(sys.stdin.buffer)
        if isinstance(change, Records):
            count = store.upsert(change)
        elif isinstance(change, list):
            count = store.delete(change)
        else:
            count = store.delete_where(change)
        os.write(1, f"{count}\n".encode())


if __name__ == "__main__":
    main(sys.argv[1])
