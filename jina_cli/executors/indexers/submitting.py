"""Changes to an index are made ready beside the event loop, in the order in which they came."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait


class Submitter:
    """Calls what queues a change in a thread of its own, and waits for the change.

    To make records of documents takes time, and a full queue waits; neither may hold up the
    event loop. There is one thread, so that changes are queued in the order of the calls. It
    does not wait until they are durable: those that come meanwhile share a transaction.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="submit")
        self._last: Future[int] | None = None

    async def __call__(self, submit: Callable[[], Future[int]], *, after_all: bool = False) -> int:
        """Return the result of the change that `submit` queues.

        Once it is queued it is made, also where nobody waits for it any more.

        Args:
            after_all: Whether all changes before it must be made before it is made ready,
                because it begins with what they leave behind.

        Raises:
            Exception: What `submit` raised, or the change.
        """
        loop = asyncio.get_running_loop()
        queued = loop.run_in_executor(self._thread, self._queue, submit, after_all)
        # A change that is cancelled is over at once, and no sign that those before it are.
        return await asyncio.shield(asyncio.wrap_future(await queued))

    def close(self) -> None:
        """Wait until all changes are queued; there can be no more."""
        self._thread.shutdown()

    def _queue(self, submit: Callable[[], Future[int]], after_all: bool) -> Future[int]:
        if after_all and self._last is not None:
            wait([self._last])  # the writer takes them in order, so those before it are over too
        self._last = submit()
        return self._last
