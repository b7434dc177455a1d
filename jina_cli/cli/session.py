"""The Flow that `jina index` and `jina search` talk to: one that runs, or one of their own."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from jina_cli.cli.bundled import LEXICAL, default_flow, flow_file, is_text_flow
from jina_cli.cli.render import Output
from jina_cli.cli.settings import Settings
from jina_cli.errors import Exit, InputMissing, JinaError, UsageError
from jina_cli.vocabulary import DEFAULT_WORKSPACE

if TYPE_CHECKING:
    from jina_cli.client.client import AsyncClient
    from jina_cli.spec.models import FlowSpec
    from jina_cli.supervise.loop import Supervisor

T = TypeVar("T")


LONGEST_TURN_S = 60.0
"""How long a command waits for another one that uses the same workspace."""

ASK_AGAIN_S = 0.05

QUIET_WAIT_S = 1.0
"""After so long, a command that waits says for whom."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the Flow is.

    Attributes:
        uses: Its YAML file.
        host: Address of a running one; then nothing is started.
        workspace: What the user said; empty for what the YAML says, else the default.
        lenient: Whether unknown keys in it are warnings.
        yields: Whether the YAML's own workspace wins.
        is_default: Whether the user named no Flow at all.
    """

    uses: Path
    host: str = ""
    workspace: str = ""
    lenient: bool = False
    yields: bool = False
    is_default: bool = False

    @property
    def needs_content(self) -> bool:
        """Whether the Flow is known to take no document without text."""
        return not self.host and is_text_flow(self.uses)


def place_of(
    uses: str, host: str, workspace: str, *, lenient: bool = False, from_file: Collection[str] = ()
) -> Place:
    """Return the place that the options of a command name.

    Args:
        from_file: Names of options that a file gives; they yield to those that are typed.

    Raises:
        UsageError: An option stands beside `--host` that says nothing to a running Flow.
    """
    given = {"uses": uses, "workspace": workspace}
    typed = [name for name, value in given.items() if value and name not in from_file]
    if host and typed and "host" not in from_file:
        raise UsageError(f"--{typed[0]} has no meaning with --host", hint="the Flow runs already")
    host = "" if typed else host
    return Place(
        uses=flow_file(uses) if uses else default_flow(),
        host=host,
        workspace=workspace,
        lenient=lenient,
        yields="workspace" in from_file,
        is_default=not host and not uses,
    )


@asynccontextmanager
async def connected(
    place: Place, settings: Settings, *, must_exist: bool = False
) -> AsyncIterator[AsyncClient]:
    """Give a client of the Flow at a place, started for as long as the block if need be.

    Args:
        must_exist: Whether it is an error if nothing was ever kept in the workspace of the
            bundled Flow: there is nothing to be searched.

    Raises:
        JinaError: The Flow cannot be read, started or reached.
    """
    from jina_cli.client.client import AsyncClient

    if place.host:
        async with AsyncClient(place.host) as client:
            yield client
        return
    spec, workspace = _load(place)
    if must_exist and place.is_default:
        _check_exists(workspace, place)
    if place.is_default and place.uses.stem == LEXICAL:
        Output(settings).note("by words alone; pip install 'jina[neural]' finds by meaning too")
    async with AsyncExitStack() as stack:
        address = await _address(stack, place, spec, workspace, settings)
        yield await stack.enter_async_context(AsyncClient(address))


async def _address(
    stack: AsyncExitStack, place: Place, spec: FlowSpec, workspace: Path, settings: Settings
) -> str:
    """Return where the Flow answers that runs, or that is started here until the stack ends.

    One command at a time may use a workspace; the next waits for it.

    Raises:
        FlowBusy: For longer than `LONGEST_TURN_S`.
    """
    from jina_cli.supervise.registry import FlowBusy

    began = time.monotonic()
    give_up, tell = began + LONGEST_TURN_S, began + QUIET_WAIT_S
    while True:
        running = _running(place, workspace, settings)
        if running is not None:
            return running
        try:
            flow = await stack.enter_async_context(started(private(spec), workspace, settings))
        except FlowBusy as busy:
            if time.monotonic() >= give_up:
                raise
            if time.monotonic() >= tell:
                Output(settings).note(f"waiting up to {LONGEST_TURN_S:g} s: {busy.message}")
                tell = give_up
            await asyncio.sleep(ASK_AGAIN_S)
        else:
            return flow.native_address


def _load(place: Place) -> tuple[FlowSpec, Path]:
    """Return the Flow, and the root of its workspaces: the user's, the YAML's or the default."""
    from jina_cli.spec.load import load_flow

    spec = load_flow(place.uses, env=os.environ, lenient=place.lenient).spec
    if place.workspace and not (place.yields and spec.workspace):
        spec = replace(spec, workspace=os.path.abspath(place.workspace))
    return spec, Path(os.path.abspath(spec.workspace or DEFAULT_WORKSPACE))


def _check_exists(workspace: Path, place: Place) -> None:
    if not workspace.is_dir():
        hint = f"jina index FILES --workspace {place.workspace or DEFAULT_WORKSPACE}"
        raise InputMissing(f"nothing is indexed in {workspace}", hint=hint)


def _running(place: Place, workspace: Path, settings: Settings) -> str | None:
    from jina_cli.supervise.registry import find_running

    return find_running(str(place.uses), str(workspace), project=settings.project)


def private(spec: FlowSpec) -> FlowSpec:
    """Return a Flow that opens no port, for the command that starts it alone."""
    return replace(spec, gateway=replace(spec.gateway, port=(), protocol=()))


@asynccontextmanager
async def started(spec: FlowSpec, workspace: Path, settings: Settings) -> AsyncIterator[Supervisor]:
    """Run a Flow as long as the block takes; its workspaces lie in `workspace`.

    Raises:
        JinaError: It failed; or it broke as it was stopped, where the block had ended well.
    """
    from jina_cli.orchestrate.planning import planned
    from jina_cli.supervise.sinks import Quiet
    from jina_cli.supervise.supervisor import supervised

    placed = replace(spec, workspace=str(workspace))
    plan = planned(placed, environ=os.environ, project=settings.project)
    async with supervised(plan, sink=Quiet()) as flow:
        yield flow
    outcome = await flow.wait()
    broken = [*outcome.unclean, *(f"{name} had to be killed" for name in outcome.killed)]
    if broken:
        # An Executor that breaks as it closes may not have kept what it knows.
        raise JinaError("; ".join(broken), hint=f"see its log in {plan.log_dir}")


def run_batch(work: Callable[[], Awaitable[T]]) -> T:
    """Run a command that ends by itself, and clean up when it is told to end before.

    Raises:
        KeyboardInterrupt: After SIGINT.
        SystemExit: With 143, after SIGTERM.
    """

    async def main() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None

        def stop() -> None:
            terminated.append(True)
            task.cancel()

        loop.add_signal_handler(signal.SIGTERM, stop)
        return await work()

    terminated: list[bool] = []
    try:
        return asyncio.run(main())
    except asyncio.CancelledError:
        if terminated:
            raise SystemExit(Exit.SIGTERM) from None
        raise
