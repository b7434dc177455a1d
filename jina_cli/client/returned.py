"""The class whose documents a caller wants back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast, get_args, get_origin

from jina_cli.client.errors import BadClient

if TYPE_CHECKING:
    from docarray import BaseDoc

    from jina_cli.documents.batch import DocumentBatch


class ReturnType:
    """What `return_type` says: `DocList[T]`, `T` for the only document, or nothing.

    Where it says nothing, documents are our `Document`, which takes fields of any name; those
    that do not fit even there are docarray's `AnyDoc`.

    Raises:
        BadClient: It is no class of documents.
    """

    def __init__(self, wanted: Any = None) -> None:
        from docarray import BaseDoc, DocList

        kind = get_origin(wanted) or wanted
        self.is_single = False
        self._doc_type: type[BaseDoc] | None = None
        if wanted is None or kind is DocList:
            arguments = get_args(wanted)
            self._doc_type = arguments[0] if arguments else None
        elif isinstance(kind, type) and issubclass(kind, DocList):
            self._doc_type = cast("type[BaseDoc]", kind.doc_type)
        elif isinstance(kind, type) and issubclass(kind, BaseDoc):
            self._doc_type = kind
            self.is_single = True
        else:
            hint = "give DocList[YourDoc] or YourDoc"
            raise BadClient(f"return_type is {wanted!r}, no class of documents", hint=hint)

    def __str__(self) -> str:
        name = self._doc_type.__name__ if self._doc_type is not None else "Document"
        return name if self.is_single else f"DocList[{name}]"

    def docs(self, batch: DocumentBatch) -> Any:
        """Return documents as a `DocList`.

        Raises:
            DoesNotFit: A document is not what the class takes.
        """
        from jina_cli.documents.convert import DoesNotFit, to_docs

        if self._doc_type is not None:
            return to_docs(batch, self._doc_type)
        from jina_cli.documents.document import Document

        try:
            return to_docs(batch, Document)
        except DoesNotFit:
            return _loose(batch)

    def joined(self, parts: Iterable[Any]) -> Any:
        """Return the documents of many answers as one list; the only one by itself where the
        class of a document was asked for."""
        from docarray import DocList

        from jina_cli.documents.document import Document

        found = [doc for docs in parts for doc in docs]
        if self.is_single and len(found) == 1:
            return found[0]
        doc_type = self._doc_type or _common(found) or Document
        return DocList[doc_type].construct(found)  # type: ignore[valid-type]


def _common(docs: list[Any]) -> type[Any] | None:
    kinds = {type(doc) for doc in docs}
    if len(kinds) == 1:
        return kinds.pop()
    from docarray.base_doc import AnyDoc

    return AnyDoc if kinds else None


def _loose(batch: DocumentBatch) -> Any:
    """Return documents of a class that has whatever it is given."""
    from docarray import DocList
    from docarray.base_doc import AnyDoc

    from jina_cli.documents.rows import to_numpy_rows

    docs = [
        AnyDoc(**row)  # type: ignore[no-untyped-call]
        for row in to_numpy_rows(batch)
    ]
    for name in batch.columns:
        if (column := batch.docs(name)) is not None:
            inner = _loose(column.docs)
            for place, doc in enumerate(docs):
                start, end = int(column.offsets[place]), int(column.offsets[place + 1])
                doc.__dict__[name] = inner[start:end]
    return DocList[AnyDoc].construct(docs)
