"""Whether somebody is there and ready, asked in the protocol of the address."""

from __future__ import annotations

import asyncio
import enum
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from jina_cli.client.address import Scheme, Target
from jina_cli.client.errors import AnswerLate, BadServer, ConnectionFailed, WrongAddress
from jina_cli.client.transport import Settings
from jina_cli.errors import JinaError, RequestFailed, Unreachable
from jina_cli.vocabulary import DRY_RUN_ENDPOINT
from jina_cli.wire.messages import BadMessage, Format, Request, Status, StatusCode, new_request_id

SETTINGS = Settings(max_message_bytes=2**20)
_FOREVER_S = 1e6


class Role(enum.Enum):
    """What is asked: a Flow answers for all of its Executors, others for themselves."""

    FLOW = "flow"
    EXECUTOR = "executor"
    GATEWAY = "gateway"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One question and what became of it.

    Attributes:
        seconds: To the answer or the failure, connecting included.
        error: None where it is ready. A `WrongAddress` will not be helped by waiting, another
            `Unreachable` may be; a `TimedOut` or `RequestFailed` means that it is there.
    """

    seconds: float
    error: JinaError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What several attempts gave, in their order."""

    target: Target
    role: Role
    attempts: Sequence[Attempt]

    @property
    def seconds(self) -> Sequence[float]:
        """Of the attempts that succeeded."""
        return [attempt.seconds for attempt in self.attempts if attempt.error is None]

    @property
    def error(self) -> JinaError | None:
        """Of the last attempt that failed."""
        errors = [attempt.error for attempt in self.attempts if attempt.error is not None]
        return errors[-1] if errors else None

    @property
    def is_wrong(self) -> bool:
        """Whether somebody else answers there, so that waiting does not help."""
        return isinstance(self.error, WrongAddress)


async def probe_all(
    target: Target,
    role: Role,
    *,
    attempts: int,
    timeout_s: float | None,
    settings: Settings = SETTINGS,
) -> Probed:
    """Ask several times, one after another; each has a connection of its own."""
    found = [await _attempt(target, role, timeout_s, settings) for _ in range(attempts)]
    return Probed(target=target, role=role, attempts=found)


async def _attempt(
    target: Target, role: Role, timeout_s: float | None, settings: Settings
) -> Attempt:
    started = time.perf_counter()
    try:
        await ask_once(target, role, timeout_s, settings)
    except JinaError as error:
        return Attempt(seconds=time.perf_counter() - started, error=error)
    return Attempt(seconds=time.perf_counter() - started)


async def ask_once(
    target: Target, role: Role, timeout_s: float | None, settings: Settings = SETTINGS
) -> None:
    """Ask once whether it is ready.

    Args:
        timeout_s: None waits without end.

    Raises:
        WrongAddress: Somebody else answers there.
        Unreachable: Nobody answers.
        TimedOut: There is a connection, but no answer in time.
        RequestFailed: The answer is that it is not ready.
    """
    try:
        async with asyncio.timeout(timeout_s):
            await _ask(target, role, timeout_s, settings)
    except TimeoutError as error:
        if isinstance(error, JinaError):
            raise
        raise AnswerLate(f"no answer from {target} within {timeout_s:g} s") from error


async def _ask(target: Target, role: Role, timeout_s: float | None, settings: Settings) -> None:
    match target.scheme:
        case Scheme.NATIVE:
            await _ask_native(target, role, timeout_s, settings)
        case Scheme.GRPC:
            await _ask_grpc(target, role, timeout_s, settings)
        case Scheme.HTTP:
            await _ask_http(target, role, settings)
        case Scheme.WEBSOCKET:
            await _ask_websocket(target, role, settings)


async def _ask_native(
    target: Target, role: Role, timeout_s: float | None, settings: Settings
) -> None:
    from jina_cli.client.native import NativeTransport

    transport = NativeTransport(target, settings)
    try:
        await transport.open(timeout_s if timeout_s is not None else _FOREVER_S)
        if role is Role.FLOW:
            response = await transport.request(_dry_run(timeout_s))
            if not response.status.ok:
                raise _not_ready(target, response.status)
    finally:
        await transport.close()


def _dry_run(timeout_s: float | None) -> Request:
    return Request(
        endpoint=DRY_RUN_ENDPOINT,
        request_id=new_request_id(),
        wanted=Format.NONE,
        deadline=None if timeout_s is None else time.monotonic() + timeout_s,
    )


async def _ask_grpc(
    target: Target, role: Role, timeout_s: float | None, settings: Settings
) -> None:
    import grpc
    import grpc.aio

    from jina_cli.client.grpc_transport import HEALTH, channel_to, unary

    method = "/jina.JinaGatewayDryRunRPC/dry_run" if role is Role.FLOW else HEALTH
    channel = channel_to(target, settings)
    try:
        answer = await unary(channel, method, b"", timeout_s)
    except grpc.aio.AioRpcError as error:
        raise await _of_grpc(target, error) from error
    finally:
        await channel.close()
    code = _first_number(answer)
    # A StatusProto's code is 0 for success, a HealthCheckResponse's status 1 for serving.
    if code != (0 if role is Role.FLOW else 1):
        raise _not_ready(target, _status(answer) if role is Role.FLOW else _UNAVAILABLE)


async def _of_grpc(target: Target, error: object) -> Exception:
    """Return what the end of an RPC with an error means."""
    import grpc
    import grpc.aio

    from jina_cli.client.grpc_transport import reason_of

    assert isinstance(error, grpc.aio.AioRpcError)
    code, reason = error.code(), reason_of(error)
    text = (error.details() or "").lower()
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return TimeoutError()
    if code is not grpc.StatusCode.UNAVAILABLE or error.trailing_metadata():
        return _not_ready(target, replace(_UNAVAILABLE, description=reason))
    if "ssl" in text or "certificate" in text:
        return WrongAddress(f"{target} has no connection to be trusted", hint=reason)
    if "http1" in text and await _speaks_http(target):
        other = f"http{'s' if target.secure else ''}://{target.authority}"
        return WrongAddress("that port speaks HTTP", hint=f"try {other}")
    return ConnectionFailed(f"nobody answers at {target}", hint=reason)


async def _speaks_http(target: Target) -> bool:
    """Ask once for any page, and return whether there was an answer in HTTP."""
    from jina_cli.client.http_transport import HttpTransport

    transport = HttpTransport(replace(target, scheme=Scheme.HTTP), SETTINGS)
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


def _status(message: bytes) -> Status:
    from jina_cli.wire.jina3_status import read_status

    try:
        return read_status(message)
    except BadMessage:
        return _UNAVAILABLE


async def _ask_websocket(target: Target, role: Role, settings: Settings) -> None:
    from jina_cli.client.ws_transport import connect, dry_run

    if role is Role.FLOW:
        status = await dry_run(target, settings)
        if not status.ok:
            raise _not_ready(target, status)
        return
    websocket = await connect(target, "/", settings)
    await websocket.close()


async def _ask_http(target: Target, role: Role, settings: Settings) -> None:
    from jina_cli.client.http_transport import HttpTransport

    transport = HttpTransport(target, settings)
    paths = ("/dry_run", "/readyz") if role is Role.FLOW else ("/readyz", "/")
    try:
        for path in paths:
            answer = await transport.get(path)
            if answer.status not in (404, 405):
                break
    finally:
        await transport.close()
    described = replace(_UNAVAILABLE, description=_reason(answer.body))
    if answer.status != 200:
        raise _not_ready(target, described)
    if path == "/dry_run" and _code(answer.body) != 0:
        raise _not_ready(target, described)


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


_UNAVAILABLE = Status(code=StatusCode.UNAVAILABLE)


def _not_ready(target: Target, status: Status) -> BadServer:
    reason = f": {status.description}" if status.description else ""
    return BadServer(f"{target} is not ready{reason}", status=status)
