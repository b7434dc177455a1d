"""A process of a Pod: loads its Executor, answers on its socket, and ends when it is told to."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from jina_cli.errors import MissingExtra
from jina_cli.executors.timings import Timing, added_up
from jina_cli.lifeline import (
    DrainSaid,
    FailedSaid,
    Launch,
    PhaseSaid,
    ReadySaid,
    failure_of,
    log_to_parent,
    say,
    watch_death,
)
from jina_cli.observe.metrics import PortTaken
from jina_cli.observe.observer import Observer
from jina_cli.plan.codec import from_json
from jina_cli.plan.models import PeaPlan
from jina_cli.runtime.forked import let_go_after_fork
from jina_cli.runtime.fused import Fused, plans_of
from jina_cli.runtime.head import Head, ShardsFailed
from jina_cli.runtime.load import ImportFailed, InitFailed, Loaded, load_executors
from jina_cli.vocabulary import PeaRole
from jina_cli.wire.channel import Server
from jina_cli.wire.messages import Answer, Answering, Hello, Request, Respond, Response, Stream

_new_loop: Callable[[], asyncio.AbstractEventLoop]
try:  # here, and not when it is used: the spawner imports this module for all
    from uvloop import new_event_loop as _new_loop
except ImportError:
    _new_loop = asyncio.new_event_loop

log = logging.getLogger(__name__)

ORPHAN_GRACE_S = 2.0
"""How long a Pea whose parent is gone may finish what it has."""

_COLLECT_AFTER = 20_000
"""Objects made before garbage is looked for. Requests hardly leave any behind."""

_DRAIN_SHARE = 0.8
"""Of the time between SIGTERM and SIGKILL, for requests; the rest is for `close()`."""


class Tenant(Protocol):
    """What a Pea runs: a worker's Executors, or a head."""

    @property
    def answer(self) -> Answer:
        """Answers a request; what goes wrong is in the status."""

    @property
    def respond(self) -> Respond:
        """Answers a request, at once where that takes no time worth a task."""

    @property
    def stream(self) -> Stream:
        """Answers a request in parts, each computed when it is asked for."""

    def hello(self) -> Hello: ...

    def flush(self) -> None:
        """Hold back no request any more."""

    async def close(self) -> None: ...


def run(launch: Launch) -> int:
    """Be a Pea until told to stop, and return the exit code.

    0 after a drain in which all was finished, 1 where it failed to start (it said why on the
    control pipe) or had to leave something unfinished.
    """
    plan = from_json(PeaPlan, json.loads(Path(launch.plan_path).read_text("utf-8")))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(line_buffering=True, errors="backslashreplace")
    log_to_parent(plan.log_level)
    let_go_after_fork(plan.address, launch.death_fd)
    ending = Ending()
    watch_death(launch.death_fd, ending.orphaned, ORPHAN_GRACE_S)
    with asyncio.Runner(loop_factory=_new_loop) as runner:
        code = runner.run(_live(plan, launch, ending))
    if code:
        # A thread that hangs in user code must not keep the process.
        _leave(code)
    return code


class Ending:
    """The wish that this process ends; may come from a signal, or from another thread.

    Attributes:
        is_orphan: Whether it is because the parent is gone.
        is_wish: Whether it is our own, because of an exception that is to end the process.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._event = asyncio.Event()
        self._grace_s = ORPHAN_GRACE_S
        self.is_orphan = False
        self.is_wish = False

    def listen(self, grace_s: float) -> None:
        """From now on SIGTERM asks for a drain; before, it ends the process at once."""
        self._loop = asyncio.get_running_loop()
        self._grace_s = grace_s
        # Not by way of the loop: user code may hold it up, and the timer must run anyhow.
        signal.signal(signal.SIGTERM, lambda _number, _frame: self._ask())

    def orphaned(self) -> None:
        """The parent is gone. Called from another thread."""
        self.is_orphan = True
        if self._loop is None:
            os.killpg(0, signal.SIGKILL)
        self._wake()

    def leave(self) -> None:
        """Finish what is there, and end as a failure, so that the parent starts it again."""
        if not self.is_wish:
            self.is_wish = True
            self._ask()

    async def wait(self) -> None:
        await self._event.wait()

    def _ask(self) -> None:
        timer = threading.Timer(self._grace_s, _leave, (1,))
        timer.daemon = True
        timer.start()
        self._wake()

    def _wake(self) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed: it has ended already
                self._loop.call_soon_threadsafe(self._event.set)


async def _live(plan: PeaPlan, launch: Launch, ending: Ending) -> int:
    def tell(said: PhaseSaid | ReadySaid | FailedSaid | DrainSaid) -> None:
        say(launch.control_fd, said)

    try:
        observer = Observer(plan.name, plan.telemetry)
        observer.serve()
        tenant = await _move_in(plan, tell, ending.leave, observer)
    except (ImportFailed, InitFailed, ShardsFailed, MissingExtra, PortTaken) as error:
        tell(_failure_to_start(plan, error))
        return 1
    server = _server(plan, tenant, observer)
    # Executors and what they loaded stay: the collector need not look at them time and again.
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER)
    ending.listen(plan.stop_within_s)
    await server.start(socket.socket(fileno=launch.listen_fds["native"]))
    tell(ReadySaid(endpoints=tuple(tenant.hello().endpoints), addresses={"native": plan.address}))
    await ending.wait()
    tell(DrainSaid(pending=server.pending))
    within_s = ORPHAN_GRACE_S if ending.is_orphan else plan.stop_within_s
    code = await _move_out(server, tenant, within_s)
    observer.close()
    return code or int(ending.is_wish)


def _failure_to_start(plan: PeaPlan, error: Exception) -> FailedSaid:
    kind = "import" if isinstance(error, ImportFailed) else "init"
    cause = error.__cause__ or error
    log.debug("cannot start", exc_info=cause)
    said = failure_of(cause, kind)
    # Of several Executors, which one it was.
    return replace(said, cause=f"{error}: {said.cause}") if plan.fused else said


def _server(plan: PeaPlan, tenant: Head | WorkerTenant | Fused, observer: Observer) -> Server:
    """Return what answers for a tenant, watched where somebody wants to know."""
    plain = own = Answering(answer=tenant.answer, stream=tenant.stream)
    if not isinstance(tenant, Fused):
        own = observer.executor(plain, tenant.hello())
    if not isinstance(tenant, Head):
        observer.timings(tenant.timings)
    server = Server(
        tenant.respond if own is plain else own.answer,
        tenant.hello,
        max_queue=plan.max_queue,
        max_message_bytes=plan.max_message_bytes,
        stream=own.stream,
    )
    if isinstance(tenant, Head):
        tenant.listen(server.announce)
    return server


async def _move_in(
    plan: PeaPlan, tell: Callable[[PhaseSaid], None], leave: Callable[[], None], watched: Observer
) -> Head | WorkerTenant | Fused:
    if plan.role is PeaRole.HEAD:
        return await Head.connect(plan, tell)
    if plan.fused:
        tenants = {each.pod: _worker(each, tell, leave) for each in plans_of(plan)}
        return Fused(plan.name, tenants, watched.executor)
    return _worker(plan, tell, leave)


def _worker(
    plan: PeaPlan, tell: Callable[[PhaseSaid], None], leave: Callable[[], None]
) -> WorkerTenant:
    assert plan.executor is not None, f"{plan.name} is no Gateway, and has an Executor"
    loaded = load_executors(plan.executor, plan, tell)
    return WorkerTenant(plan.name, loaded, fatal=frozenset(plan.exit_on_exceptions), leave=leave)


async def _move_out(server: Server, tenant: Tenant, within_s: float) -> int:
    """Finish what is there, and return the exit code."""
    tenant.flush()
    left = await server.drain(within_s * _DRAIN_SHARE)
    await server.close()
    if left:
        log.error("%d requests were not finished within %g s", left, within_s * _DRAIN_SHARE)
        return 1
    try:
        async with asyncio.timeout(within_s * (1 - _DRAIN_SHARE)):
            await tenant.close()
    except TimeoutError:
        log.error("close() did not end within %.1f s", within_s * (1 - _DRAIN_SHARE))
        return 1
    except Exception as error:
        log.error("close() failed: %s", failure_of(error, "close").cause)
        log.debug("close() failed", exc_info=error)
        return 1
    return 0


class WorkerTenant:
    """The Executors of a Pea.

    Args:
        pea: Its name.
        loaded: What it runs.
        fatal: Names of exceptions after which the process shall end.
        leave: Has it end, once what is there is finished.
    """

    def __init__(
        self,
        pea: str,
        loaded: Loaded,
        *,
        fatal: frozenset[str] = frozenset(),
        leave: Callable[[], None] = lambda: None,
    ) -> None:
        self._loaded = loaded
        self._hello = Hello(pea=pea, executor=loaded.name, endpoints=loaded.endpoints)
        self._fatal = fatal
        self._leave = leave
        # Without anything to look at, requests go straight to the host.
        self.answer: Answer = self._watched if fatal else loaded.host.answer
        self.respond: Respond = self._watched if fatal else loaded.host.respond
        self.stream: Stream = self._watched_stream if fatal else loaded.host.stream

    def timings(self) -> dict[str, Timing]:
        """Return what the Executors timed themselves, by name."""
        return added_up(executor.timings.all() for executor in self._loaded.executors)

    async def _watched(self, request: Request) -> Response:
        response = await self._loaded.host.answer(request)
        self._look_at(response)
        return response

    async def _watched_stream(self, request: Request) -> AsyncGenerator[Response, None]:
        async with aclosing(self._loaded.host.stream(request)) as parts:
            async for part in parts:
                self._look_at(part)
                yield part

    def _look_at(self, response: Response) -> None:
        if response.status.exception in self._fatal:
            log.error("%s is to end this process", response.status.exception)
            self._leave()

    def hello(self) -> Hello:
        return self._hello

    def flush(self) -> None:
        self._loaded.host.flush()

    async def close(self) -> None:
        await self._loaded.host.aside(self._loaded.close)


def _leave(code: int) -> None:
    """End this process now, whatever its threads do."""
    with suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)
