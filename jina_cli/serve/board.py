"""The state of the Gateway, as its edges show it to the world: ready, draining, Pods down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping


class Board:
    """Says whether requests should come here, and tells those who wait for a change.

    Args:
        is_up: For each Pod that must answer, whether it can be reached right now.
    """

    def __init__(self, is_up: Mapping[str, Callable[[], bool]]) -> None:
        self._is_up = is_up
        self._change = asyncio.Event()
        self.started = False
        self.draining = False

    @property
    def down(self) -> tuple[str, ...]:
        """Names of the Pods that cannot be reached, in the order of the Flow."""
        return tuple(pod for pod, is_up in self._is_up.items() if not is_up())

    @property
    def is_ready(self) -> bool:
        return self.started and not self.draining and not self.down

    def start(self) -> None:
        """Every Pod has said what it serves."""
        self.started = True
        self.notify()

    def drain(self) -> None:
        """Be not ready from now on; what comes is still answered."""
        self.draining = True
        self.notify()

    def notify(self) -> None:
        """Wake all who wait in `changed`."""
        change, self._change = self._change, asyncio.Event()
        change.set()

    async def changed(self) -> None:
        """Return when something may have changed."""
        await self._change.wait()
