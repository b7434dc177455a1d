"""Fields of documents under other names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from jina_cli.documents.batch import BadField, DocumentBatch
from jina_cli.documents.column import DocsColumn, NodesColumn, ValuesColumn
from jina_cli.drivers.base import Driver
from jina_cli.drivers.content import column_of_rows
from jina_cli.drivers.whole import CraftDocumentsDriver
from jina_cli.executors.base import Crafter

_TAGS = "tags"


class FieldMapper(Crafter):
    """Copy, move and drop fields and keys of `tags`, named by paths: `text`, `tags.title`.

    Copies are made first, then moves, then what is to be dropped goes. What a document does not
    have leaves it as it is. Serves `/index`, `/update` and `/search`.

    Args:
        copy: From → to.
        move: From → to.
        drop: Paths.

    Raises:
        ValueError: A path is none, or leads to the `id`, which answers are known by.
    """

    def __init__(
        self,
        *,
        copy: Mapping[str, str] | None = None,
        move: Mapping[str, str] | None = None,
        drop: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._copies = _pairs(copy or {})
        self._moves = _pairs(move or {})
        self._dropped = [_path(text) for text in drop]
        changed = [*(to for _, to in self._copies + self._moves), *self._dropped]
        changed += [source for source, _ in self._moves]
        if ("id",) in changed:
            raise ValueError("the id of documents stays: answers are known by it")

    def craft(self, content: Any) -> Any:
        """Return content as it is; documents as a whole are what this one changes."""
        return content

    def craft_documents(self, docs: DocumentBatch) -> DocumentBatch:
        """Return the documents with their fields in other places.

        Raises:
            BadField: Something cannot be kept where it should go, as a tensor among tags.
        """
        for source, target in self._copies:
            docs = _put(docs, target, _taken(docs, source))
        for source, target in self._moves:
            values = _taken(docs, source)
            docs = _put(_without(docs, source), target, values)
        for path in self._dropped:
            docs = _without(docs, path)
        return docs

    def default_drivers(self) -> Mapping[str, Sequence[Driver]]:
        return dict.fromkeys(("/index", "/search", "/update"), (CraftDocumentsDriver(),))


_Path = tuple[str, ...]


def _pairs(mapping: Mapping[str, str]) -> list[tuple[_Path, _Path]]:
    return [(_path(source), _path(target)) for source, target in mapping.items()]


def _path(text: str) -> _Path:
    path = tuple(text.split("."))
    if not all(path) or (len(path) > 1 and path[0] != _TAGS):
        raise ValueError(f"{text!r} is no path: write a field, 'text', or 'tags.title'")
    return path


def _taken(docs: DocumentBatch, path: _Path) -> Sequence[Any] | DocsColumn | NodesColumn:
    """Return what stands at a path in each document, None where nothing does."""
    if path == ("id",):
        return list(docs.ids)
    column = docs.columns.get(path[0])
    if isinstance(column, DocsColumn | NodesColumn):
        return column
    values = docs.values(path[0])
    for key in path[1:]:
        values = [value.get(key) if isinstance(value, Mapping) else None for value in values]
    return values


def _put(
    docs: DocumentBatch, path: _Path, values: Sequence[Any] | DocsColumn | NodesColumn
) -> DocumentBatch:
    """Return documents with these values at a path, where they are not None."""
    name = path[0]
    if isinstance(values, DocsColumn | NodesColumn):
        if len(path) > 1:
            raise BadField(f"documents cannot be kept at {'.'.join(path)!r}")
        return docs.with_columns(**{name: values})
    if all(value is None for value in values):
        return docs
    if len(path) == 1:
        known = docs.values(name)
        rows = [old if new is None else new for old, new in zip(known, values, strict=True)]
        try:
            return docs.with_columns(**{name: column_of_rows(rows, "FieldMapper")})
        except TypeError as error:
            raise BadField(f"{name!r} would be of several kinds") from error
    wrong = next((v for v in values if isinstance(v, np.ndarray | bytes)), None)
    if wrong is not None:
        raise BadField(f"{type(wrong).__name__} cannot be kept at {'.'.join(path)!r}")
    return _with_tags(docs, path[1:], values)


def _with_tags(docs: DocumentBatch, keys: _Path, values: Iterable[Any]) -> DocumentBatch:
    rows = [
        tags if value is None else _nested(tags, keys, value)
        for tags, value in zip(docs.values(_TAGS), values, strict=True)
    ]
    return docs.with_columns(tags=ValuesColumn(rows))


def _nested(known: Any, keys: _Path, value: Any) -> Any:
    """Return a copy of an object with a value under keys, one inside the other."""
    if not keys:
        return value
    base = dict(known) if isinstance(known, Mapping) else {}
    return {**base, keys[0]: _nested(base.get(keys[0]), keys[1:], value)}


def _without(docs: DocumentBatch, path: _Path) -> DocumentBatch:
    if len(path) == 1:
        return docs.without(path[0])
    if _TAGS not in docs.columns:
        return docs
    rows = [_pruned(tags, path[1:]) for tags in docs.values(_TAGS)]
    return docs.with_columns(tags=ValuesColumn(rows))


def _pruned(known: Any, keys: _Path) -> Any:
    if not isinstance(known, Mapping) or keys[0] not in known:
        return known
    if len(keys) == 1:
        return {key: value for key, value in known.items() if key != keys[0]}
    return {**known, keys[0]: _pruned(known[keys[0]], keys[1:])}
