"""Which shard of a Pod a document belongs to."""

from __future__ import annotations

import hashlib


def shard_of(id_: str, shards: int) -> int:
    """Return the shard that a document belongs to: always the same for the same id."""
    digest = hashlib.blake2b(id_.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") % shards
