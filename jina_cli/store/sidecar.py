"""The file of a graph beside its record: what is in it, and how it is written and read.

    graph of usearch | keys | digests | centre | facts, as JSON | length of the facts | CRC-32

By label: the key of the vector that got it, or -1, and the digest of that vector. Numbers are
little-endian; the checksum covers all before it. Nothing is taken from a file that is not, to the
last byte, what one of us wrote with the same usearch: it can be made again from the record.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from zlib import crc32

import numpy as np

from jina_cli.extras import need
from jina_cli.store.hnsw import Digests, Graph, new_index
from jina_cli.store.records import Numbers
from jina_cli.store.schema import sync_directory
from jina_cli.store.space import Space
from jina_cli.vocabulary import Metric

if TYPE_CHECKING:
    from usearch.index import Index

_FORMAT = 1
_END = struct.Struct("<II")  # length of the facts, checksum
_PIECE_BYTES = 16 << 20


class Unusable(Exception):
    """A file that is not the graph of this index. The message is a clause that says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A graph as it was saved.

    Attributes:
        change: The last change of the record that it may have seen.
        keys: By label, of the vector that got it; -1 where that was gone.
        digests: By label.
        memory: What a shared graph looks at: to be kept as long as its index.
    """

    change: int
    space: Space
    keys: Numbers
    digests: Digests
    memory: memoryview | None = None

    @classmethod
    def of(cls, graph: Graph, keys: Numbers, change: int) -> Self:
        """Return what to save of `graph`, whose vectors have `keys` by place."""
        places = graph.places.copy()
        by_label = np.where(places >= 0, keys[places], -1)
        return cls(change=change, space=graph.space, keys=by_label, digests=graph.digests.copy())


def save(path: Path, index: Index, saved: Saved) -> None:
    """Write a graph to `path`, which is there whole or as it was.

    Raises:
        OSError: The disk refused.
    """
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        try:
            # Not `index.save`: it wants a callback whose annotations are no strings.
            compiled: Any = index._compiled
            compiled.save_index_to_path(str(draft), _go_on)
        except RuntimeError as error:
            raise OSError(f"cannot write {draft}: {error}") from error
        with draft.open("r+b") as file:
            _finish(file.fileno(), saved)
            os.fsync(file.fileno())
        draft.rename(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def load(path: Path, metric: Metric, dim: int, *, is_shared: bool) -> tuple[Saved, Index]:
    """Read the graph at `path`, of vectors of `dim` numbers.

    Args:
        is_shared: Leave it in the file, where others read it too; it cannot be added to.

    Raises:
        Unusable: It is not what was written, or of other vectors.
        OSError: It cannot be read.
        MissingExtra: usearch is not installed.
    """
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size < _END.size:
            raise Unusable("it is cut off")
        memory = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    data = memoryview(memory)
    length, expected = _END.unpack(data[-_END.size :])
    if _checksum(data[:-4]) != expected:
        raise Unusable("it is not what was written")
    facts = json.loads(bytes(data[-_END.size - length : -_END.size]))
    _check(facts, metric, dim)
    saved, graph_bytes = _saved(facts, data[: -_END.size - length])
    index = new_index(saved.space.dim)
    try:
        (index.view if is_shared else index.load)(data[:graph_bytes])
    except (RuntimeError, ValueError) as error:
        raise Unusable(f"usearch does not take it ({error})") from error
    if len(index) != len(saved.keys) or index.ndim != saved.space.dim:
        raise Unusable("the graph is not that of its keys")
    return (replace(saved, memory=data) if is_shared else saved), index


def _go_on(done: int, of: int) -> bool:
    """Let other threads run: a call of Python is where the interpreter changes threads."""
    return True


def _finish(descriptor: int, saved: Saved) -> None:
    """Write what follows the graph."""
    graph_bytes = os.lseek(descriptor, 0, os.SEEK_END)
    facts = {
        "format": _FORMAT,
        "usearch": _version(),
        "metric": saved.space.metric.value,
        "dim": len(saved.space.centre) - saved.space.extra,
        "change": saved.change,
        "labels": len(saved.keys),
        "graph_bytes": graph_bytes,
        "scale": saved.space.scale,
        "reach": saved.space.reach,
    }
    text = json.dumps(facts).encode()
    columns = (saved.keys.astype("<i8"), saved.digests.astype("<u8"), saved.space.centre)
    rest = b"".join([*(c.tobytes() for c in columns), text, struct.pack("<I", len(text))])
    with (
        mmap.mmap(descriptor, graph_bytes, prot=mmap.PROT_READ) as memory,
        memoryview(memory) as data,
    ):
        checksum = crc32(rest, _checksum(data))
    rest += struct.pack("<I", checksum)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _checksum(data: memoryview) -> int:
    checksum = 0
    for start in range(0, len(data), _PIECE_BYTES):
        checksum = crc32(data[start : start + _PIECE_BYTES], checksum)
    return checksum


def _check(facts: dict[str, Any], metric: Metric, dim: int) -> None:
    if facts["format"] != _FORMAT or facts["usearch"] != _version():
        raise Unusable("another version of jina or usearch wrote it")
    if facts["metric"] != metric.value:
        raise Unusable(f"it is for {facts['metric']}, not for {metric.value}")
    if facts["dim"] != dim:
        raise Unusable(f"it is for vectors of {facts['dim']} dimensions, not of {dim}")


def _saved(facts: dict[str, Any], data: memoryview) -> tuple[Saved, int]:
    labels, place = facts["labels"], facts["graph_bytes"]
    digests = place + 8 * labels
    centre = digests + 8 * labels
    space = Space(
        metric=Metric(facts["metric"]),
        centre=np.frombuffer(data[centre:], "<f4").astype(np.float32),
        scale=facts["scale"],
        reach=facts["reach"],
    )
    saved = Saved(
        change=facts["change"],
        space=space,
        keys=np.frombuffer(data[place:digests], "<i8").astype(np.int64),
        digests=np.frombuffer(data[digests:centre], "<u8").astype(np.uint64),
    )
    return saved, place


def _version() -> str:
    return str(need("usearch", "ann").__version__)
