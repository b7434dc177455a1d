"""What a client is made with, under Jina's names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from jina_cli.client.address import target_from
from jina_cli.client.core import Core
from jina_cli.client.posting import DEFAULT_WINDOW
from jina_cli.client.transport import MAX_MESSAGE_BYTES, Settings
from jina_cli.errors import UsageError
from jina_cli.nearest import nearest


class ClientOptions(TypedDict, total=False):
    """What a client takes beside its address.

    Keys:
        prefetch: Requests that are under way at a time (64), where a call says nothing else.
        connect_timeout_s: How long to wait for a Flow that does not answer yet (10).
        max_message_bytes: The longest request and answer (64 MiB); the Flow has a limit too.
        ca_file: Certificates in PEM that a server's is checked against; else the system's.
        compression: `Gzip` or `Deflate` of what is sent, in gRPC; any of them over a
            WebSocket. Not used over HTTP and our own protocol.
        metadata: Names and values that travel with all requests.
        grpc_channel_options: Arguments of gRPC's channel.
    """

    prefetch: int
    connect_timeout_s: float
    max_message_bytes: int
    ca_file: str
    compression: str | None
    metadata: Mapping[str, str]
    grpc_channel_options: Mapping[str, Any] | None


WITHOUT_EFFECT = frozenset(
    {
        "log_config",
        "metrics",
        "metrics_exporter_host",
        "metrics_exporter_port",
        "name",
        "proxy",
        "quiet",
        "quiet_error",
        "reuse_session",
        "suppress_root_logging",
        "traces_exporter_host",
        "traces_exporter_port",
        "tracing",
        "workspace",
    }
)
"""Options of Jina's client that say nothing to ours, which keeps connections and logs little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a client is, once its options are sorted out."""

    core: Core
    prefetch: int
    metadata: Mapping[str, str]


def made(
    host: str, *, port: int | None, protocol: object, tls: bool, options: Mapping[str, Any]
) -> Made:
    """Return what the arguments of a client say.

    Raises:
        UsageError: They say no address, or there is no such option.
    """
    known = ClientOptions.__annotations__.keys() | WITHOUT_EFFECT
    for name in options:
        if name not in known:
            close = nearest(name, known)
            hint = f"did you mean {close}?" if close else ""
            raise UsageError(f"Client has no option {name!r}", hint=hint)
    settings = Settings(
        max_message_bytes=options.get("max_message_bytes", MAX_MESSAGE_BYTES),
        ca_file=str(options.get("ca_file") or ""),
        compression=options.get("compression") or "",
        grpc_options=options.get("grpc_channel_options") or {},
    )
    target = target_from(host, port=port, protocol=protocol, tls=tls)
    given = options.get("metadata") or {}
    return Made(
        core=Core(target, settings, options.get("connect_timeout_s", 10.0)),
        prefetch=options.get("prefetch") or DEFAULT_WINDOW,
        metadata={name.lower(): str(value) for name, value in given.items()},
    )
