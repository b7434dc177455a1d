"""What JSON says of the fields of a user's class in which a document has nothing."""

from __future__ import annotations

import json
import uuid

import orjson
from docarray import BaseDoc, DocList
from docarray.typing import NdArray
from pydantic import Field

from jina_cli.documents.convert import from_docs
from jina_cli.documents.document import Document
from jina_cli.documents.rows import from_rows, to_numpy_rows
from jina_cli.documents.schema import blanks_of


class Author(BaseDoc):
    name: str | None = None
    face: NdArray | None = None


class Article(BaseDoc):
    text: str
    pages: int = 1
    embedding: NdArray | None = None
    tags: dict[str, str] = Field(default={})
    author: Author | None = None
    readers: DocList[Author] = DocList[Author]()


def written(rows: list[dict[str, object]], doc_type: type[BaseDoc]) -> list[dict[str, object]]:
    told: list[dict[str, object]] = orjson.loads(
        orjson.dumps(to_numpy_rows(from_rows(rows), blanks_of(doc_type)))
    )
    return told


def test_a_document_has_each_field_of_its_class_in_their_order() -> None:
    (told,) = written([{"id": "1", "text": "a"}], Article)

    assert list(told.items()) == [
        ("id", "1"),
        ("text", "a"),
        ("pages", 1),
        ("embedding", None),
        ("tags", {}),
        ("author", None),
        ("readers", []),
    ]


def test_documents_inside_have_theirs() -> None:
    row = {"id": "1", "text": "a", "author": {"id": "2"}, "readers": [{"id": "3", "name": "b"}]}

    (told,) = written([row], Article)

    assert told["author"] == {"id": "2", "name": None, "face": None}
    assert told["readers"] == [{"id": "3", "name": "b", "face": None}]


def test_it_is_what_docarray_writes() -> None:
    docs = DocList[Article](
        [Article(text="a", readers=DocList[Author]([Author(name="b")])), Article(text="", pages=2)]
    )

    told = orjson.loads(orjson.dumps(to_numpy_rows(from_docs(docs), blanks_of(Article))))

    assert told == [json.loads(doc.json()) for doc in docs]


def test_fields_that_the_class_does_not_have_stay() -> None:
    (told,) = written([{"id": "1", "text": "a", "more": 1}], Article)

    assert told["more"] == 1


def test_a_default_that_is_made_for_each_document_is_not_made_up() -> None:
    class Numbered(BaseDoc):
        number: str = Field(default_factory=lambda: uuid.uuid4().hex)

    (told,) = written([{"id": "1"}], Numbered)

    assert told == {"id": "1", "number": None}


def test_documents_without_a_class_of_their_own_are_told_by_what_they_have() -> None:
    assert blanks_of(Document) is None
