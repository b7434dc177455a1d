"""Real processes in tests: start the installed `jina`, wait for something, leave nothing behind.

Everything a test starts carries a mark in its environment, which its children inherit. So what
is left of it can be found by the mark, whoever its parent is by now, and killed at the end.

    @pytest.fixture
    def jina(tmp_path: Path) -> Iterator[Jinas]:
        with Jinas(tmp_path) as jinas:
            yield jinas

    def test_it_is_ready(jina: Jinas) -> None:
        flow = jina.start("flow", "--uses", "flow.yml")
        wait_until(lambda: "ready" in flow.stderr, 10)
        assert flow.stop(signal.SIGTERM) == 0
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import psutil

T = TypeVar("T")
MARK = "JINA_TEST_MARK"


def wait_until(predicate: Callable[[], T], timeout_s: float = 10.0, what: str = "") -> T:
    """Return the first true value of `predicate`, asked every 10 ms.

    Raises:
        AssertionError: It was not true within `timeout_s`; says `what` was waited for.
    """
    end = time.monotonic() + timeout_s
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() >= end:
            raise AssertionError(f"not within {timeout_s} s: {what or predicate}; last: {value!r}")
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Return whether a process runs; a zombie does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def marked(mark: str) -> list[psutil.Process]:
    """Return the living processes that were started under `mark`, whoever their parent is."""
    found = []
    for process in psutil.process_iter():
        try:
            if (
                process.environ().get(MARK) == mark
                and process.status() != psutil.STATUS_ZOMBIE
                and process.pid != os.getpid()
            ):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
            continue
    return found


def kill_marked(mark: str) -> None:
    """Kill what lives under `mark`, until nothing does."""

    def swept() -> bool:
        alive = marked(mark)
        for process in alive:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        return not alive

    wait_until(swept, 10, "all marked processes to be gone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A command that ended: its exit code (below zero for a signal) and what it wrote."""

    code: int
    stdout: str
    stderr: str


class Started:
    """A `jina` that runs, in a session of its own. Its output goes to files, so it never blocks.

    Attributes:
        mark: The mark that it and its children carry.
    """

    def __init__(
        self, arguments: Sequence[str], *, folder: Path, environ: Mapping[str, str], cwd: Path
    ) -> None:
        self.mark = uuid.uuid4().hex
        self._out = folder / f"{self.mark}.stdout"
        self._err = folder / f"{self.mark}.stderr"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=cwd,
                env={**environ, MARK: self.mark},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def code(self) -> int | None:
        """Exit code, or None while it runs."""
        return self.process.poll()

    @property
    def stdout(self) -> str:
        """What it wrote so far."""
        return self._out.read_text("utf-8", "replace")

    @property
    def stderr(self) -> str:
        """What it wrote so far."""
        return self._err.read_text("utf-8", "replace")

    def send(self, signum: int) -> None:
        """Send a signal to `jina` itself, not to its children."""
        self.process.send_signal(signum)

    def wait(self, timeout_s: float = 30.0) -> int:
        """Return the exit code, at the moment it has ended."""
        if self.process.poll() is None:
            # `Popen.wait` looks now and then when it has a timeout; this is woken.
            pidfd = os.pidfd_open(self.pid)
            try:
                ended = select.select([pidfd], [], [], timeout_s)[0]
            finally:
                os.close(pidfd)
            assert ended, f"still runs after {timeout_s} s: {self.stderr}"
        return self.process.wait()

    def stop(self, signum: int = signal.SIGTERM, timeout_s: float = 30.0) -> int:
        """Send a signal and return the exit code."""
        self.send(signum)
        return self.wait(timeout_s)

    def family(self) -> list[psutil.Process]:
        """Return all living processes of it, itself included."""
        return marked(self.mark)

    def kill(self) -> None:
        """Kill it and all that is left of it."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        kill_marked(self.mark)


class Jinas:
    """Starts the installed `jina` with run, state and config folders of its own.

    At the end of the block whatever it started is dead, and its run folder is gone.

    Args:
        folder: Where output, state and config go; also the working directory.
        environ: Variables on top of (or, with None, taken out of) those of the test.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str | None] | None = None) -> None:
        self.folder = folder
        # Paths of unix sockets are limited to 107 bytes; pytest's folders are too long.
        self.run_dir = Path(tempfile.mkdtemp(prefix="jina-t-", dir="/tmp"))
        self.environ = {
            **os.environ,
            "XDG_RUNTIME_DIR": str(self.run_dir),
            "XDG_STATE_HOME": str(folder / "state"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "PYTHONUNBUFFERED": "1",
        }
        for key, value in (environ or {}).items():
            if value is None:
                self.environ.pop(key, None)
            else:
                self.environ[key] = value
        self._started: list[Started] = []

    def __enter__(self) -> Jinas:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for started in self._started:
            started.kill()
        shutil.rmtree(self.run_dir, ignore_errors=True)

    def start(self, *arguments: str | Path, cwd: Path | None = None) -> Started:
        """Start `jina ARGUMENTS…` and return at once."""
        return self.start_python("-m", "jina_cli", *arguments, cwd=cwd)

    def start_python(self, *arguments: str | Path, cwd: Path | None = None) -> Started:
        """Start this interpreter with other arguments, under the same care."""
        return self.start_other(sys.executable, *arguments, cwd=cwd)

    def start_other(self, *arguments: str | Path, cwd: Path | None = None) -> Started:
        """Start another program under the same care."""
        started = Started(
            [*map(str, arguments)],
            folder=self.folder,
            environ=self.environ,
            cwd=cwd or self.folder,
        )
        self._started.append(started)
        return started

    def run(
        self,
        *arguments: str | Path,
        stdin: str | bytes = b"",
        cwd: Path | None = None,
        timeout_s: float = 60.0,
    ) -> Finished:
        """Run `jina ARGUMENTS…` to its end. What it left running is killed."""
        mark = uuid.uuid4().hex
        try:
            done = subprocess.run(
                [sys.executable, "-m", "jina_cli", *map(str, arguments)],
                input=stdin.encode() if isinstance(stdin, str) else stdin,
                capture_output=True,
                cwd=cwd or self.folder,
                env={**self.environ, MARK: mark},
                timeout=timeout_s,
                start_new_session=True,
                check=False,
            )
        finally:
            kill_marked(mark)
        return Finished(
            code=done.returncode,
            stdout=done.stdout.decode("utf-8", "replace"),
            stderr=done.stderr.decode("utf-8", "replace"),
        )
