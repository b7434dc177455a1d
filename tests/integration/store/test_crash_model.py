"""A store that is killed at any moment, beside a dict and with a reader that stays."""

import os
import pickle
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from jina_cli.documents.condition import condition_of
from jina_cli.store.records import Records
from jina_cli.store.store import Store
from jina_cli.vocabulary import Metric
from tests.testing.stored import IDS, VECTORS, Model, batches, nearest, row_of

SERVING = Path(__file__).with_name("serving.py")


class Serving:
    """`serving.py` as a process."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(SERVING), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.getcwd(), "OMP_NUM_THREADS": "1"},
        )
        assert self._line() == b"ready"

    def send(self, change: Any) -> None:
        assert self._process.stdin is not None
        pickle.dump(change, self._process.stdin)
        self._process.stdin.flush()

    def ask(self, change: Any) -> int:
        self.send(change)
        return int(self._line())

    def kill(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate(timeout=10)

    def _line(self) -> bytes:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


class KilledBesideDict(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name)
        self.model: Model = {}

    @initialize()
    def start(self) -> None:
        self.reader = Store.open(self.path, metric=Metric.INNER_PRODUCT, read_only=True)
        self.writer = Serving(self.path)

    def teardown(self) -> None:
        self.writer.kill()
        self.reader.close()
        with Store.open(self.path, metric=Metric.INNER_PRODUCT) as store:
            store.verify()
            assert {stored.id: row_of(stored) for stored in store} == self.model
        self.folder.cleanup()

    @rule(batch=batches())
    def upsert(self, batch: tuple[Records, Model]) -> None:
        records, rows = batch
        assert self.writer.ask(records) == len(rows)
        self.model |= rows
        self.check_reader()

    @rule(ids=st.lists(IDS, max_size=4))
    def delete(self, ids: list[str]) -> None:
        assert self.writer.ask(ids) == len(set(ids) & set(self.model))
        self.model = {id_: row for id_, row in self.model.items() if id_ not in ids}
        self.check_reader()

    @rule(n=st.integers(0, 3))
    def delete_where(self, n: int) -> None:
        kept = {id_: row for id_, row in self.model.items() if row.n != n}
        assert self.writer.ask(condition_of({"n": {"$eq": n}})) == len(self.model) - len(kept)
        self.model = kept
        self.check_reader()

    @rule(batch=batches(), query=VECTORS)
    def kill_while_it_writes(self, batch: tuple[Records, Model], query: list[int]) -> None:
        records, rows = batch
        self.writer.send(records)
        self.writer.kill()

        held = {stored.id: row_of(stored) for stored in self.reader}
        assert held in (self.model, self.model | rows)
        self.writer = Serving(self.path)
        self.model = held
        self.check_reader()
        found = self.reader.search_vectors(np.array([query]), 99)
        assert list(found.ids[0]) == [id_ for id_, _, _ in nearest(held, query, 99)]

    def check_reader(self) -> None:
        assert {stored.id: row_of(stored) for stored in self.reader} == self.model
        query = [1] * 3
        found = self.reader.search_vectors(np.array([query]), 99)
        assert list(found.ids[0]) == [id_ for id_, _, _ in nearest(self.model, query, 99)]


KilledBesideDict.TestCase.settings = settings(
    max_examples=4,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
test_a_store_that_is_killed_holds_what_a_dict_would = KilledBesideDict.TestCase
