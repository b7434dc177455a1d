"""The parent's end of the spawner: orders out, with descriptors; what became of them in."""

from __future__ import annotations

import asyncio
import os
import socket
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jina_cli.lifeline import ForkedSaid, ForkOrder, GuardOrder, Order, WarmSaid, pack, unpack

_MAX_BYTES = 2**17


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    order: ForkOrder | GuardOrder
    descriptors: tuple[int, ...] = ()


class SpawnerClient:
    """Sends orders once the spawner can take them, and passes on what it says.

    Args:
        orders: Our end of the socket; closed by `close`.
        hear: Called from the loop with each message.

    Attributes:
        is_warm: Whether the spawner has imported everything.
    """

    def __init__(self, orders: socket.socket, hear: Callable[[Order], None]) -> None:
        self.is_warm = False
        self._orders = orders
        self._orders.setblocking(False)
        self._hear = hear
        self._waiting: deque[_Waiting] = deque()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(orders.fileno(), self._read)

    def order(self, order: ForkOrder, descriptors: Sequence[int]) -> None:
        """Have a Pea forked; `descriptors` are closed here as soon as they are sent."""
        self._waiting.append(_Waiting(order=order, descriptors=tuple(descriptors)))
        self._send()

    def guard(self, pid: int) -> None:
        """Have a process group killed when this parent is gone and the group is not."""
        self._waiting.append(_Waiting(order=GuardOrder(pid=pid)))
        self._send()

    def withdraw(self, name: str, attempt: int) -> bool:
        """Take back the order of a Pea; False if it is carried out already."""
        for waiting in self._waiting:
            order = waiting.order
            if isinstance(order, ForkOrder) and (order.name, order.attempt) == (name, attempt):
                self._waiting.remove(waiting)
                _close(waiting.descriptors)
                return True
        return False

    def close(self) -> None:
        """Hang up; orders that were not sent are forgotten."""
        if self._orders.fileno() >= 0:
            self._loop.remove_reader(self._orders.fileno())
            self._loop.remove_writer(self._orders.fileno())
        self._orders.close()
        for waiting in self._waiting:
            _close(waiting.descriptors)
        self._waiting.clear()

    def _send(self) -> None:
        while self._waiting and self.is_warm:
            first = self._waiting[0]
            try:
                socket.send_fds(self._orders, [pack(first.order)], first.descriptors)
            except BlockingIOError:
                self._loop.add_writer(self._orders.fileno(), self._send)
                return
            except ConnectionError:
                return  # it has ended; its exit says so
            except OSError as error:
                self._refuse(first.order, error)  # those behind it have no part in that
            self._waiting.popleft()
            _close(first.descriptors)
        if self._orders.fileno() >= 0:
            self._loop.remove_writer(self._orders.fileno())

    def _refuse(self, order: ForkOrder | GuardOrder, error: OSError) -> None:
        if isinstance(order, ForkOrder):
            cause = f"cannot be started: {error.strerror}"
            said = ForkedSaid(name=order.name, attempt=order.attempt, pid=0, cause=cause)
            self._loop.call_soon(self._hear, said)

    def _read(self) -> None:
        try:
            data = self._orders.recv(_MAX_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._loop.remove_reader(self._orders.fileno())
            return
        order = unpack(data)
        if isinstance(order, WarmSaid):
            self.is_warm = True
            self._send()
        self._hear(order)


def _close(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
