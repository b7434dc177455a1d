"""Documents in docarray's own format, `docarray.DocListProto`, read and written by hand.

docarray's reader makes an object of every document and every value; this one cuts the bytes
of a list into one list of nodes a field, and makes a column of each. What has no column stays
the node it is (`NodesColumn`), so that nothing is lost. Bytes that are laid out in a way that
protobuf permits and its writers do not use are first put into the usual layout by protobuf.

A tensor is read whatever its docarray type (torch, tensorflow, …) and written as `ndarray`,
which docarray turns into what the schema wants; text and bytes lose the name of their type in
the same way.
"""

from __future__ import annotations

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.columns import Buffer
from jina_cli.documents.limits import MAX_LEVELS
from jina_cli.documents.nodes import BadNode, OverLimit, node_value
from jina_cli.documents.standard_reader import read_documents
from jina_cli.documents.standard_writer import documents
from jina_cli.documents.varint import Malformed

__all__ = ["BadStandard", "node_value", "scan", "write"]


class BadStandard(ValueError):
    """Bytes are no DocListProto, or a field cannot be written as one."""


def scan(data: Buffer) -> DocumentBatch:
    """Return the documents of a serialised DocListProto.

    A document without an id gets one. Fields that only some documents have are None in the
    others, as fields that are null.

    Raises:
        BadStandard: These are not such bytes.
    """
    raw = bytes(data)
    try:
        return read_documents(raw, MAX_LEVELS)
    except OverLimit as error:
        raise BadStandard(f"is too much: {error}") from None
    except (Malformed, IndexError, UnicodeDecodeError):
        pass
    usual = _usual_layout(raw)
    try:
        return read_documents(usual, MAX_LEVELS)
    except (Malformed, IndexError, UnicodeDecodeError) as error:
        raise BadStandard(f"is no list of documents: {error}") from None


def write(batch: DocumentBatch) -> bytes:
    """Return the DocListProto of a batch; a None of a column is written as null.

    Raises:
        BadStandard: A field holds what the format has no place for.
    """
    try:
        return b"".join(documents(batch))
    except BadNode as error:
        raise BadStandard(str(error)) from None


def _usual_layout(raw: bytes) -> bytes:
    """Let protobuf read the bytes and write them again."""
    from docarray.proto import DocListProto
    from google.protobuf.message import DecodeError

    message = DocListProto()
    try:
        message.ParseFromString(raw)
    except (DecodeError, RecursionError) as error:
        raise BadStandard(f"is no list of documents: {error}") from None
    message.DiscardUnknownFields()
    usual: bytes = message.SerializeToString(deterministic=True)
    return usual
