"""Segmenters of text: what becomes a chunk."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from jina_cli.documents.batch import BadField, DocumentBatch
from jina_cli.documents.column import DocsColumn, TextColumn, ValuesColumn
from jina_cli.drivers.base import Done
from jina_cli.errors import InputMissing
from jina_cli.executors.segmenters.text import (
    MarkdownSegmenter,
    Sentencizer,
    SlidingWindowSegmenter,
    TextSegmenter,
)


def test_a_chunk_says_where_it_stood() -> None:
    chunks = Sentencizer(min_length=0).segment(["  One. Two!  ", " "])

    assert chunks == [
        [{"text": "One.", "location": [2, 6]}, {"text": "Two!", "location": [7, 11]}],
        [],
    ]


def test_sentences_are_brought_to_length() -> None:
    (chunks,) = Sentencizer(min_length=6, max_length=12).segment(["Hi. You. There we go then."])

    assert [chunk["text"] for chunk in chunks] == ["Hi. You.", "There we go", "then."]


def test_lengths_that_exclude_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="min_length 20 is over max_length 10"):
        Sentencizer(max_length=10)


def test_windows_slide_by_half_their_size_by_default() -> None:
    (chunks,) = SlidingWindowSegmenter(size=4).segment(["a b c d e f"])

    assert [chunk["text"] for chunk in chunks] == ["a b c d", "c d e f"]
    assert chunks[1]["location"] == [4, 11]


def test_a_stride_that_loses_text_is_refused() -> None:
    with pytest.raises(ValueError, match="stride 5 is over size 4"):
        SlidingWindowSegmenter(size=4, stride=5)


def test_tokens_are_those_of_a_tokenizer(tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    words = {"[UNK]": 0, "play": 1, "##ing": 2, "we": 3}
    model = tokenizers.Tokenizer(tokenizers.models.WordPiece(words, unk_token="[UNK]"))
    model.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    model.save(str(tmp_path / "tokenizer.json"))
    segmenter = SlidingWindowSegmenter(unit="tokens", size=2, stride=2, tokenizer=str(tmp_path))

    chunks = segmenter.segment(["we playing we", ""])

    assert [[chunk["text"] for chunk in row] for row in chunks] == [["we play", "ing we"], []]


def test_tokens_are_those_of_bert_by_default() -> None:
    pytest.importorskip("tokenizers")
    text = "Überflow is unbelievable!"

    (chunks,) = SlidingWindowSegmenter(unit="tokens", size=1).segment([text])

    assert [text[slice(*chunk["location"])] for chunk in chunks] == [c["text"] for c in chunks]
    assert [c["text"] for c in chunks] == ["Über", "flow", "is", "unbelievable", "!"]


def test_long_texts_have_as_many_tokens_as_they_have() -> None:
    pytest.importorskip("tokenizers")

    (chunks,) = SlidingWindowSegmenter(unit="tokens", size=100, stride=100).segment(["a " * 1000])

    assert len(chunks) == 10


def test_a_tokenizer_that_is_not_there_is_named(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")

    with pytest.raises(InputMissing, match=r"has no tokenizer\.json and no vocab\.txt"):
        SlidingWindowSegmenter(unit="tokens", tokenizer=str(tmp_path))


def test_a_section_has_the_path_of_its_headings_in_its_tags() -> None:
    text = "# A\n## B\ntext\n# C\n"

    (chunks,) = MarkdownSegmenter().segment([text])

    assert chunks == [
        {"text": "## B\ntext", "location": [4, 13], "tags": {"headings": ["A", "B"]}},
        {"text": "# C", "location": [14, 17], "tags": {"headings": ["C"]}},
    ]


def test_a_long_section_is_cut_between_sentences() -> None:
    text = "# A\n\nOne two. Three four. Five six."

    (chunks,) = MarkdownSegmenter(max_length=22).segment([text])

    assert [chunk["text"] for chunk in chunks] == ["# A\n\nOne two.", "Three four. Five six."]
    assert all(text[slice(*chunk["location"])] == chunk["text"] for chunk in chunks)
    assert all(chunk["tags"] == {"headings": ["A"]} for chunk in chunks)


@pytest.mark.parametrize("segmenter", [Sentencizer(), MarkdownSegmenter()])
def test_chunks_go_into_documents_with_place_and_parent(segmenter: TextSegmenter) -> None:
    docs = DocumentBatch(["a", "b"], {"text": TextColumn(["A sentence of some words.", ""])})

    chunks = chunks_in(segmenter, docs)

    assert chunks.offsets.tolist() == [0, 1, 1]
    assert chunks.docs.text() == ["A sentence of some words."]
    assert chunks.docs.values("location") == [[0, 25]]
    assert chunks.docs.values("parent_id") == ["a"]


def test_chunks_can_begin_with_the_title_of_their_document() -> None:
    segmenter = Sentencizer(context="title", min_length=0)
    tags = ValuesColumn([{"title": " Wings "}, None, {"title": 5}])
    docs = DocumentBatch(["a", "b", "c"], {"text": TextColumn(["One. Two."] * 3), "tags": tags})

    chunks = chunks_in(segmenter, docs)

    assert chunks.docs.text() == ["Wings\nOne.", "Wings\nTwo.", *["One.", "Two."] * 2]
    assert chunks.docs.values("location")[:2] == [[0, 4], [5, 9]]


def test_a_document_without_text_has_no_chunks() -> None:
    docs = DocumentBatch(["a", "b", "c"], {"text": TextColumn([None, "One.", None])})

    assert chunks_in(Sentencizer(), docs).offsets.tolist() == [0, 0, 1, 1]
    assert chunks_in(Sentencizer(), docs.without("text")).offsets.tolist() == [0, 0, 0, 0]


def test_what_is_no_text_is_refused() -> None:
    docs = DocumentBatch(["a"], {"text": ValuesColumn([5])})

    with pytest.raises(BadField, match="Sentencizer takes text, and got int"):
        chunks_in(Sentencizer(), docs)


def chunks_in(segmenter: TextSegmenter, docs: DocumentBatch) -> DocsColumn:
    async def run() -> Done:
        (driver,) = segmenter.default_drivers()["/index"]
        return await driver(segmenter, docs, {})

    chunks = asyncio.run(run()).docs.docs("chunks")
    assert chunks is not None
    return chunks


def test_queries_pass() -> None:
    assert set(Sentencizer().default_drivers()) == {"/index", "/update"}
