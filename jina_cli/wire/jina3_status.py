"""How a request ended, as Jina 3 tells it: its StatusProto."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jina_cli.documents.varint import Malformed, read_varint, sized, varint
from jina_cli.wire.fields import fields
from jina_cli.wire.messages import OK, BadMessage, Status, StatusCode

_CODES = {code.value: code for code in StatusCode}

_MARKS_TAG = _OUR_CODE_TAG = 1000 << 3 | 2
MARKS = b"\xc2\x3e"
"""Field 1000 of a HeaderProto: names and values that only our own peers know."""

_OUR_CODE = b"\xc2\x3e"
"""Field 1000 of a StatusProto: the name of our status code, where Jina knows but an error."""


def write_status(status: Status) -> bytes:
    """Return a status as a serialised StatusProto, which is empty where all is well.

    Jina knows success and failure alone: our code stands as the exception's name where no
    exception was raised.
    """
    if status.ok:
        return b""
    exception = text_field(0x0A, status.exception or status.code.value)
    exception += b"".join(text_field(0x12, argument) for argument in status.arguments)
    exception += b"".join(text_field(0x1A, line) for line in status.stacks)
    exception += text_field(0x22, status.executor or status.pod)
    code = status.code.value.encode()
    told = text_field(0x12, status.description) + sized(0x1A, exception)
    return b"\x08\x01" + told + _OUR_CODE + bytes([len(code)]) + code


def read_status(data: bytes) -> Status:
    """Return the status that a serialised StatusProto tells.

    Raises:
        BadMessage: It is none.
    """
    try:
        return _read(data)
    except (Malformed, IndexError, UnicodeDecodeError) as error:
        raise BadMessage(f"is no StatusProto: {error}") from None


def _read(data: bytes) -> Status:
    code, description, exception, ours = 0, "", b"", ""
    for tag, begin, end in fields(data):
        if tag == 0x08:
            code = read_varint(data, begin)[0]
        elif tag == _OUR_CODE_TAG:
            ours = data[begin:end].decode()
        elif tag == 0x12:
            description = data[begin:end].decode()
        elif tag == 0x1A:
            exception += data[begin:end]
    texts: dict[int, list[str]] = {0x0A: [""], 0x12: [], 0x1A: [], 0x22: [""]}
    for tag, begin, end in fields(exception):
        if tag in texts:
            texts[tag].append(exception[begin:end].decode())
    return OK if code == 0 else _failure(ours, description, texts)


def _failure(ours: str, description: str, texts: Mapping[int, Sequence[str]]) -> Status:
    name = texts[0x0A][-1]
    return Status(
        code=_CODES.get(ours or name, StatusCode.EXECUTOR),
        description=description,
        exception="" if name in _CODES else name,
        arguments=tuple(texts[0x12]),
        stacks=tuple(texts[0x1A]),
        executor=texts[0x22][-1],
    )


def write_marks(marks: Mapping[str, str]) -> bytes:
    """Return the field of a HeaderProto that says how complete an answer is."""
    return b"".join(
        MARKS + varint(len(entry)) + entry
        for entry in (text_field(0x0A, name) + text_field(0x12, v) for name, v in marks.items())
    )


def read_marks(header: bytes) -> dict[str, str]:
    """Return what a HeaderProto says of how complete the answer is.

    Raises:
        Malformed, IndexError, UnicodeDecodeError: It is none.
    """
    marks: dict[str, str] = {}
    for tag, begin, end in fields(header):
        if tag == _MARKS_TAG:
            texts = {0x0A: "", 0x12: ""}
            entry = header[begin:end]
            for part, first, last in fields(entry):
                texts[part] = entry[first:last].decode()
            marks[texts[0x0A]] = texts[0x12]
    return marks


def text_field(tag: int, text: str) -> bytes:
    """Return a field of text; nothing where it is empty."""
    return sized(tag, text.encode("utf-8", "replace")) if text else b""
