"""The Document that users write and get: a docarray document with the fields we know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, get_origin

from docarray import BaseDoc, DocList
from docarray.typing import AnyTensor
from pydantic import ConfigDict, Field


class Document(BaseDoc):
    """Anything one wants to find. Every field may be left out, and others may be given.

    Attributes:
        text: What it says.
        uri: Where it comes from.
        mime_type: What kind of content it has, `text/plain`.
        blob: Its content as bytes.
        tensor: Its content as numbers, of any shape.
        embedding: Its vector, shape `(dim,)`.
        tags: Whatever else is known of it, JSON values by name.
        chunks: Documents made by splitting it, with `granularity` one above its own.
        matches: Documents found for it, best first, with `adjacency` one above its own.
        score: How well it fits what it is a match of; higher is better.
        scores: The same by measure, where there are several.
        parent_id: The document it is a chunk of.
        ref_id: The document it is a match of.
        weight: How much it counts among its siblings.
    """

    model_config = ConfigDict(extra="allow")  # type: ignore[assignment]  # docarray narrows it

    text: str | None = None
    uri: str | None = None
    mime_type: str | None = None
    blob: bytes | None = None
    tensor: AnyTensor | None = None
    embedding: AnyTensor | None = None
    tags: dict[str, Any] = Field(default_factory=dict)
    chunks: Documents = Field(default_factory=lambda: _no_documents())
    matches: Documents = Field(default_factory=lambda: _no_documents())
    score: float | None = None
    scores: dict[str, float] = Field(default_factory=dict)
    parent_id: str | None = None
    ref_id: str | None = None
    granularity: int | None = None
    adjacency: int | None = None
    weight: float | None = None

    def __getattr__(self, name: str) -> Any:
        # docarray looks at declared fields alone.
        extra = object.__getattribute__(self, "__pydantic_extra__")
        if extra and name in extra:
            return extra[name]
        return super().__getattr__(name)


if TYPE_CHECKING:
    Documents: TypeAlias = DocList[Document]
else:
    # The class that the alias stands for: Python 3.13 would subscript the alias once more, and
    # to call it costs more than the rest of a document. It is made here, since docarray gives a
    # list type the fields its documents have so far.
    Documents = get_origin(DocList[Document])
"""A list of Documents."""

Document.model_rebuild()


def _no_documents() -> Documents:
    return Documents.construct([])
