"""What a Flow that runs is asked, by way of a client of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partialmethod
from typing import TYPE_CHECKING, Any, Unpack

from jina_cli.errors import JinaError, Unreachable

if TYPE_CHECKING:
    from jina_cli.client.inputs import Inputs
    from jina_cli.client.posting import PostOptions


class Asking(ABC):
    """Methods of `Client`, on what can be asked while it runs.

    Where a Flow was made with `asyncio=True` they are those of `AsyncClient`.
    """

    _client: Any = None
    _is_async: bool = False

    @property
    def client(self) -> Any:
        """A client of it: a `Client`, or an `AsyncClient` if it was made with `asyncio=True`.

        Raises:
            NotRunning: It was not started.
        """
        if self._client is None:
            from jina_cli.client.client import Client

            self._client = Client(self._native(), asyncio=self._is_async)
        return self._client

    def post(self, on: str, inputs: Inputs = None, **options: Unpack[PostOptions]) -> Any:
        """Send documents to an endpoint, and return what comes back; as `Client.post`.

        Raises:
            JinaError: As there; if the Flow has failed meanwhile, what it failed of.
        """
        with self._blaming():
            return self.client.post(on, inputs, **options)

    index = partialmethod(post, "/index")
    search = partialmethod(post, "/search")
    update = partialmethod(post, "/update")
    delete = partialmethod(post, "/delete")

    def stream_doc(self, on: str, inputs: Inputs = None, **options: Any) -> Any:
        """Send one document, and yield what comes back as it comes; as `Client.stream_doc`."""
        return self.client.stream_doc(on, inputs, **options)

    def is_flow_ready(self, **options: Any) -> Any:
        """Return whether all of it answers; False if it does not run."""
        return self.client.is_flow_ready(**options) if self._is_there() else False

    dry_run = is_flow_ready

    def profiling(self, show_table: bool = True) -> Any:
        """Ask once, and return where the time went; as `Client.profiling`."""
        return self.client.profiling(show_table)

    @contextmanager
    def _blaming(self) -> Iterator[None]:
        try:
            yield
        except Unreachable as error:
            failure = self._failure()
            if failure is None:
                raise
            raise failure from error

    @abstractmethod
    def _native(self) -> str:
        """Return where our own clients reach it."""

    @abstractmethod
    def _is_there(self) -> bool:
        """Return whether it runs."""

    @abstractmethod
    def _failure(self) -> JinaError | None:
        """Return what ended it, if anything did."""
