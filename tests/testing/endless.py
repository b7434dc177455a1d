"""A client that is given input without end: a process of its own, whose memory is its own.

    python endless.py HOW ADDRESS FOLDER

HOW is a protocol, or `grpcio` for gRPC's own library. It asks `/warm` once, makes the file `warm`
in FOLDER, waits for a file `go` there, and streams requests of `REQUEST_BYTES` to `/work` until
it is killed. How many it took from the input, and how many were answered, is in the file `count`.
"""

from __future__ import annotations

import os
import struct
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DOCUMENTS = 4
REQUEST_BYTES = 1_000_000
_PAIR = struct.Struct("<QQ")
_PAUSE_S = 0.01


class Progress:
    """How far a client is, in a file that is always whole."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self._numbers = [0, 0]
        self._lock = threading.Lock()
        self._write()

    def took(self) -> None:
        self._add(0)

    def answered(self) -> None:
        self._add(1)

    def _add(self, place: int) -> None:
        with self._lock:
            self._numbers[place] += 1
            self._write()

    def _write(self) -> None:
        os.pwrite(self._fd, _PAIR.pack(*self._numbers), 0)


def progress_in(folder: Path) -> tuple[int, int]:
    """Return how many requests a client took from its input, and how many were answered."""
    took, answered = _PAIR.unpack((folder / "count").read_bytes())
    return took, answered


def _documents(folder: Path, progress: Progress) -> Iterator[dict[str, str]]:
    (folder / "warm").touch()
    while not (folder / "go").exists():
        threading.Event().wait(_PAUSE_S)
    text = "x" * (REQUEST_BYTES // DOCUMENTS)
    number = 0
    while True:
        if number % DOCUMENTS == 0:
            progress.took()
        yield {"id": str(number), "text": text}
        number += 1


def _ours(address: str, folder: Path, progress: Progress) -> None:
    from jina_cli import Client

    with Client(address) as client:
        client.post("/warm", [{"text": "hello"}])
        source = _documents(folder, progress)
        for _ in client.post_iter("/work", source, request_size=DOCUMENTS):
            progress.answered()


def _grpcio(address: str, folder: Path, progress: Progress) -> None:
    import grpc

    from jina_cli.documents.rows import from_rows
    from jina_cli.wire import jina3
    from jina_cli.wire.bodies import write_body
    from jina_cli.wire.messages import Format, Request

    def message(endpoint: str, rows: list[Any]) -> bytes:
        body = write_body(from_rows(rows), Format.PROTO)
        return jina3.write_data_request(
            Request(endpoint=endpoint, bodies=(body,), request_id="1" * 32, wanted=Format.PROTO)
        )

    def messages() -> Iterator[bytes]:
        documents = _documents(folder, progress)
        while True:
            yield message("/work", [next(documents) for _ in range(DOCUMENTS)])

    with grpc.insecure_channel(address.removeprefix("grpc://")) as channel:
        call = channel.stream_stream("/jina.JinaRPC/Call")
        list(call(iter([message("/warm", [{"text": "hello"}])])))
        for _ in call(messages()):
            progress.answered()


def _main(how: str, address: str, folder: Path) -> None:
    progress = Progress(folder / "count")
    (_grpcio if how == "grpcio" else _ours)(address, folder, progress)


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
