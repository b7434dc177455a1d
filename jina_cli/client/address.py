"""Where a Flow is reached, out of what the user wrote."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from jina_cli.errors import UsageError


class Scheme(enum.Enum):
    """How to talk to an address."""

    NATIVE = "native"
    GRPC = "grpc"
    HTTP = "http"
    WEBSOCKET = "ws"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One address.

    Attributes:
        host: Or the path of a unix socket, where `port` is 0.
        secure: Whether it is spoken to over TLS.
    """

    scheme: Scheme
    host: str
    port: int
    secure: bool = False

    def __str__(self) -> str:
        if self.scheme is Scheme.NATIVE:
            return f"unix:{self.host}" if self.port == 0 else f"tcp:{self.authority}"
        return f"{self.scheme.value}{'s' if self.secure else ''}://{self.authority}"

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def is_local(self) -> bool:
        return self.host in ("localhost", "::1", "0.0.0.0") or self.host.startswith("127.")


_SCHEMES = {
    "grpc": (Scheme.GRPC, False),
    "grpcs": (Scheme.GRPC, True),
    "http": (Scheme.HTTP, False),
    "https": (Scheme.HTTP, True),
    "ws": (Scheme.WEBSOCKET, False),
    "wss": (Scheme.WEBSOCKET, True),
    "tcp": (Scheme.NATIVE, False),
}
_JINAS = {"websocket": "ws", "websockets": "wss"}
"""Names that Jina has beside those of URLs."""

_DEFAULT_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443, "grpcs": 443}
_SECURED = {"grpc": "grpcs", "http": "https", "ws": "wss"}


def target_of(url: str) -> Target:
    """Return the address that `url` says.

    `unix:/path`, `/path.sock`, `tcp:host:port`, `grpc://host:port`, `http://host:port`,
    `ws://host:port`, their forms with TLS; `host:port` alone is gRPC, as in Jina. What follows
    the port is left out.

    Raises:
        UsageError: It is none of these.
    """
    if url.startswith(("unix:", "/")):
        path = url.removeprefix("unix:")
        path = path.removeprefix("//") if path.startswith("///") else path
        return Target(scheme=Scheme.NATIVE, host=path, port=0)
    name, separator, rest = url.partition("://")
    if not separator:
        name, rest = ("tcp", url[4:]) if url.startswith("tcp:") else ("grpc", url)
    name = _JINAS.get(name.lower(), name.lower())
    if name not in _SCHEMES:
        known = ", ".join(f"{scheme}://" for scheme in _SCHEMES)
        raise UsageError(f"{url!r} has an unknown protocol", hint=f"use {known} or unix:PATH")
    scheme, secure = _SCHEMES[name]
    authority = rest.partition("/")[0]
    host, port = _host_and_port(authority, _DEFAULT_PORTS.get(name))
    if not host or port is None:
        raise UsageError(f"{url!r} is no address", hint="write it as grpc://HOST:PORT")
    return Target(scheme=scheme, host=host, port=port, secure=secure)


def target_from(
    host: str, *, port: int | None = None, protocol: object = None, tls: bool = False
) -> Target:
    """Return the address that Jina's arguments say; `host` may be a URL with all of it.

    Args:
        port: Wins over a port in `host`.
        protocol: A name, `grpc`, `http` or `websocket`, or an enum's member of that name; what
            `host` says wins over it.
        tls: As the `s` of `grpcs://`.

    Raises:
        UsageError: They say no address.
    """
    if host.startswith(("unix:", "/", "tcp:")):
        return target_of(host)
    name, separator, rest = host.partition("://")
    if not separator:
        name, rest = _protocol(protocol), host
    name = _JINAS.get(name.lower(), name.lower())
    name = _SECURED.get(name, name) if tls else name
    authority = rest.partition("/")[0]
    found, own_port = _host_and_port(authority, None)
    # An address to listen on, which Jina has as default: it is no address to go to everywhere.
    found = "127.0.0.1" if found == "0.0.0.0" else found
    if port is None and own_port is None and name not in _DEFAULT_PORTS:
        hint = "write it as grpc://HOST:PORT, or give port="
        raise UsageError(f"{host!r} has no port", hint=hint)
    said = port if port is not None else own_port
    number = "" if said is None else f":{said}"
    return target_of(f"{name}://{f'[{found}]' if ':' in found else found}{number}")


def _protocol(protocol: object) -> str:
    if isinstance(protocol, list | tuple):
        protocol = protocol[0] if protocol else None
    if protocol is None:
        return "grpc"
    return str(protocol.name if isinstance(protocol, enum.Enum) else protocol).lower()


def _host_and_port(authority: str, default: int | None) -> tuple[str, int | None]:
    host, colon, port = authority.rpartition(":")
    is_bare = host.count(":") and not host.startswith("[")  # an IPv6 address without a port
    if not colon or is_bare or (host.startswith("[") and not host.endswith("]")):
        host, port = authority, ""
    host = host.removeprefix("[").removesuffix("]")
    if not port:
        return host, default
    return host, int(port) if port.isdecimal() and 0 < int(port) < 65536 else None
