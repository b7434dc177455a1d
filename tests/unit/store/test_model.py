"""A store beside a dict: whatever is done to both, they hold the same."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from jina_cli.store.records import Records
from jina_cli.store.store import Store
from jina_cli.vocabulary import Metric

DIM = 3
IDS = st.sampled_from(["", "a", "b", "c", "é", "x y", 'q"', "\0"])
WORDS = st.sampled_from(["red", "blue", "green", "AND", "naïve", "\0"])
TEXTS = st.none() | st.lists(WORDS, max_size=4).map(" ".join) | st.text(max_size=8)
RESTS = st.none() | st.binary(max_size=5)
VECTORS = st.lists(st.integers(-2, 2), min_size=DIM, max_size=DIM)


@dataclass(frozen=True, slots=True)
class Row:
    body: bytes
    rest: bytes | None
    text: str | None
    vector: tuple[int, ...] | None


class StoreBesideDict(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name)
        self.store = Store.open(self.path, metric=Metric.INNER_PRODUCT)
        self.model: dict[str, Row] = {}

    def teardown(self) -> None:
        self.store.verify()
        self.store.close()
        self.folder.cleanup()

    @rule(
        rows=st.lists(st.tuples(IDS, st.binary(max_size=5), TEXTS, VECTORS, RESTS), max_size=5),
        has_vectors=st.booleans(),
        has_texts=st.booleans(),
        has_rests=st.booleans(),
    )
    def upsert(self, rows: list, has_vectors: bool, has_texts: bool, has_rests: bool) -> None:
        records = Records(
            ids=[row[0] for row in rows],
            bodies=[row[1] for row in rows],
            texts=[row[2] for row in rows] if has_texts else None,
            vectors=np.array([row[3] for row in rows], np.float32).reshape(-1, DIM)
            if has_vectors
            else None,
            rests=[row[4] for row in rows] if has_rests else None,
        )

        assert self.store.upsert(records) == len({row[0] for row in rows})

        for id_, body, text, vector, rest in rows:
            self.model[id_] = Row(
                body,
                rest if has_rests else None,
                text if has_texts else None,
                tuple(vector) if has_vectors else None,
            )

    @rule(ids=st.lists(IDS, max_size=4))
    def delete(self, ids: list[str]) -> None:
        known = set(ids) & set(self.model)

        assert self.store.delete(ids) == len(known)

        for id_ in known:
            del self.model[id_]

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = Store.open(self.path, metric=Metric.INNER_PRODUCT)

    @rule(query=VECTORS, top_k=st.integers(1, 9))
    def search_vectors(self, query: list[int], top_k: int) -> None:
        found = self.store.search_vectors(np.array([query]), top_k)

        scores = {
            id_: sum(a * b for a, b in zip(row.vector, query, strict=True))
            for id_, row in self.model.items()
            if row.vector is not None
        }
        best = sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))[:top_k]
        assert list(zip(found.ids[0], found.scores[0].tolist(), strict=True)) == best

    @rule(word=st.sampled_from(["red", "blue", "green", "naive"]))
    def search_text(self, word: str) -> None:
        (found,) = self.store.search_text([word], 100).ids

        written = {word, "naïve"} if word == "naive" else {word}
        assert set(found) == {
            id_ for id_, row in self.model.items() if written & set((row.text or "").split(" "))
        }

    @invariant()
    def they_hold_the_same(self) -> None:
        held = {
            stored.id: Row(
                stored.body,
                stored.rest,
                stored.text,
                None if stored.vector is None else tuple(stored.vector.astype(int).tolist()),
            )
            for stored in self.store
        }
        assert held == self.model
        with self.store.snapshot() as now:
            briefs = {brief.id: brief for brief in now.briefs([*self.model, "nobody"])}
        assert {
            id_: (row.body, row.text, row.rest is not None) for id_, row in self.model.items()
        } == {id_: (brief.body, brief.text, brief.has_rest) for id_, brief in briefs.items()}
        assert self.store.count() == len(self.model)


StoreBesideDict.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
test_a_store_holds_what_a_dict_would = StoreBesideDict.TestCase
