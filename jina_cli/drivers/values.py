"""One value of each document, by a path such as `score` or `tags__price`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jina_cli.documents.batch import DocumentBatch


def values_at(docs: DocumentBatch, path: str) -> Sequence[Any]:
    """Return what each document has at a path, None where there is nothing.

    Args:
        path: A field, and keys of its value behind `__`. A name that is no field of these
            documents is a key of their `tags`.
    """
    name, *keys = (path,) if path in docs.columns else path.split("__")
    if name == "id":
        return docs.ids
    if name not in docs.columns:
        name, keys = "tags", [name, *keys]
    values = docs.values(name)
    for key in keys:
        values = [value.get(key) if isinstance(value, Mapping) else None for value in values]
    return values
