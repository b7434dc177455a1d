"""Processes that write into a store."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

WRITING = Path(__file__).with_name("writing.py")


class WritingProcess:
    """`writing.py` as a process, which can be killed after so many acknowledgements."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(WRITING), str(folder), str(seed)],
            stdout=subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.getcwd(), "OMP_NUM_THREADS": "1"},
        )
        self.acknowledged: Counter[int] = Counter()

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_for(self, acknowledgements: int) -> None:
        assert self._process.stdout is not None
        for _ in range(acknowledgements):
            self._note(self._process.stdout.readline())

    def kill(self) -> None:
        """Kill it as `kill -9` does, and read what it still had acknowledged."""
        if self._process.returncode is not None:
            return
        os.killpg(self.pid, signal.SIGKILL)
        assert self._process.stdout is not None
        with self._process.stdout as stdout:
            for line in stdout:
                self._note(line)
        self._process.wait(10)

    def _note(self, line: bytes) -> None:
        thread, number = map(int, line.split())
        assert number == self.acknowledged[thread], "acknowledged out of order"
        self.acknowledged[thread] += 1


@pytest.fixture
def writing() -> Iterator[Callable[[Path, int], WritingProcess]]:
    started: list[WritingProcess] = []

    def start(folder: Path, seed: int) -> WritingProcess:
        started.append(WritingProcess(folder, seed))
        return started[-1]

    yield start
    for process in started:
        process.kill()


@pytest.fixture
def seed() -> int:
    """A new one each time; it stands in the output of a test that fails."""
    value = random.SystemRandom().randrange(2**32)
    print(f"seed {value}")
    return value
