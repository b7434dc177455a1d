"""A dict that does what a store does, and batches to try both with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import orjson
from hypothesis import strategies as st

from jina_cli.store.records import Parts, Records, Stored, Vectors

DIM = 3
IDS = st.sampled_from(["", "a", "b", "c", "é", "x y", 'q"', "\0"])
WORDS = st.sampled_from(["red", "blue", "green", "AND", "naïve", "\0"])
TEXTS = st.none() | st.lists(WORDS, max_size=4).map(" ".join) | st.text(max_size=8)
BYTES = st.none() | st.binary(max_size=5)
NUMBERS = st.none() | st.integers(0, 3)
VECTORS = st.lists(st.integers(-2, 2), min_size=DIM, max_size=DIM)
PART_IDS = st.sampled_from(["", "p", "q", "é"])
PARTS = st.lists(st.tuples(PART_IDS, st.binary(max_size=3), VECTORS), max_size=3)

Vector = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """What is held of a document; `parts` in order, its own vector apart."""

    n: int | None
    text: str | None
    rest: bytes | None
    hash: bytes | None
    vector: Vector | None
    parts: tuple[tuple[str, bytes, Vector], ...]

    @property
    def body(self) -> bytes:
        return b"" if self.n is None else orjson.dumps({"tags": {"n": self.n}})

    def vectors(self) -> dict[str, Vector]:
        """Return all vectors by the id of their part."""
        own = {} if self.vector is None else {"": self.vector}
        return own | {id_: vector for id_, _, vector in self.parts}


Model = dict[str, Row]


@st.composite
def batches(draw: st.DrawFn) -> tuple[Records, Model]:
    """Draw records, and what a dict holds of them."""
    has = {name: draw(st.booleans()) for name in ("text", "rest", "hash", "vector", "parts")}
    ids = draw(st.lists(IDS, max_size=5))
    given = [
        Row(
            n=draw(NUMBERS),
            text=draw(TEXTS) if has["text"] else None,
            rest=draw(BYTES) if has["rest"] else None,
            hash=draw(BYTES) if has["hash"] else None,
            vector=tuple(draw(VECTORS)) if has["vector"] else None,
            parts=tuple((i, b if i else b"", tuple(v)) for i, b, v in draw(PARTS))
            if has["parts"]
            else (),
        )
        for _ in ids
    ]
    if has["vector"]:  # then a part cannot be the document itself
        given = [_without_own(row) for row in given]
    records = Records(
        ids=ids,
        bodies=[row.body for row in given],
        texts=[row.text for row in given] if has["text"] else None,
        rests=[row.rest for row in given] if has["rest"] else None,
        hashes=[row.hash for row in given] if has["hash"] else None,
        vectors=_matrix([row.vector or () for row in given]) if has["vector"] else None,
        parts=_parts_of(given) if has["parts"] else None,
        beside=frozenset(),
    )
    return records, {id_: _held(row) for id_, row in zip(ids, given, strict=True)}


def row_of(stored: Stored) -> Row:
    """Return what a store holds of a document as the dict would."""
    n = orjson.loads(stored.body)["tags"]["n"] if stored.body else None
    return Row(
        n=n,
        text=stored.text,
        rest=stored.rest,
        hash=stored.hash,
        vector=None if stored.vector is None else _whole(stored.vector),
        parts=tuple((part.id, part.body, _whole(part.vector)) for part in stored.parts),
    )


def nearest(
    model: Mapping[str, Row], query: Sequence[int], top_k: int
) -> list[tuple[str, float, set[str]]]:
    """Return id, inner product and the parts that have it, of the best documents in order."""
    found = []
    for id_, row in model.items():
        scores = {part: float(np.dot(v, query)) for part, v in row.vectors().items()}
        if scores:
            best = max(scores.values())
            found.append((id_, best, {part for part, score in scores.items() if score == best}))
    return sorted(found, key=lambda hit: (-hit[1], hit[0]))[:top_k]


def _without_own(row: Row) -> Row:
    parts = tuple(part for part in row.parts if part[0])
    return Row(row.n, row.text, row.rest, row.hash, row.vector, parts)


def _held(row: Row) -> Row:
    """Return a row with each part once, where the last of its id stands."""
    last = {part[0]: place for place, part in enumerate(row.parts)}
    kept = [row.parts[place] for place in sorted(last.values())]
    own = [vector for id_, _, vector in kept if not id_]
    vector = own[0] if own else row.vector
    return Row(row.n, row.text, row.rest, row.hash, vector, tuple(p for p in kept if p[0]))


def _parts_of(rows: Sequence[Row]) -> Parts:
    parts = [part for row in rows for part in row.parts]
    return Parts(
        offsets=np.cumsum([0, *(len(row.parts) for row in rows)]),
        ids=[part[0] for part in parts],
        bodies=[part[1] for part in parts],
        vectors=_matrix([part[2] for part in parts]),
    )


def _matrix(vectors: Sequence[Vector]) -> Vectors:
    return np.array(vectors, np.float32).reshape(-1, DIM)


def _whole(vector: Vectors) -> Vector:
    return tuple(vector.astype(int).tolist())
