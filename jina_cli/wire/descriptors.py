"""Jina's protobuf messages and services, from our own descriptions in `proto/`.

They live in a pool of their own: docarray registers a `docarray.proto` in protobuf's default
pool, and two of one name cannot be there. protobuf is imported when first asked for.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from google.protobuf.descriptor_pool import DescriptorPool

PROTO_DIR = Path(__file__).parent / "proto"
DESCRIPTOR_SET = PROTO_DIR / "jina.binpb"


@cache
def pool() -> DescriptorPool:
    """Return the pool that knows `jina.proto`, `docarray.proto` and what they import."""
    from google.protobuf.descriptor_pb2 import FileDescriptorSet
    from google.protobuf.descriptor_pool import DescriptorPool

    found = DescriptorPool()
    for file in FileDescriptorSet.FromString(DESCRIPTOR_SET.read_bytes()).file:
        found.Add(file)
    return found


@cache
def message_class(name: str) -> type[Any]:
    """Return the class of a message by its full name, `jina.EndpointsProto`.

    Raises:
        KeyError: There is no message of that name.
    """
    from google.protobuf.message_factory import GetMessageClass

    return GetMessageClass(pool().FindMessageTypeByName(name))
