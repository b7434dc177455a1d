"""Documents that an index has already, left out before anybody works on them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import TextColumn
from jina_cli.documents.hashing import content_hashes
from jina_cli.documents.sharding import shard_of
from jina_cli.drivers.base import Driver
from jina_cli.drivers.cache import CacheDriver
from jina_cli.executors.families import Family
from jina_cli.executors.indexers.bodies import HASH
from jina_cli.store.readers import Readers
from jina_cli.store.schema import FILE_NAME
from jina_cli.store.snapshot import Snapshot

FIELDS = (HASH, "id")


class _Opened(NamedTuple):
    """A file of an index, and what reads it."""

    facts: os.stat_result
    readers: Readers


class DocCache(Family):
    """Leave out of `/index` what the index behind it has already, so that it costs nothing.

    Stands before the Encoder, on the host of the index. It keeps nothing itself, but looks into
    the files of that Pod: a document is left out only if it is on the disk there at this moment,
    as it was when it last came by here. So one that a later Pod failed on, or that was deleted,
    is let by again, and none that was acknowledged is missing. All other requests pass.

    What goes on has the hash of its content in `content_hash`, and the Indexer keeps that.
    Whoever changes what stands between, the model of the Encoder for one, indexes anew into
    another workspace: the documents are the same.

    Args:
        index: Name of the Pod with the Indexer; or its folder, if that is elsewhere than the
            workspace of this Pod.
        shards: How many shards that Pod has.
        field: `content_hash` leaves out what did not change; `id` all whose id is there.
    """

    def __init__(
        self, index: str = "index", shards: int = 1, field: str = HASH, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if field not in FIELDS:
            raise ValueError(f"field is {field!r}, and must be one of {', '.join(FIELDS)}")
        if shards < 1:
            raise ValueError(f"shards is {shards}, and must be at least 1")
        is_folder, root = os.sep in index, Path(self.workspace).parents[1]
        self._folder_of_index = Path(index) if is_folder else root / index
        self._shards = shards
        self._by_id = field == "id"
        self._open: dict[Path, _Opened] = {}

    def pass_on(self, docs: DocumentBatch) -> DocumentBatch:
        """Return the documents that the index does not have, each with the hash of its content.

        Where an id repeats in a request, all of its documents go on: the last one is to win.
        """
        hashes = content_hashes(docs)
        marked = docs.with_columns(**{HASH: TextColumn(hashes)})
        known = self._known(docs.ids)
        counts: dict[str, int] = {}
        for id_ in docs.ids:
            counts[id_] = counts.get(id_, 0) + 1
        fresh = [
            place
            for place, (id_, hash_) in enumerate(zip(docs.ids, hashes, strict=True))
            if counts[id_] > 1 or not self._is_known(known, id_, hash_)
        ]
        return marked if len(fresh) == len(docs) else marked.take(fresh)

    def default_drivers(self) -> Mapping[str, Sequence[Driver]]:
        return {"/index": (CacheDriver(),)}

    def close(self) -> None:
        for opened in self._open.values():
            opened.readers.close()

    def _is_known(self, known: Mapping[str, bytes | None], id_: str, hash_: str) -> bool:
        if self._by_id:
            return id_ in known
        return known.get(id_) == hash_.encode()

    def _known(self, ids: Sequence[str]) -> dict[str, bytes | None]:
        """Return those that the index has, with the hashes that they came with."""
        shares: dict[int, list[str]] = {}
        for id_ in ids:
            shares.setdefault(shard_of(id_, self._shards), []).append(id_)
        known: dict[str, bytes | None] = {}
        for shard, share in shares.items():
            of_each = [self._kept(path, share) for path in self._files(shard)]
            for id_, hash_ in of_each[0].items() if of_each else ():
                # Of several components each must have it: one of them may have failed.
                if all(id_ in kept and kept[id_] == hash_ for kept in of_each):
                    known[id_] = hash_
        return known

    def _kept(self, path: Path, ids: Sequence[str]) -> Mapping[str, bytes | None]:
        try:
            readers = self._readers(path)
        except FileNotFoundError:
            return {}
        with readers.moment() as connection:
            now = Snapshot(path, connection)
            return dict.fromkeys(b.id for b in now.briefs(ids)) if self._by_id else now.hashes(ids)

    def _readers(self, path: Path) -> Readers:
        """Return what reads the index that is at `path` now, not one that was there before it.

        Raises:
            FileNotFoundError: There is none any more.
        """
        facts = path.stat()
        opened = self._open.get(path)
        if opened is None or not os.path.samestat(opened.facts, facts):
            if opened is not None:
                opened.readers.close()
            opened = self._open[path] = _Opened(facts, Readers(path))
        return opened.readers

    def _files(self, shard: int) -> list[Path]:
        """Return the index of a shard, or those of the components of its Pod; none before it is
        made."""
        folder = self._folder_of_index / str(shard)
        paths = [folder / FILE_NAME, *sorted(folder.glob(f"*/{FILE_NAME}"))]
        return [path for path in paths if path.exists()]
