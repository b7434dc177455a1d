"""Typed, bounded, cancellable requests between our own processes, on unix sockets or TCP."""

from __future__ import annotations

from jina_cli.wire.address import LinkDown, parse_address
from jina_cli.wire.link import SILENT_S, Link
from jina_cli.wire.server import Server

__all__ = ["SILENT_S", "Link", "LinkDown", "Server", "parse_address"]
