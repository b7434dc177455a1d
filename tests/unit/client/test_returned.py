"""The classes that callers want back."""

from __future__ import annotations

from typing import Any

import pytest
from docarray import BaseDoc, DocList
from docarray.base_doc import AnyDoc

from jina_cli.client.errors import BadClient
from jina_cli.client.returned import ReturnType
from jina_cli.documents.document import Document
from jina_cli.documents.rows import from_rows


class Note(BaseDoc):
    text: str = ""


ROWS = from_rows([{"id": "1", "text": "a"}, {"id": "2", "text": "b"}])


@pytest.mark.parametrize(
    ("wanted", "kind"), [(DocList[Note], Note), (Note, Note), (DocList, Document), (None, Document)]
)
def test_documents_are_of_the_class_that_was_asked_for(wanted: Any, kind: type[BaseDoc]) -> None:
    docs = ReturnType(wanted).docs(ROWS)

    assert isinstance(docs, DocList)
    assert [type(doc) for doc in docs] == [kind, kind]
    assert docs.text == ["a", "b"]


def test_one_document_comes_alone_where_its_class_was_asked_for() -> None:
    single, whole = ReturnType(Note), ReturnType(DocList[Note])
    one = ROWS.slice(0, 1)

    assert single.joined([single.docs(one)]).text == "a"
    assert len(single.joined([single.docs(ROWS)])) == 2
    assert len(whole.joined([whole.docs(one)])) == 1


def test_the_documents_of_many_answers_are_one_list() -> None:
    returns = ReturnType(DocList[Note])

    joined = returns.joined([returns.docs(ROWS), returns.docs(ROWS)])

    assert joined.text == ["a", "b", "a", "b"]
    assert joined.doc_type is Note
    assert len(returns.joined([])) == 0


def test_what_does_not_fit_into_our_document_is_one_of_any_fields() -> None:
    rows = from_rows([{"text": 5, "extra": "x", "matches": [{"text": "m"}]}])

    [doc] = ReturnType().docs(rows)

    assert isinstance(doc, AnyDoc)
    assert (doc.text, doc.extra, doc.matches[0].text) == (5, "x", "m")


@pytest.mark.parametrize("wanted", [int, "Note", 5])
def test_no_class_of_documents_is_refused(wanted: Any) -> None:
    with pytest.raises(BadClient, match="no class of documents: give DocList"):
        ReturnType(wanted)
