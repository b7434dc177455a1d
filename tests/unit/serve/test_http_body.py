"""Reading the body of an HTTP request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, MutableMapping
from typing import Any

import pytest

from jina_cli.serve.http_body import BodyRefused, ClientGone, read_body


def pieces(*parts: bytes, gone: bool = False) -> Callable[[], Coroutine[Any, Any, Any]]:
    """Return an ASGI `receive` that gives these parts, then hangs or says good-bye."""
    messages: list[MutableMapping[str, Any]] = [
        {"type": "http.request", "body": part, "more_body": gone or place < len(parts) - 1}
        for place, part in enumerate(parts)
    ]
    if gone:
        messages.append({"type": "http.disconnect"})

    async def receive() -> MutableMapping[str, Any]:
        if not messages:
            await asyncio.Event().wait()
        return messages.pop(0)

    return receive


def read(receive: Any, headers: dict[bytes, bytes] | None = None, **more: Any) -> bytes:
    return bytes(asyncio.run(read_body(headers or {}, receive, **{"limit": 10, **more})))


@pytest.mark.parametrize("parts", [(b"",), (b"abc",), (b"ab", b"", b"c"), (b"0123456789",)])
def test_a_body_is_its_parts(parts: tuple[bytes, ...]) -> None:
    assert read(pieces(*parts)) == b"".join(parts)


REFUSALS: dict[str, tuple[dict[bytes, bytes], tuple[bytes, ...], int, str]] = {
    "announced too long": (
        {b"content-length": b"11"},
        (b"",),
        413,
        "the message is over the limit of 10 bytes: send fewer documents at a time, "
        "or raise 'max_message_bytes' of the gateway",
    ),
    "longer than announced": (
        {},
        (b"01234", b"567890"),
        413,
        "the message is over the limit of 10 bytes: send fewer documents at a time, "
        "or raise 'max_message_bytes' of the gateway",
    ),
    "of two lengths": (
        {b"content-length": b"1", b"transfer-encoding": b"chunked"},
        (b"x",),
        400,
        "the body has both a length and chunks",
    ),
    "compressed": (
        {b"content-encoding": b"gzip"},
        (b"x",),
        415,
        "the body is encoded as gzip; send it as it is",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_body_is_refused_that_is(name: str) -> None:
    headers, parts, status, detail = REFUSALS[name]

    with pytest.raises(BodyRefused) as caught:
        read(pieces(*parts), headers)

    assert (caught.value.status, caught.value.detail) == (status, detail)


def test_a_client_that_stops_sending_is_not_waited_for() -> None:
    async def receive() -> Any:
        await asyncio.Event().wait()

    with pytest.raises(BodyRefused) as caught:
        read(receive, idle_s=0.01)

    assert caught.value.status == 408


def test_a_client_that_goes_away_is_told_apart() -> None:
    with pytest.raises(ClientGone):
        read(pieces(b"ab", gone=True))
