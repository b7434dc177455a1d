"""The life of the Gateway's process: connect, listen, be ready, drain, end."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from jina_cli.errors import Exit, MissingExtra
from jina_cli.lifeline import (
    HASTE,
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
from jina_cli.plan.models import GatewayPlan, PeaPlan
from jina_cli.serve.board import Board
from jina_cli.serve.edges import CannotListen, Edges
from jina_cli.serve.pods import (
    CannotRoute,
    Pod,
    all_connected,
    endpoints_of,
    infos_of,
    pods_of,
    router_of,
)
from jina_cli.serve.router import apart
from jina_cli.serve.schemas import misfit
from jina_cli.serve.walk import Walker
from jina_cli.serve.watched import watched
from jina_cli.wire.messages import EndpointInfo

log = logging.getLogger(__name__)

_COLLECT_AFTER = 20_000
"""Objects made before garbage is looked for. Requests hardly leave any behind."""

_ORPHAN_GRACE_S = 1.5
_HURRY_GRACE_S = 2.0


def run(launch: Launch) -> int:
    """Serve until SIGTERM, or until the parent is gone; return the exit code.

    Returns:
        0 when every accepted request was answered, 1 when some were cut off at the end of
        the grace, 69 when an address is taken, 70 when something else went wrong. What went
        wrong was said on the control pipe.
    """
    try:
        plan = from_json(PeaPlan, json.loads(Path(launch.plan_path).read_text("utf-8")))
        if plan.gateway is None:
            raise ValueError(f"{plan.name} is no Gateway")
        log_to_parent(plan.log_level)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        say(launch.control_fd, PhaseSaid(phase="import"))
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(Gateway(launch, plan, plan.gateway).live())
    except CannotListen as error:
        say(launch.control_fd, FailedSaid(kind=error.kind, cause=str(error)))
        return Exit.UNAVAILABLE
    except PortTaken as error:
        say(launch.control_fd, FailedSaid(kind="port-taken", cause=str(error)))
        return Exit.UNAVAILABLE
    except (CannotRoute, MissingExtra) as error:
        say(launch.control_fd, FailedSaid(kind="init", cause=str(error)))
        return Exit.FAILED
    except Exception as error:
        log.exception("the Gateway failed")
        say(launch.control_fd, failure_of(error, "bug"))
        return Exit.BUG


def _loop_factory() -> Any:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


class Gateway:
    """One Gateway, from start to end.

    Args:
        launch: Descriptors of this process.
        plan: Of this process.
        gateway: The part of it that is about the Gateway.
    """

    def __init__(self, launch: Launch, plan: PeaPlan, gateway: GatewayPlan) -> None:
        self._launch = launch
        self._observer = Observer(plan.name, plan.telemetry)
        self._routes = gateway.routes
        self._pods = pods_of(plan, gateway, self._changed)
        self._board = Board(
            {
                route.pod: _is_up(self._pods[route.pod])
                for route in self._routes
                if not route.floating
            }
        )
        self._walker = Walker(
            self._routes,
            watched(self._pods, self._observer.sending()),
            deadline_s=gateway.deadline_s,
            max_queue=plan.max_queue,
        )
        flow = self._observer.flow(self._walker.answering)
        self._edges = Edges(plan, gateway, flow, self._board, self._endpoints)
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        self._grace_s = plan.stop_within_s
        self._deregister_s = launch.deregister_s

    async def live(self) -> int:
        """Serve until told to stop; returns the exit code."""
        self._listen_for_the_end()
        for pod in self._pods.values():
            pod.start()
        try:
            addresses = await self._edges.start(self._launch.listen_fds)
            self._observer.serve()
            say(self._launch.control_fd, PhaseSaid(phase="connect"))
            # What is here now stays: the collector need not look at it again and again.
            # Done while the Pods start, when nobody waits for us.
            gc.freeze()
            gc.set_threshold(_COLLECT_AFTER)
            if await self._connected():
                ready = ReadySaid(endpoints=tuple(self._endpoints()), addresses=addresses)
                say(self._launch.control_fd, ready)
                await self._stop.wait()
            return await self._drain()
        finally:
            await self._edges.close()
            for pod in self._pods.values():
                await pod.close()
            self._observer.close()

    def _endpoints(self) -> dict[str, EndpointInfo]:
        return endpoints_of(self._pods)

    def _changed(self) -> None:
        """A replica came or went: it may serve other endpoints than before."""
        if self._board.started:
            self._walker.learn(router_of(self._routes, self._pods))
        self._board.notify()

    def _listen_for_the_end(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._terminate)
        loop.add_signal_handler(HASTE, self._be_hasty)

        def orphaned() -> None:
            with suppress(RuntimeError):  # the loop is closed: this process has ended already
                loop.call_soon_threadsafe(self._orphaned)

        watch_death(self._launch.death_fd, orphaned)

    def _be_hasty(self) -> None:
        self._deregister_s = 0.0

    def _terminate(self) -> None:
        if self._stop.is_set():
            self._grace_s = min(self._grace_s, _HURRY_GRACE_S)
            self._hurry.set()
        self._stop.set()

    def _orphaned(self) -> None:
        self._grace_s = _ORPHAN_GRACE_S
        self._hurry.set()
        self._stop.set()

    async def _connected(self) -> bool:
        """Wait for all Pods; False when told to stop before that.

        Raises:
            CannotRoute: The documents of one cannot be what the next one takes.
        """
        connecting = asyncio.create_task(all_connected(list(self._pods.values())))
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({connecting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not connecting.done():
                return False
            connecting.result()
        finally:
            connecting.cancel()
            stopping.cancel()
        if problem := misfit(apart(self._routes), infos_of(self._pods)):
            raise CannotRoute(problem)
        self._walker.learn(router_of(self._routes, self._pods))
        self._board.start()
        return True

    async def _drain(self) -> int:
        """Be not ready, then deaf, then done; returns the exit code."""
        self._board.drain()
        say(self._launch.control_fd, DrainSaid(pending=self._walker.pending))
        if self._board.started:
            await _at_most(self._hurry.wait(), self._deregister_s)
        until = time.monotonic() + self._grace_s
        draining = asyncio.create_task(self._finish(until))
        hurried = asyncio.create_task(self._hurry.wait())
        await asyncio.wait({draining, hurried}, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        done, _ = await asyncio.wait({draining}, timeout=self._grace_s)
        left = draining.result() if done else self._walker.pending
        draining.cancel()
        if left:
            log.warning("%d requests had no answer when the time to stop was over", left)
        return Exit.FAILED if left else Exit.OK

    async def _finish(self, until: float) -> int:
        left = await self._edges.drain(until - time.monotonic())
        return left + await self._walker.settle(until - time.monotonic())


async def _at_most(event: Awaitable[object], delay_s: float) -> None:
    try:
        await asyncio.wait_for(event, delay_s)
    except TimeoutError:
        pass


def _is_up(pod: Pod) -> Callable[[], bool]:
    return lambda: pod.is_up
