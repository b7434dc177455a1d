"""What the messages of a WebSocket are: Jina's subprotocols `bytes` and `json`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from jina_cli.wire import jina3
from jina_cli.wire import json as wire_json
from jina_cli.wire.messages import Request, Response, Status, new_request_id

_NO_REQUEST = Request(endpoint="")


_ENDS = (b"\x00", b"\x01")
"""Either says that there is no more: Jina 3.34's client sends the first, others the second."""


class Dialect(Protocol):
    """How requests and answers are written.

    Attributes:
        is_text: Whether messages are text, not binary.
    """

    is_text: bool

    def read(
        self, data: bytes, *, metadata: Mapping[str, str], deadline_s: float
    ) -> Request | None:
        """Return the request of a message; None where it says that no other follows.

        Raises:
            BadMessage: It is none.
        """
        ...

    def write(self, request: Request, response: Response) -> bytes:
        """Return the message that answers; failures are in the status of its header.

        Raises:
            ValueError: The documents are in another format than this one's.
        """
        ...


class Bytes:
    """Each message is a serialised DataRequestProto; the end is one byte, see `_ENDS`."""

    is_text = False

    def read(
        self, data: bytes, *, metadata: Mapping[str, str], deadline_s: float
    ) -> Request | None:
        if data in _ENDS:
            return None
        deadline = time.monotonic() + deadline_s
        return jina3.read_data_request(data, deadline=deadline, metadata=metadata)

    def write(self, request: Request, response: Response) -> bytes:
        return jina3.write_data_response(request, response)


class Json:
    """Each message is a body as of HTTP that names its `exec_endpoint`; the end is `{}`."""

    is_text = True

    def read(
        self, data: bytes, *, metadata: Mapping[str, str], deadline_s: float
    ) -> Request | None:
        return wire_json.read_message(
            data, request_id=new_request_id(), metadata=metadata, deadline_s=deadline_s
        )

    def write(self, request: Request, response: Response) -> bytes:
        return wire_json.write_message(request, response)


DIALECTS: Mapping[str, Dialect] = {"bytes": Bytes(), "json": Json()}
"""By the name of the subprotocol."""

DEFAULT = "json"
"""What a client speaks that names none."""


def subprotocol_of(offered: str) -> str | None:
    """Return which subprotocol is spoken of those in the header; None where none is known.

    Args:
        offered: As the client sent it; empty takes Jina's default.
    """
    names = [name.strip() for name in offered.split(",") if name.strip()]
    if not names:
        return DEFAULT
    return next((name for name in names if name in DIALECTS), None)


def refusal(dialect: Dialect, status: Status, request: Request = _NO_REQUEST) -> bytes:
    """Return the message that tells of a failure alone, without documents."""
    response = Response(request_id=request.request_id, status=status)
    return dialect.write(replace(request, bodies=()), response)


def reason(text: str) -> str:
    """Return as much of `text` as fits into the frame that closes a WebSocket."""
    return text.encode()[:123].decode("utf-8", "ignore")
