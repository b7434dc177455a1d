"""Whether somebody is there and ready, asked in the protocol of the address."""

from __future__ import annotations

import asyncio
import enum
import json
import time
from dataclasses import replace

from jina_cli.client.address import Scheme, Target
from jina_cli.errors import JinaError, RequestFailed, TimedOut, Unreachable
from jina_cli.vocabulary import DRY_RUN_ENDPOINT
from jina_cli.wire.messages import Format, Request, StatusCode, new_request_id

_MAX_BYTES = 2**20


class Role(enum.Enum):
    """What is asked: a Flow answers for all of its Executors, others for themselves."""

    FLOW = "flow"
    EXECUTOR = "executor"
    GATEWAY = "gateway"


async def probe(target: Target, role: Role, timeout_s: float | None) -> float:
    """Ask once, and return how many seconds the answer took, connecting included.

    Args:
        timeout_s: None waits without end.

    Raises:
        Unreachable: Nobody answers.
        TimedOut: There is a connection, but no answer in time.
        RequestFailed: The answer is that it is not ready.
    """
    started = time.perf_counter()
    try:
        async with asyncio.timeout(timeout_s):
            await _ask(target, role, timeout_s)
    except TimeoutError as error:
        raise TimedOut(f"no answer from {target} within {timeout_s:g} s") from error
    return time.perf_counter() - started


async def _ask(target: Target, role: Role, timeout_s: float | None) -> None:
    match target.scheme:
        case Scheme.NATIVE:
            await _ask_native(target, role, timeout_s)
        case Scheme.GRPC:
            await _ask_grpc(target, role, timeout_s)
        case Scheme.HTTP:
            await _ask_http(target, role)


async def _ask_native(target: Target, role: Role, timeout_s: float | None) -> None:
    from jina_cli.client.native import NativeTransport

    transport = NativeTransport(target, max_message_bytes=_MAX_BYTES)
    try:
        await transport.open(timeout_s if timeout_s is not None else 1e9)
        if role is Role.FLOW:
            response = await transport.request(_dry_run(timeout_s))
            if not response.status.ok:
                raise _not_ready(target, response.status.description, response.status.code)
    finally:
        await transport.close()


def _dry_run(timeout_s: float | None) -> Request:
    return Request(
        endpoint=DRY_RUN_ENDPOINT,
        request_id=new_request_id(),
        wanted=Format.NONE,
        deadline=None if timeout_s is None else time.monotonic() + timeout_s,
    )


async def _ask_grpc(target: Target, role: Role, timeout_s: float | None) -> None:
    import grpc
    import grpc.aio

    from jina_cli.client.grpc_transport import channel_to, unary

    method = "/jina.JinaGatewayDryRunRPC/dry_run"
    if role is not Role.FLOW:
        method = "/grpc.health.v1.Health/Check"
    channel = channel_to(target, _MAX_BYTES)
    try:
        answer = await unary(channel, method, b"", timeout_s)
    except grpc.aio.AioRpcError as error:
        text = (error.details() or "").partition("\n")[0]
        if error.code() is grpc.StatusCode.UNAVAILABLE:
            if "http1" in text.lower() and await _speaks_http(target):
                other = f"http{'s' if target.secure else ''}://{target.authority}"
                raise Unreachable("that port speaks HTTP", hint=f"try {other}") from error
            raise Unreachable(f"nobody answers at {target}", hint=text) from error
        if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
            raise TimeoutError from error
        raise _not_ready(target, text or error.code().name, StatusCode.UNAVAILABLE) from error
    finally:
        await channel.close()
    code = _first_number(answer)
    # A StatusProto's code is 0 for success, a HealthCheckResponse's status 1 for serving.
    if code != (0 if role is Role.FLOW else 1):
        raise _not_ready(target, "", StatusCode.UNAVAILABLE)


async def _speaks_http(target: Target) -> bool:
    """Ask once for any page, and return whether there was an answer in HTTP."""
    from jina_cli.client.http_transport import HttpTransport

    transport = HttpTransport(replace(target, scheme=Scheme.HTTP), max_message_bytes=_MAX_BYTES)
    try:
        await transport.get("/")
    except (Unreachable, ConnectionError):
        return False
    except RequestFailed:  # too long an answer is one too
        return True
    finally:
        await transport.close()
    return True


def _first_number(message: bytes) -> int:
    """Return field 1 of a message that is a small number; 0 where it is left out."""
    return message[1] if len(message) > 1 and message[0] == 0x08 else 0


async def _ask_http(target: Target, role: Role) -> None:
    from jina_cli.client.http_transport import HttpTransport

    transport = HttpTransport(target, max_message_bytes=_MAX_BYTES)
    paths = ("/dry_run", "/readyz") if role is Role.FLOW else ("/readyz", "/")
    try:
        for path in paths:
            answer = await transport.get(path)
            if answer.status not in (404, 405):
                break
    finally:
        await transport.close()
    if answer.status != 200:
        raise _not_ready(target, _reason(answer.body), StatusCode.UNAVAILABLE)
    if path == "/dry_run" and _code(answer.body) != 0:
        raise _not_ready(target, _reason(answer.body), StatusCode.UNAVAILABLE)


def _code(body: bytes) -> int:
    try:
        return int(json.loads(body)["code"])
    except (ValueError, KeyError, TypeError):
        return 0


def _reason(body: bytes) -> str:
    try:
        data = json.loads(body)
    except ValueError:
        return body[:200].decode("utf-8", "replace")
    found = data.get("description") or data.get("detail") if isinstance(data, dict) else None
    return str(found or "")


def _not_ready(target: Target, reason: str, code: StatusCode) -> JinaError:
    text = f"{target} is not ready" + (f": {reason}" if reason else "")
    return RequestFailed(text, status=code.name)
