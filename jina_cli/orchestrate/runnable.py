"""What Flows and Deployments have in common: they start, answer, and end."""

from __future__ import annotations

import asyncio
import os
import warnings
import weakref
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, Self

from jina_cli.diagnostics import Diagnostic
from jina_cli.errors import JinaError
from jina_cli.lifeline import PEA_MARK
from jina_cli.orchestrate.asking import Asking
from jina_cli.orchestrate.draft import Draft, Reading, new_draft, read_draft
from jina_cli.orchestrate.kept import Kept
from jina_cli.orchestrate.places import caller, depth
from jina_cli.orchestrate.uses import known_class
from jina_cli.orchestrate.values import plain
from jina_cli.orchestrate.waiting import until_signal

if TYPE_CHECKING:
    from jina_cli.plan.models import Plan
    from jina_cli.spec.models import FlowSpec

_LOOK_EACH_S = 0.1
"""How often an event of another kind than ours is looked at."""


class NotRunning(JinaError):
    """A Flow is asked for something that only one which runs has."""

    code = "JNA917"


class NotHere(JinaError):
    """A process of a Flow is asked to start a Flow."""

    code = "JNA915"


class Event(Protocol):
    """Of `threading`, `multiprocessing` or `asyncio`."""

    def is_set(self) -> bool: ...


class Runnable(Asking):
    """A Flow that can be started, in processes of its own, and be asked.

    Used as `with flow:` (or `async with`) it is ready when the block begins and gone when it
    ends. Whatever ends the program ends the Flow too.

    Args:
        draft: What it is.
        asyncio: Whether `post` gives what `async for` reads.
        quiet: Whether nothing of it is shown; else it is what Executors print, warnings and
            errors.
    """

    def __init__(self, draft: Draft, *, asyncio: bool = False, quiet: bool = False) -> None:
        self._draft = draft
        self._is_async = asyncio
        self._is_quiet = quiet
        self._spec: FlowSpec | None = None
        self._warnings: tuple[Diagnostic, ...] = ()
        self._kept: Kept | None = None
        self._abandon: Callable[[], Any] = lambda: None

    # What it is

    @classmethod
    def load_config(
        cls,
        source: Any,
        *,
        allow_py_modules: bool = True,
        substitute: bool = True,
        context: Mapping[str, Any] | None = None,
        uses_with: Mapping[str, Any] | None = None,
        extra_search_paths: list[str] | None = None,
        **more: Any,
    ) -> Self:
        """Return what YAML says.

        Args:
            source: Path of a file, YAML text, something with `read`, or a dict.
            allow_py_modules: False refuses a Flow that has Python files imported.
            substitute: Whether variables are put in.
            context: What `${{ CONTEXT.x }}` stands for; `more` is added to it.
            uses_with: Laid over `with`.
            extra_search_paths: Folders in which files that it names are looked for, too.

        Raises:
            InputMissing: There is no such file.
            SpecInvalid: It is not YAML, or no mapping. All else is checked when it starts.
        """
        span = caller()
        told = {**(context or {}), **more}
        how = Reading(env=os.environ, context=told, substitute=substitute)
        draft = read_draft(source, how, span)
        over = dict(plain(uses_with or {}, "uses_with"))
        if extra_search_paths:
            paths = [os.path.abspath(path) for path in extra_search_paths]
            over["extra_search_paths"] = paths
        if over:
            draft = draft.with_values("with", over, span)
        if not allow_py_modules:
            draft.refuse_py_modules()
        return cls._of(draft)

    @classmethod
    def _of(cls, draft: Draft) -> Self:
        made = cls.__new__(cls)
        Runnable.__init__(made, draft, asyncio=draft.says("asyncio"), quiet=draft.says("quiet"))
        return made

    @property
    def spec(self) -> FlowSpec:
        """What it says, checked, every default filled in.

        Raises:
            SpecInvalid: With all that is wrong.
        """
        if self._spec is None:
            draft = self._draft.with_classes(known_class)
            loaded = draft.checked(os.environ)
            self._spec, self._warnings = loaded.spec, loaded.warnings
        return self._spec

    def _warn(self) -> None:
        """Tell what its author should know, once, at the user's line."""
        told, self._warnings = self._warnings, ()
        for warning in told:
            warnings.warn(f"{warning.span}: {warning.message}", stacklevel=depth() + 1)

    def save_config(self, filename: str | os.PathLike[str] | None = None) -> None:
        """Write it as YAML, every default filled in; read again, it is the same.

        Raises:
            CannotWrite: The file cannot be made.
            SpecInvalid: It is not complete.
        """
        from jina_cli.files import save_text
        from jina_cli.spec.dump import to_document, to_yaml

        save_text(Path(filename or f"{self.spec.name}.yml"), to_yaml(to_document(self.spec)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Runnable):
            return NotImplemented
        from jina_cli.spec.dump import to_document

        return to_document(self.spec) == to_document(other.spec)

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        state = "running" if self.is_running else "not running"
        return f"<{type(self).__name__} {self._draft.name!r}, {state}>"

    def to_kubernetes_yaml(self, *_: Any, **__: Any) -> NoReturn:
        """There is none; for those who look for Jina's.

        Raises:
            JinaError: Always; says what to do instead.
        """
        hint = "save_config() writes the file, and a container of it runs 'jina flow --uses FILE'"
        raise JinaError("there is no export to Kubernetes or docker-compose here", hint=hint)

    to_k8s_yaml = to_docker_compose_yaml = to_kubernetes_yaml

    # Whether it runs

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended since."""
        return self._kept is not None and not self._kept.is_over

    def start(self) -> Self:
        """Start it, and return it when all of it is ready; nothing if it runs already.

        Raises:
            SpecInvalid: With all that is wrong.
            PodFailed: A Pod failed before it was ready.
            TimedOut: A Pod was not ready in time.
            Unreachable: A port is taken.
            NotHere: This is a process of a Flow.
        """
        if self.is_running:
            return self
        kept = self._begin()
        try:
            kept.ready()
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Stop it in order, and wait until nothing of it is left.

        A Ctrl-C meanwhile stops it at once, another one kills it.
        """
        client, self._client = self._client, None
        if client is not None and not self._is_async:
            client.close()
        kept, self._kept = self._kept, None
        if kept is not None:
            self._abandon()
            kept.stop()
            _tell(kept.notes)

    def block(self, stop_event: Event | None = None) -> None:
        """Wait until it ends, `stop_event` is set, or the program gets Ctrl-C or SIGTERM.

        Raises:
            NotRunning: It was not started.
            JinaError: What ended it.
        """
        kept = self._running()
        with until_signal():
            while not kept.wait(_LOOK_EACH_S if stop_event is not None else None):
                if stop_event is not None and stop_event.is_set():
                    return
        if kept.is_over and (error := kept.error) is not None:
            raise error

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        failure = self._kept.error if self._kept is not None else None
        self.close()
        if error is None and failure is not None:
            raise failure

    async def __aenter__(self) -> Self:
        kept = self._kept if self.is_running else self._begin()
        assert kept is not None, "begun just now"
        try:
            await asyncio.to_thread(kept.ready)
        except BaseException:
            await asyncio.shield(asyncio.to_thread(self.close))
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._client is not None and self._is_async:
            await self._client.close()
        await asyncio.shield(asyncio.to_thread(self.__exit__, kind, error, trace))

    # Where it is

    @property
    def addresses(self) -> Mapping[str, str]:
        """Where it serves, `HOST:PORT` by protocol.

        Raises:
            NotRunning: It was not started.
        """
        return self._running().ready().addresses

    @property
    def host(self) -> str:
        """Address that it listens on."""
        return self.spec.gateway.host

    @property
    def port(self) -> int | list[int] | None:
        """Port that it listens on, one for each protocol.

        Where the Flow names none, one that is free now is chosen when it is first asked for.
        """
        ports = list(self._ports())
        return (ports[0] if len(ports) == 1 else ports) if ports else None

    @property
    def protocol(self) -> str | list[str]:
        """How clients talk to it: `grpc`, `http`, `websocket`, or a list of them."""
        names = [each.value for each in self.spec.gateway.protocol]
        return names[0] if len(names) == 1 else names

    @property
    def workspace(self) -> str | None:
        """Root folder of all workspaces, absolute; None where it names none."""
        return self.spec.workspace

    def _ports(self) -> Iterator[int]:
        if self.is_running:
            addresses = self.addresses
            for name in (each.value for each in self.spec.gateway.protocol):
                if name in addresses:
                    yield int(addresses[name].rpartition(":")[2])
            return
        if 0 in self.spec.gateway.port:
            from jina_cli.orchestrate.ports import free_ports

            wanted = self.spec.gateway.port
            chosen = iter(free_ports(wanted.count(0), self.spec.gateway.host))
            self._set_ports([port or next(chosen) for port in wanted])
        yield from self.spec.gateway.port

    def _set_ports(self, ports: list[int]) -> None:
        raise NotImplementedError

    # How it runs

    def _native(self) -> str:
        return self._running().ready().native

    def _is_there(self) -> bool:
        return self.is_running

    def _failure(self) -> JinaError | None:
        return None if self._kept is None else self._kept.error

    def _begin(self) -> Kept:
        if PEA_MARK in os.environ:
            hint = "put what starts it under: if __name__ == '__main__':"
            message = f"a {type(self).__name__} is started where an Executor is imported"
            raise NotHere(message, hint=hint)
        from jina_cli.plan.codec import to_json

        plan = self._planned()
        self._warn()
        kept = Kept(
            to_json(plan),
            peas=len(plan.peas),
            forkable=any(pea.forkable for pea in plan.peas),
            quiet=self._is_quiet,
        )
        self._kept = kept
        self._abandon = weakref.finalize(self, kept.abandon).detach
        return kept

    def _planned(self) -> Plan:
        from jina_cli.orchestrate.planning import planned
        from jina_cli.supervise.registry import read_record

        spec, project = self.spec, os.environ.get("JINA_PROJECT", "")
        if self._draft.is_file:
            plan = planned(spec, environ=os.environ, project=project)
            if read_record(Path(plan.run_dir)) is None:
                return plan
        # Others of the same source may run: of one script, or of one file in many tests.
        own = f"{os.getpid()}.{id(self)}"
        return planned(spec, environ=os.environ, project=project, instance=own)

    def _running(self) -> Kept:
        if self._kept is None:
            name = type(self).__name__
            raise NotRunning(f"this {name} is not running", hint="use it in a 'with' block")
        if self._kept.is_over:
            raise self._kept.error or NotRunning("this Flow has ended")
        return self._kept

    def _changed(self, draft: Draft) -> None:
        if self.is_running:
            raise JinaError("a Flow that runs cannot be changed", hint="close it first")
        self._draft, self._spec = draft, None


def _tell(notes: tuple[str, ...]) -> None:
    import logging

    for note in notes:
        logging.getLogger("jina").warning(note)


def made(jtype: str, values: Mapping[str, Any]) -> Draft:
    """Return what a Flow, or a Deployment, is that was made by calling its class."""
    return new_draft(jtype, plain(values, jtype), caller())
