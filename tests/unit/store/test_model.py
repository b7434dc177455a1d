"""A store beside a dict: whatever is done to both, they hold the same."""

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from jina_cli.documents.condition import Condition, condition_of
from jina_cli.store.records import Records
from jina_cli.store.store import Store
from jina_cli.vocabulary import Metric
from tests.testing.stored import IDS, VECTORS, Model, batches, nearest, row_of

METRIC = Metric.INNER_PRODUCT
BOUNDS = st.integers(0, 3)


def at_least(bound: int) -> Condition:
    condition = condition_of({"n": {"$gte": bound}})
    assert condition is not None
    return condition


class StoreBesideDict(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name)
        self.store = Store.open(self.path, metric=METRIC)
        self.reader = Store.open(self.path, metric=METRIC, read_only=True)
        self.model: Model = {}

    def teardown(self) -> None:
        self.store.verify()
        self.store.close()
        self.reader.close()
        self.folder.cleanup()

    @rule(batch=batches())
    def upsert(self, batch: tuple[Records, Model]) -> None:
        records, rows = batch

        assert self.store.upsert(records) == len(rows)

        self.model |= rows

    @rule(ids=st.lists(IDS, max_size=4))
    def delete(self, ids: list[str]) -> None:
        known = set(ids) & set(self.model)

        assert self.store.delete(ids) == len(known)

        for id_ in known:
            del self.model[id_]

    @rule(bound=BOUNDS)
    def delete_where(self, bound: int) -> None:
        gone = self.at_least(bound)

        assert self.store.delete_where(at_least(bound)) == len(gone)

        self.model = {id_: row for id_, row in self.model.items() if id_ not in gone}

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = Store.open(self.path, metric=METRIC)

    @rule()
    def reopen_the_reader(self) -> None:
        self.reader.close()
        self.reader = Store.open(self.path, metric=METRIC, read_only=True)

    @rule(query=VECTORS, top_k=st.integers(1, 9), bound=st.none() | BOUNDS)
    def search_vectors(self, query: list[int], top_k: int, bound: int | None) -> None:
        allowed = self.model if bound is None else self.at_least(bound)
        expected = nearest(allowed, query, top_k)
        for store in (self.store, self.reader):
            where = None if bound is None else at_least(bound)
            found = store.search_vectors(np.array([query]), top_k, where=where)

            assert found.parts is not None
            assert list(found.ids[0]) == [id_ for id_, _, _ in expected]
            assert found.scores[0].tolist() == [score for _, score, _ in expected]
            pairs = zip(found.parts[0], expected, strict=True)
            assert all(part in parts for part, (_, _, parts) in pairs)

    @rule(query=VECTORS)
    def score_vectors(self, query: list[int]) -> None:
        expected = {id_: score for id_, score, _ in nearest(self.model, query, 99)}
        ids = [*self.model, "nobody"]

        scores = self.reader.score_vectors(np.array(query), ids).tolist()

        assert {i: s for i, s in zip(ids, scores, strict=True) if not np.isnan(s)} == expected

    @rule(word=st.sampled_from(["red", "blue", "green", "naive"]), bound=st.none() | BOUNDS)
    def search_text(self, word: str, bound: int | None) -> None:
        allowed = self.model if bound is None else self.at_least(bound)
        where = None if bound is None else at_least(bound)
        written = {word, "naïve"} if word == "naive" else {word}
        expected = {
            id_ for id_, row in allowed.items() if written & set((row.text or "").split(" "))
        }
        for store in (self.store, self.reader):
            (found,) = store.search_text([word], 100, where=where).ids
            assert set(found) == expected

    @rule(after=st.none() | IDS, limit=st.integers(1, 5), bound=st.none() | BOUNDS)
    def page(self, after: str | None, limit: int, bound: int | None) -> None:
        allowed = self.model if bound is None else self.at_least(bound)
        where = None if bound is None else at_least(bound)
        expected = sorted(id_ for id_ in allowed if after is None or id_ > after)[:limit]

        assert [s.id for s in self.reader.page(after, limit, where)] == expected
        assert self.store.count(where) == len(allowed)

    @invariant()
    def they_hold_the_same(self) -> None:
        for store in (self.store, self.reader):
            assert {stored.id: row_of(stored) for stored in store} == self.model
            assert store.count() == len(self.model)
        with self.store.snapshot() as now:
            briefs = {brief.id: brief for brief in now.briefs([*self.model, "nobody"])}
            bodies = now.part_bodies((id_, "p") for id_ in self.model)
        assert {
            id_: (row.body, row.text, row.rest is not None) for id_, row in self.model.items()
        } == {id_: (brief.body, brief.text, brief.has_rest) for id_, brief in briefs.items()}
        assert bodies == {
            (id_, part): body
            for id_, row in self.model.items()
            for part, body, _ in row.parts
            if part == "p"
        }
        assert self.store.hashes([*self.model, "nobody"]) == {
            id_: row.hash for id_, row in self.model.items() if row.hash is not None
        }

    def at_least(self, bound: int) -> Model:
        return {id_: row for id_, row in self.model.items() if row.n is not None and row.n >= bound}


StoreBesideDict.TestCase.settings = settings(
    max_examples=30,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
test_a_store_holds_what_a_dict_would = StoreBesideDict.TestCase
