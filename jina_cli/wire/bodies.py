"""Bodies and batches: the one place where documents on the wire become columns and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

import orjson

from jina_cli.documents import columns
from jina_cli.documents.batch import EMPTY_BATCH, DocumentBatch
from jina_cli.documents.blanks import Blanks
from jina_cli.documents.rows import BadRow, from_rows, to_numpy_rows
from jina_cli.wire.messages import EMPTY, Body, Format


class BadBody(ValueError):
    """A body is not what its format says, or documents cannot be written in a format."""


@dataclass(frozen=True, slots=True)
class HeldBody(Body):
    """Documents as they are, which the next Pod of the same process is given.

    Attributes:
        data: What they came in; as long as nobody changed them, it still holds them.
        batch: The documents.
        written: The format of `data` if they are still what it holds, else `HELD`.
    """

    batch: DocumentBatch = EMPTY_BATCH
    written: Format = Format.HELD


def kept(body: Body, wanted: Format, docs: DocumentBatch | None) -> Body | None:
    """Return a body whose documents nobody changed in a format, if nothing has to be written.

    Args:
        docs: The documents, if somebody has read them.
    """
    if body.format in (wanted, Format.NONE):
        return body
    if wanted is Format.HELD:
        return body if docs is None else HeldBody(wanted, body.data, docs, body.format)
    if isinstance(body, HeldBody) and body.written is wanted:
        return Body(wanted, body.data)
    return None


def hold(batch: DocumentBatch, bodies: Sequence[Body]) -> Body:
    """Return documents that came in `bodies`, and are others now, for the next Pod."""
    return HeldBody(Format.HELD, bodies[0].data if bodies else b"", batch)


def read_body(body: Body) -> DocumentBatch:
    """Return the documents of a body. Their tensors may be views of its bytes.

    Raises:
        BadBody: The bytes are malformed.
    """
    try:
        return _read(body)
    except BadRow as error:
        raise BadBody(str(error)) from None
    except ValueError as error:
        raise BadBody(f"the documents are not {body.format.name}: {error}") from None


def write_body(batch: DocumentBatch, format: Format, blanks: Blanks | None = None) -> Body:
    """Return the body that holds `batch`; `Format.NONE` drops the documents.

    Args:
        blanks: What JSON says of fields that a document lacks; other formats leave them out.

    Raises:
        BadBody: A field cannot be written in this format.
    """
    try:
        return _write(batch, format, blanks)
    except (ValueError, TypeError) as error:
        raise BadBody(f"cannot write {format.name}: {error}") from None


def _read(body: Body) -> DocumentBatch:
    match body.format:
        case Format.NONE:
            return EMPTY_BATCH
        case Format.COLUMNS:
            return columns.decode(body.data)
        case Format.PROTO:
            # Only edges and foreign peers speak it.
            from jina_cli.documents.standard import scan

            return scan(body.data)
        case Format.JSON:
            rows = orjson.loads(body.data)
            if not isinstance(rows, list):
                raise ValueError("not an array")
            return from_rows(rows)
        case Format.HELD:
            if not isinstance(body, HeldBody):
                raise ValueError("held by nobody")
            return body.batch
        case _:
            assert_never(body.format)


def _write(batch: DocumentBatch, format: Format, blanks: Blanks | None) -> Body:
    match format:
        case Format.NONE:
            return EMPTY
        case Format.COLUMNS:
            parts = columns.encode(batch)
            return Body(format, parts[0] if len(parts) == 1 else b"".join(parts))
        case Format.PROTO:
            from jina_cli.documents.standard import write

            return Body(format, write(batch))
        case Format.JSON:
            return Body(format, orjson.dumps(to_numpy_rows(batch, blanks), option=_ORJSON))
        case Format.HELD:
            return hold(batch, ())
        case _:
            assert_never(format)


_ORJSON = orjson.OPT_SERIALIZE_NUMPY
