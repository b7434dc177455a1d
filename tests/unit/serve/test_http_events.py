"""What a streamed answer is over HTTP: one event a document, and one for its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from jina_cli.serve.http_events import events_of
from jina_cli.wire.messages import EMPTY, Body, Format, Response, Status, StatusCode

ONE = Response(body=Body(Format.JSON, b'[{"id":"1"}]'))
SAID = b'event: update\r\ndata: {"id":"1"}\r\n\r\n'
FAILED = Response(status=Status(code=StatusCode.EXECUTOR, description="no"))
HALF = Response(body=EMPTY, marks={"failed_shards": "1"})


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([ONE], [SAID, b"event: end\r\n\r\n"]),
        ([ONE, ONE], [SAID, SAID, b"event: end\r\n\r\n"]),
        ([ONE, HALF], [SAID, b'event: end\r\ndata: {"marks":{"failed_shards":"1"}}\r\n\r\n']),
        (
            [ONE, FAILED],
            [SAID, b'event: error\r\ndata: {"detail":"no","code":"EXECUTOR"}\r\n\r\n'],
        ),
    ],
)
def test_documents_are_events_and_the_end_says_what_is_lacking(
    parts: list[Response], expected: list[bytes]
) -> None:
    async def others() -> AsyncGenerator[Response, None]:
        for part in parts[1:]:
            yield part

    async def told() -> list[bytes]:
        return [event async for event in events_of(parts[0], others())]

    assert asyncio.run(told()) == expected
