"""What is written down of running Flows, so that others find them and nothing is left behind.

A Flow is known by its file and its workspace. Both name its **run dir**, which holds its
sockets, the plans of its Peas, the identity of each process, `flow.json`, and `lock`, on which
the parent holds a lock as long as it lives. A run dir whose lock is free belongs to nobody:
what is still alive of it is killed, by identity, and the rest is taken away.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from pathlib import Path

from jina_cli.errors import CannotWrite, NotPermitted, Unreachable
from jina_cli.files import write_whole_text
from jina_cli.plan.codec import to_json
from jina_cli.plan.models import PeaPlan
from jina_cli.supervise.procfs import is_same, start_of

_ROOM_FOR_NAMES = 48
_MAX_SOCKET_PATH = 107


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A process, named so that it cannot be taken for another one.

    Attributes:
        name: Of the Pea.
        pid: Also the id of its session and of its process group.
        start: When it started, in clock ticks since boot.
    """

    name: str
    pid: int
    start: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What `flow.json` says.

    Attributes:
        pid: Of the parent.
        start: When the parent started, in clock ticks since boot.
        is_lasting: Whether it runs until it is told to stop; else it ends with a command.
        state: `starting`, `ready` or `draining`.
        native: Address for our own clients.
        addresses: Where the Gateway serves, by protocol.
    """

    pid: int
    start: int
    flow: str
    source: str
    workspace: str
    is_lasting: bool
    state: str
    native: str
    addresses: Mapping[str, str] = field(default_factory=dict)
    schema: str = "jina.run/1"


def run_dir_for(
    source: str, workspace: str, *, project: str = "", environ: Mapping[str, str] = os.environ
) -> Path:
    """Return the run dir of a Flow; nothing is created.

    Args:
        source: Path of the YAML file.
        workspace: Root of the workspaces.
    """
    key = _key(source, workspace)
    inner = Path("jina", project or "default", key)
    base = environ.get("XDG_RUNTIME_DIR")
    if base and len(os.fsencode(Path(base) / inner)) + _ROOM_FOR_NAMES <= _MAX_SOCKET_PATH:
        return Path(base) / inner
    return Path(f"/tmp/jina-{os.getuid()}", project or "default", key)


def log_dir_for(
    flow: str,
    source: str,
    workspace: str,
    *,
    project: str = "",
    environ: Mapping[str, str] = os.environ,
) -> Path:
    """Return the folder of a Flow's log files; nothing is created.

    Its name begins with that of the Flow, which others may have too.

    Args:
        source: As `run_dir_for`, and so is `workspace`.
    """
    state = environ.get("XDG_STATE_HOME") or str(Path(environ.get("HOME", "/tmp"), ".local/state"))
    return Path(state, "jina", "logs", project or "default", f"{flow}-{_key(source, workspace)}")


def _key(source: str, workspace: str) -> str:
    name = f"{os.path.realpath(source)}\0{os.path.realpath(workspace)}"
    return blake2b(name.encode("utf-8", "surrogateescape"), digest_size=6).hexdigest()


def find_running(source: str, workspace: str, *, project: str = "") -> str | None:
    """Return the native address of a Flow that is ready and lasts; None if there is none."""
    record = read_record(run_dir_for(source, workspace, project=project))
    if record is None or not record.is_lasting or record.state != "ready":
        return None
    return record.native


def read_record(run_dir: Path) -> Record | None:
    """Return what runs in a run dir; None if nothing does."""
    try:
        data = json.loads((run_dir / "flow.json").read_text("utf-8"))
        record = Record(**data)
    except (OSError, ValueError, TypeError):
        return None  # not there, or of another version
    return record if is_same(record.pid, record.start) else None


class RunDir:
    """The run dir of a Flow that is ours. Made by `claim`.

    Attributes:
        path: The folder; only this user can enter it.
    """

    def __init__(self, path: Path, lock_fd: int) -> None:
        self.path = path
        self._lock_fd = lock_fd

    def write_plan(self, pea: PeaPlan) -> Path:
        """Write a Pea's plan for its process, and return where it is."""
        path = self.path / f"{_file_name(pea.name)}.plan.json"
        _write(path, to_json(pea))
        return path

    def record(self, name: str, pid: int) -> None:
        """Write down who was started, before anything else is done with it."""
        identity = Identity(name=name, pid=pid, start=start_of(pid))
        _write(self.path / f"{_file_name(name)}.pid.json", asdict(identity))

    def write_record(self, record: Record) -> None:
        """Say what runs here."""
        _write(self.path / "flow.json", asdict(record))

    def release(self) -> None:
        """Take the folder away and give up the lock."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock_fd)


class FlowBusy(Unreachable):
    """Another process runs this Flow with this workspace; it is free when that one ends."""


def claim(path: Path) -> RunDir:
    """Make a run dir ours, and clear away what a parent that was killed left in it.

    Raises:
        FlowBusy: Somebody else has it; names the process.
        NotPermitted: It belongs to another user.
        CannotWrite: It cannot be created.
    """
    _make(path)
    lock_fd = _lock(path)
    if lock_fd is None:
        raise _taken(path)
    _sweep(path)
    return RunDir(path, lock_fd)


def _lock(path: Path) -> int | None:
    lock = path / "lock"
    try:
        lock_fd = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        return None  # its owner took the folder away just now
    try:
        fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The owner before may have taken the file away between our opening and locking it.
        if os.path.samestat(os.fstat(lock_fd), os.stat(lock)):
            return lock_fd
    except OSError:
        pass
    os.close(lock_fd)
    return None


def _taken(path: Path) -> FlowBusy:
    record = read_record(path)
    if record is None:
        return FlowBusy("this Flow is being started or stopped by another process")
    return FlowBusy(
        f"Flow {record.flow!r} already runs with this workspace (pid {record.pid})",
        hint="stop it, or take another --workspace",
    )


def _make(path: Path) -> None:
    # Each folder on the way that is new, or shared by all users, must be ours alone.
    # (`run_dir_for` puts ours at most two above; any further up is called so by chance.)
    near = (path, *path.parents[:2])
    own = [folder for folder in near if folder.name.startswith("jina")]
    root = own[-1] if own else path
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = root.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise NotPermitted(f"{root} belongs to another user", hint="set XDG_RUNTIME_DIR")
        for folder in {path, root}:
            os.chmod(folder, 0o700)
    except OSError as error:
        raise CannotWrite(f"cannot create {path}: {error.strerror}") from error


def _sweep(path: Path) -> None:
    for file in path.iterdir():
        if file.name.endswith(".pid.json"):
            _kill_stray(file)
        if file.name != "lock" and not file.is_dir():
            file.unlink(missing_ok=True)


def _kill_stray(file: Path) -> None:
    try:
        identity = Identity(**json.loads(file.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return
    if is_same(identity.pid, identity.start):
        try:
            os.killpg(identity.pid, signal.SIGKILL)
        except OSError:
            return


def _file_name(name: str) -> str:
    return name.replace("/", ".")


def _write(path: Path, data: object) -> None:
    """Write JSON so that a reader finds the old or the new, never half of it.

    It is not synced to disk: what it describes does not survive a crash of the system either.

    Raises:
        CannotWrite: The disk is full, or the folder is gone.
    """
    try:
        write_whole_text(path, json.dumps(data), mode=0o600)
    except OSError as error:
        raise CannotWrite(f"cannot write {path}: {error.strerror}") from error
