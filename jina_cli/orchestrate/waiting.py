"""Waiting that Ctrl-C and SIGTERM end in order."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class _Told(BaseException):
    """SIGTERM, while nothing else is done but waiting."""


@contextmanager
def until_signal() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the block without harm, where signals can be heard."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def told(signum: int, frame: FrameType | None) -> None:
        raise _Told

    before = signal.getsignal(signal.SIGTERM)
    if before is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, told)
    try:
        yield
    except (_Told, KeyboardInterrupt):
        return
    finally:
        if before is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, before)
