"""The sockets that a Flow listens on, bound by the parent before anything starts.

Children inherit them, so nobody waits for an address or races for a port, and a connection
made while a Pea is being restarted waits in the socket's queue.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Mapping
from pathlib import Path

from jina_cli.errors import CannotWrite, NotPermitted, Unreachable
from jina_cli.plan.models import Listener, PeaPlan, Plan
from jina_cli.supervise.procfs import holder_of

BACKLOG = 1024
"""Connections that may wait to be accepted."""

MAX_PATH_BYTES = 107
"""Of a unix socket, as the kernel has it."""

Sockets = Mapping[str, Mapping[str, socket.socket]]
"""By Pea, then by the name that its `Launch` gives them."""


def bind_all(plan: Plan) -> dict[str, dict[str, socket.socket]]:
    """Bind all addresses of a plan; either all are, or none stays bound.

    Raises:
        Unreachable: A port is taken; names who holds it.
        NotPermitted: The system refuses a port.
        CannotWrite: A unix socket cannot be created.
    """
    bound: dict[str, dict[str, socket.socket]] = {}
    try:
        for pea in (plan.gateway, *plan.peas):
            bound[pea.name] = {}
            if pea.address:
                bound[pea.name]["native"] = bind_unix(pea.address)
            _bind_listeners(pea, bound[pea.name])
    except BaseException:
        close_all(bound)
        raise
    return bound


def close_all(sockets: Sockets) -> None:
    """Close what `bind_all` opened; what children hold stays open."""
    for of_pea in sockets.values():
        for each in of_pea.values():
            each.close()


def _bind_listeners(pea: PeaPlan, bound: dict[str, socket.socket]) -> None:
    listeners = pea.gateway.listeners if pea.gateway else ()
    for place, listener in enumerate(listeners):
        bound[f"{listener.protocol.value}:{place}"] = _tcp(listener)


def bind_unix(address: str) -> socket.socket:
    """Return a listening socket at `unix:/path`; only this user may connect.

    A socket file that is there already is taken away: the caller holds the lock of its folder.

    Raises:
        CannotWrite: It cannot be created there.
    """
    path = address.removeprefix("unix:")
    if len(os.fsencode(path)) > MAX_PATH_BYTES:
        hint = f"at most {MAX_PATH_BYTES} bytes; set XDG_RUNTIME_DIR to a shorter folder"
        raise CannotWrite(f"path of a socket is too long: {path}", hint=hint)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        Path(path).unlink(missing_ok=True)
        listening.bind(path)
        os.chmod(path, 0o600)
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise CannotWrite(f"cannot create the socket {path}: {error.strerror}") from error
    listening.setblocking(False)
    return listening


def _tcp(listener: Listener) -> socket.socket:
    """Return a socket that listens where the Gateway is to serve.

    Raises:
        Unreachable: The port is taken, or the host is not this machine.
        NotPermitted: The system refuses the port.
    """
    family, kind, proto, _, address = _resolve(listener)
    listening = socket.socket(family, kind, proto)
    try:
        # Ports of connections that ended a moment ago may be taken again; those that are
        # listened on may not.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise _refused(listener, error) from error
    listening.setblocking(False)
    return listening


def _resolve(
    listener: Listener,
) -> tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]:
    try:
        return socket.getaddrinfo(
            listener.host, listener.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise Unreachable(f"cannot resolve host {listener.host!r}: {error.strerror}") from error


def _refused(listener: Listener, error: OSError) -> Unreachable | NotPermitted:
    where = f"{listener.host}:{listener.port}"
    if error.errno == errno.EADDRINUSE:
        holder = holder_of(listener.port)
        by = f" by {holder}" if holder else ""
        hint = "stop it, or take another port with --port"
        return Unreachable(f"port {listener.port} is taken{by}", hint=hint)
    if error.errno in (errno.EACCES, errno.EPERM):
        hint = "ports under 1024 need a privilege" if 0 < listener.port < 1024 else ""
        return NotPermitted(f"may not listen on {where}", hint=hint)
    return Unreachable(f"cannot listen on {where}: {error.strerror}")
