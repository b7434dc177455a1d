"""Files that others find whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from jina_cli.errors import CannotWrite


@contextmanager
def whole_file(path: Path, *, mode: int = 0o666, durable: bool = False) -> Iterator[BinaryIO]:
    """Give a file to write, which has its name once the block ended well.

    A reader finds the old file or the new one, never half of it. Where several write at once,
    whoever ends last is right. Whatever fails, the old file stays and nothing else is left
    behind. A device or a pipe is just written to.

    Args:
        path: The file, or a link to it; its folder must be there.
        mode: Its permissions, less those that the umask takes.
        durable: Whether its content is on the disk before it has its name.

    Raises:
        OSError: The disk is full, or the folder is not there or refuses.
    """
    place = os.path.realpath(path)
    if os.path.exists(place) and not os.path.isfile(place):
        with open(place, "wb") as file:
            yield file
        return
    folder, name = os.path.split(place)
    draft = os.path.join(folder, f".{name}.{os.urandom(6).hex()}.part")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with open(descriptor, "wb") as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(draft, place)
    except BaseException:
        os.unlink(draft)
        raise


def write_whole(
    path: Path, write: Callable[[BinaryIO], object], *, mode: int = 0o666, durable: bool = False
) -> None:
    """Write a file at once, as `whole_file`.

    Args:
        write: Writes what is to be in it.

    Raises:
        OSError: As `whole_file`.
        Exception: What `write` raised.
    """
    with whole_file(path, mode=mode, durable=durable) as file:
        write(file)


def write_whole_text(path: Path, text: str, *, mode: int = 0o666) -> None:
    """Write `text` as UTF-8, as `write_whole`.

    Raises:
        OSError: As `write_whole`.
    """
    write_whole(path, lambda file: file.write(text.encode("utf-8")), mode=mode)


def save_text(path: Path, text: str) -> None:
    """Write a file that the user named, whole or not at all, and the folders that it lies in.

    Raises:
        CannotWrite: The file cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole_text(path, text)
    except OSError as error:
        raise CannotWrite(f"cannot write {path}: {error.strerror}") from error
