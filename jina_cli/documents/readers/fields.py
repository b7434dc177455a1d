"""From the fields of a row to those of a document: names mapped, types checked, ids given."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson

from jina_cli.documents.column import Array
from jina_cli.documents.readers.row import Row, RowError, printable

CONTENT = ("text", "uri", "tensor", "embedding", "blob")
"""A document has at least one of these or a title, or there is nothing to find it by."""

_NAMED = (*CONTENT[:1], "title", *CONTENT[1:])

_MOST_NAMES = 16
_KINDS = {dict: "an object", list: "a list", str: "a string", bool: "true or false"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """The fields of one document.

    Attributes:
        id: As given, or made of the content: the same content has the same id always, so
            that reading it again replaces and does not add.
        tags: What has no field of its own.
        row: Where it comes from.
    """

    id: str
    text: str | None = None
    uri: str | None = None
    blob: bytes | None = None
    tensor: Array | None = None
    embedding: Array | None = None
    tags: Mapping[str, Any] = field(default_factory=dict)
    row: Row


class BadField(ValueError):
    """A field of a row cannot be taken; the message is one clause.

    Attributes:
        hint: What to do about it; empty where we do not know.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        self.hint = hint
        super().__init__(message)


def fields_of(
    row: Row, field_map: Mapping[str, str], *, may_be_tags: bool = False
) -> Fields | RowError:
    """Check the fields of a row.

    Args:
        field_map: Name in the row → name in the document; others keep theirs.
        may_be_tags: Whether a document without content is taken, if it has tags.
    """
    try:
        return _checked(row, field_map, may_be_tags)
    except BadField as error:
        return RowError(row.source, row.line, str(error), row.raw, error.hint)


def _checked(row: Row, field_map: Mapping[str, str], may_be_tags: bool) -> Fields:
    given = {field_map.get(name, name): value for name, value in row.fields.items()}
    known = {name: given[name] for name in CONTENT if given.get(name) is not None}
    titled = isinstance(given.get("title"), str) and bool(given["title"].strip())
    has_tags = may_be_tags and any(
        value is not None for name, value in given.items() if name != "id"
    )
    if not known and not row.uri and not titled and not has_tags:
        hint = _other_names(row, field_map)
        raise BadField(f"no content: none of {', '.join(_NAMED)}", hint)
    return Fields(
        id=_id(row, given),
        text=_string(known, "text"),
        uri=_string(known, "uri") or row.uri or None,
        blob=_blob(known.get("blob")),
        tensor=_numbers(known, "tensor"),
        embedding=_numbers(known, "embedding"),
        tags=_tags(given),
        row=row,
    )


def _other_names(row: Row, field_map: Mapping[str, str]) -> str:
    """Say what a row has instead of content; empty if its source has some elsewhere."""
    names = row.columns or tuple(row.fields)
    texts = {
        name: len(value)
        for name, value in row.fields.items()
        if isinstance(value, str) and field_map.get(name, name) not in ("id", "tags")
    }
    if not texts or any(field_map.get(name, name) in _NAMED for name in names):
        return ""
    what = "columns" if row.columns else "fields"
    likely = printable(max(texts, key=texts.__getitem__))
    shown = ", ".join(map(printable, names[:_MOST_NAMES]))
    shown += ", …" if len(names) > _MOST_NAMES else ""
    return f"its {what} are {shown}; --field-map {likely}=text takes one as text"


def _id(row: Row, given: Mapping[str, Any]) -> str:
    value = given.get("id")
    if isinstance(value, bool) or not isinstance(value, str | int | None):
        raise BadField(f"'id' is {_kind(value)}, not a string")
    if value is not None and str(value):
        return str(value)
    if row.identity is not None:
        return hashlib.blake2b(row.identity, digest_size=16).hexdigest()
    content = {name: value for name, value in given.items() if name != "id"}
    options = orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY
    return hashlib.blake2b(orjson.dumps(content, option=options), digest_size=16).hexdigest()


def _tags(given: Mapping[str, Any]) -> Mapping[str, Any]:
    own = given.get("tags")
    if own is not None and not isinstance(own, dict):
        raise BadField(f"'tags' is {_kind(own)}, not an object")
    others = {
        name: value
        for name, value in given.items()
        if name not in CONTENT and name not in ("id", "tags")
    }
    return {**(own or {}), **others}


def _string(known: Mapping[str, Any], name: str) -> str | None:
    value = known.get(name)
    if value is None or isinstance(value, str):
        return value
    raise BadField(f"{name!r} is {_kind(value)}, not a string")


def _blob(value: Any) -> bytes | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise BadField(f"'blob' is {_kind(value)}, not a string in base64")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadField("'blob' is not base64") from error


def _numbers(known: Mapping[str, Any], name: str) -> Array | None:
    value = known.get(name)
    if value is None or isinstance(value, np.ndarray):
        return value
    if isinstance(value, str):  # as CSV has it
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError as error:
            raise BadField(f"{name!r} is a string, not a list of numbers") from error
    if not isinstance(value, list):
        raise BadField(f"{name!r} is {_kind(value)}, not a list of numbers")
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise BadField(f"{name!r} has rows of different lengths") from error
    if array.dtype.kind not in "if" or not array.size:
        raise BadField(f"{name!r} is not a list of numbers")
    with np.errstate(over="ignore"):
        array = array.astype(np.float32)
    if not np.isfinite(array).all():
        raise BadField(f"{name!r} has a number that is not finite")
    return array


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    return _KINDS.get(type(value), "a number")
