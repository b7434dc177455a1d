"""Changes to an index are made ready beside the event loop, in the order in which they came."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor


class Submitter:
    """Calls what queues a change in a thread of its own, and waits for the change.

    To make records of documents takes time, and a full queue waits; neither may hold up the
    event loop. There is one thread, so that changes are queued in the order of the calls. It
    does not wait until they are durable: those that come meanwhile share a transaction.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="submit")

    async def __call__(self, submit: Callable[[], Future[int]]) -> int:
        """Return the result of the change that `submit` queues.

        Raises:
            Exception: What `submit` raised, or the change.
        """
        loop = asyncio.get_running_loop()
        return await asyncio.wrap_future(await loop.run_in_executor(self._thread, submit))

    def close(self) -> None:
        """Wait until all changes are queued; there can be no more."""
        self._thread.shutdown()
