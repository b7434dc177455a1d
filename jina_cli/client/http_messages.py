"""Requests and answers as Jina's HTTP gateway has them, from the client's side."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from jina_cli.client.transport import left_of
from jina_cli.wire.messages import (
    EMPTY,
    STATUSES,
    Body,
    Format,
    Request,
    Response,
    RouteStep,
    Status,
    StatusCode,
)

_BY_HTTP = {http: code for code, (_, http) in STATUSES.items()}
_BY_HTTP |= {400: StatusCode.INVALID, 405: StatusCode.NOT_FOUND, 500: StatusCode.EXECUTOR}


def write_request(request: Request) -> bytes:
    """Return the body of a POST."""
    header: dict[str, Any] = {"request_id": request.request_id}
    if request.target:
        header["target_executor"] = request.target
    if (left_s := left_of(request.deadline)) is not None:
        header["timeout"] = round(left_s, 3)
    data = {
        "header": header,
        "parameters": dict(request.parameters),
        "data": orjson.Fragment(bytes(request.bodies[0].data) or b"[]"),
    }
    return orjson.dumps(data, option=orjson.OPT_SERIALIZE_NUMPY)


def write_document(request: Request) -> bytes:
    """Return the only document of a request, as the body of a GET; empty for none.

    Raises:
        ValueError: There are more.
    """
    rows = orjson.loads(request.bodies[0].data or b"[]")
    if len(rows) > 1:
        raise ValueError("a streaming endpoint takes one document at a time")
    return orjson.dumps(rows[0]) if rows else b""


def read_answer(request: Request, http: int, content: bytes) -> Response:
    """Return what an answer says; one that is an error has the status in it."""
    data = _object(content)
    if http != 200:
        return Response(request_id=request.request_id, status=_status_of(http, data))
    docs = data.get("data")
    body = Body(Format.JSON, orjson.dumps(docs)) if docs else EMPTY
    parameters = data.get("parameters") or {}
    return Response(
        request_id=request.request_id,
        body=body,
        parameters=parameters,
        routes=tuple(map(_route, data.get("routes") or ())),
        marks=_marks(data.get("header")),
    )


def _marks(header: Any) -> dict[str, str]:
    marks = header.get("marks") if isinstance(header, dict) else None
    return {name: str(value) for name, value in marks.items()} if isinstance(marks, dict) else {}


def _route(step: Mapping[str, Any]) -> RouteStep:
    start, end = (
        datetime.fromisoformat(step[name]).timestamp() for name in ("start_time", "end_time")
    )
    return RouteStep(pod=step["executor"], start=start, end=end)


def read_event(request: Request, name: str, data: bytes) -> Response:
    """Return the part of an answer that an event is: one document, or an error."""
    if name == "error":
        status = _status_of(500, _object(data))
        return Response(request_id=request.request_id, status=status)
    body = Body(Format.JSON, b"[%b]" % data)
    return Response(request_id=request.request_id, body=body, parameters=request.parameters)


def detail(text: str) -> bytes:
    """Return the body of an answer that is an error."""
    return orjson.dumps({"detail": text})


def is_page_missing(content: bytes) -> bool:
    """Whether a web framework says that it has no such page; ours names the endpoint."""
    return _object(content) in ({"detail": "Not Found"}, {"detail": "Method Not Allowed"})


def posted_paths(openapi: bytes) -> frozenset[str]:
    """Return the paths that may be posted to, of an OpenAPI description."""
    paths = _object(openapi).get("paths")
    if not isinstance(paths, dict):
        return frozenset()
    return frozenset(path for path, methods in paths.items() if "post" in methods)


def _object(content: bytes) -> dict[str, Any]:
    try:
        data = orjson.loads(content) if content else {}
    except orjson.JSONDecodeError:
        data = {"detail": content[:200].decode("utf-8", "replace")}
    return data if isinstance(data, dict) else {"detail": str(data)[:200]}


def _described(detail: Any, is_ours: bool) -> str:
    """Return a detail as one text; one that is a list says of each problem where it is."""
    if isinstance(detail, list) and all(isinstance(one, dict) and "msg" in one for one in detail):
        # Ours name the place in their words.
        places = [".".join(map(str, one.get("loc") or ())) for one in detail]
        texts = [str(one["msg"]) for one in detail]
        told = zip(places, texts, strict=True)
        return "; ".join(texts if is_ours else [f"{place}: {text}" for place, text in told])
    return detail if isinstance(detail, str) else orjson.dumps(detail).decode()


def _raised(text: object) -> str:
    """Return the name of the exception that a text is the `repr` of; all that Jina says."""
    found = (
        re.fullmatch(r"([A-Za-z_]\w*)\(.*\)", text, re.DOTALL) if isinstance(text, str) else None
    )
    return found[1] if found else ""


def _status_of(http: int, data: Mapping[str, Any]) -> Status:
    code = _BY_HTTP.get(http, StatusCode.INVALID if http < 500 else StatusCode.UNAVAILABLE)
    header = data.get("header")
    status = header.get("status") if isinstance(header, dict) else None
    told: Mapping[str, Any] = status if isinstance(status, dict) else data
    code = StatusCode.__members__.get(str(told.get("code")), code)
    text = data.get("detail") or told.get("description") or f"HTTP status {http}"
    exception = told.get("exception")
    raised: Mapping[str, Any] = exception if isinstance(exception, dict) else {}
    return Status(
        code=code,
        description=_described(text, is_ours="code" in data),
        exception=str(raised.get("name") or _raised(text)),
        arguments=tuple(map(str, raised.get("args") or ())),
        stacks=tuple(map(str, raised.get("stacks") or ())),
        executor=str(data.get("executor") or raised.get("executor") or ""),
        pod=str(data.get("pod") or ""),
    )
