"""Traversal paths: which documents of a batch a step works on, and how its result goes back.

`r` are the documents themselves, `c` their chunks, `m` their matches; letters are followed
left to right, so `cm` are the matches of the chunks. `@c,m` are two paths, taken in order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeAlias

from jina_cli.documents.batch import DocumentBatch

Path: TypeAlias = tuple[str, ...]
"""Names of the fields to follow; empty for the documents themselves."""

_FIELDS = {"c": "chunks", "m": "matches"}


class BadPath(ValueError):
    """Text that is no traversal path."""


def parse_paths(text: str | Iterable[str]) -> tuple[Path, ...]:
    """Return the paths of `@r,cm` (the `@` may be left out), or of a list of such texts.

    Raises:
        BadPath: It holds something else than the letters `r`, `c` and `m`, or nothing.
    """
    texts = [text] if isinstance(text, str) else list(text)
    parts = [part.strip() for item in texts for part in item.removeprefix("@").split(",")]
    if not parts:
        raise BadPath("a traversal path names no documents")
    return tuple(_path(part) for part in parts)


def documents_at(batch: DocumentBatch, path: Path) -> DocumentBatch:
    """Return all documents at `path` as one batch, in order; it may be empty."""
    for field in path:
        column = batch.docs(field)
        if column is None:
            return DocumentBatch([])
        batch = column.docs
    return batch


def put_at(batch: DocumentBatch, path: Path, found: DocumentBatch) -> DocumentBatch:
    """Return `batch` with `found` in place of what `documents_at` gave for the same path.

    Raises:
        ValueError: It is another number of documents.
    """
    if not path:
        return _same_number(found, batch)
    column = batch.docs(path[0])
    if column is None:
        return batch
    inner = put_at(column.docs, path[1:], found)
    return batch.with_columns(**{path[0]: replace(column, docs=inner)})


def _path(text: str) -> Path:
    letters = text.removeprefix("r") if text != "r" else ""
    if not text or any(letter not in _FIELDS for letter in letters):
        raise BadPath(f"{text!r} is no traversal path; it is made of r, c and m, as in '@c'")
    return tuple(_FIELDS[letter] for letter in letters)


def _same_number(found: DocumentBatch, batch: DocumentBatch) -> DocumentBatch:
    if len(found) != len(batch):
        raise ValueError(f"{len(found)} documents cannot take the place of {len(batch)}")
    return found
