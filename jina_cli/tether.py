"""What the spawner is started with, and how the kernel ties a child to its parent.

Apart from `lifeline`, since it is needed before anything else is: a command starts the spawner
with this alone imported.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SpawnerLaunch:
    """What the spawner is started with.

    Attributes:
        orders_fd: Its end of the socket to the parent.
        death_fd: Read end of the death pipe.
        preload: Modules to import before the first fork; one that fails ends the spawner.
        entry: `module:function` that a Pea runs; takes a `Launch`, returns an exit code.
    """

    orders_fd: int
    death_fd: int
    entry: str
    preload: Sequence[str] = ()

    def to_argument(self) -> str:
        """Return this as one command-line argument, for `from_argument` in the spawner."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_argument(cls, text: str) -> SpawnerLaunch:
        return cls(**json.loads(text))


def parent_death_signal() -> Callable[[int], None]:
    """Return a function that has the kernel signal this process when its parent ends.

    Made before a fork and called after it, when nothing may be loaded any more. The kernel
    ties it to the thread that forked, so only a main thread may. It does nothing where the
    system knows no such signal.
    """
    import ctypes

    try:
        prctl = ctypes.CDLL(None).prctl
    except (OSError, AttributeError):
        return lambda signum: None
    return lambda signum: prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signum), 0, 0, 0)
