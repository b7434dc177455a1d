"""`grpc.reflection`: which services there are, and what their messages look like.

A Jina Gateway asks an Executor for the list before anything else. v1 and v1alpha differ in
their name alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jina_cli.documents.varint import Malformed, read_varint, sized, varint
from jina_cli.serve import grpc_framing as framing
from jina_cli.serve.grpc_calls import Call, Reply
from jina_cli.serve.grpc_framing import Abort, TooLong
from jina_cli.wire.fields import fields
from jina_cli.wire.messages import Buffer

# Fields of a ServerReflectionResponse.
_ORIGINAL, _FILES, _NUMBERS, _SERVICES, _ERROR = 0x12, 0x22, 0x2A, 0x32, 0x3A


class Reflection:
    """Answers questions about our messages; protobuf is imported with the first.

    Args:
        services: What is listed.
    """

    def __init__(self, services: Sequence[str]) -> None:
        names = (sized(0x0A, sized(0x0A, name.encode())) for name in sorted(services))
        self._listed = sized(_SERVICES, b"".join(names))

    async def answer(self, call: Call, data: Buffer | TooLong) -> Reply:
        """`ServerReflectionInfo`: one question of a stream."""
        if isinstance(data, TooLong):
            raise Abort(framing.RESOURCE_EXHAUSTED, "the question is too long")
        question = bytes(data)
        try:
            found = self._found(question)
        except (Malformed, IndexError, UnicodeDecodeError):
            raise Abort(framing.INVALID_ARGUMENT, "no ServerReflectionRequest") from None
        except KeyError as error:
            found = _failed(framing.NOT_FOUND, str(error.args[0] if error.args else "not found"))
        return Reply((sized(_ORIGINAL, question) + found,))

    def _found(self, question: bytes) -> bytes:
        for tag, begin, end in fields(question):
            if tag == _LIST:
                return self._listed
            answer = _ANSWERS.get(tag)
            if answer is not None:
                return answer(question[begin:end])
        return _failed(framing.INVALID_ARGUMENT, "the question asks nothing")


def _file_named(asked: bytes) -> bytes:
    return _described(_pool().FindFileByName(asked.decode()))


def _file_of_symbol(asked: bytes) -> bytes:
    name = asked.decode()
    try:
        return _described(_pool().FindFileContainingSymbol(name))
    except KeyError:
        # A method: the pool knows its service alone.
        service, _, method = name.rpartition(".")
        _pool().FindServiceByName(service).FindMethodByName(method)
        return _described(_pool().FindFileContainingSymbol(service))


def _file_of_extension(asked: bytes) -> bytes:
    name, number = "", 0
    for tag, begin, end in fields(asked):
        if tag == 0x0A:
            name = asked[begin:end].decode()
        elif tag == 0x10:
            number = read_varint(asked, begin)[0]
    pool = _pool()
    found = pool.FindExtensionByNumber(pool.FindMessageTypeByName(name), number)
    return _described(found.file)


def _extensions(asked: bytes) -> bytes:
    _pool().FindMessageTypeByName(asked.decode())  # of none of ours there are any
    return sized(_NUMBERS, sized(0x0A, asked))


def _described(file: Any) -> bytes:
    """Return a file, and all that it imports, each once."""
    found: dict[str, bytes] = {}
    left = [file]
    while left:
        file = left.pop()
        if file.name not in found:
            found[file.name] = file.serialized_pb
            left.extend(file.dependencies)
    return sized(_FILES, b"".join(sized(0x0A, data) for data in found.values()))


def _pool() -> Any:
    from jina_cli.wire.descriptors import pool

    return pool()


def _failed(number: int, text: str) -> bytes:
    return sized(_ERROR, b"\x08" + varint(number) + sized(0x12, text.encode()))


_LIST = 0x3A
_ANSWERS: Mapping[int, Callable[[bytes], bytes]] = {
    0x1A: _file_named,
    0x22: _file_of_symbol,
    0x2A: _file_of_extension,
    0x32: _extensions,
}
"""By the fields of a ServerReflectionRequest."""
