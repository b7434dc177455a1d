"""Where the Pods are that somebody else runs, and what can be wrong with that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from jina_cli.diagnostics import Diagnostic, Span
from jina_cli.spec.models import FlowSpec, PodSpec
from jina_cli.spec.validate import no_effect, problem

_SECURE = frozenset({"grpcs", "https"})

AWAY = ("port", "tls", "grpc_metadata")
"""Keys of a Pod that say where an external one is, and nothing of any other."""

HERE = (
    "uses",
    "uses_before",
    "uses_after",
    "shards",
    "partial",
    "exit_on_exceptions",
    "install_requirements",
)
"""Keys of a Pod that say what runs here, and nothing of an external one."""

_DEFAULTS = frozenset(HERE[4:])
"""Of these, what may well be said of all Pods at once, under `with`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One address of an external Pod. `host` is an IPv6 address without its brackets."""

    host: str
    port: int
    is_secure: bool

    @property
    def address(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'grpcs' if self.is_secure else 'grpc'}://{host}:{self.port}"


class BadPlaces(ValueError):
    """Hosts and ports do not go together.

    Attributes:
        place: What is to be mended: `external`, `port`, `host/0`.
        hint: How.
    """

    def __init__(self, message: str, place: str, hint: str) -> None:
        super().__init__(message)
        self.place = place
        self.hint = hint


def check_places(flow: FlowSpec, pod: PodSpec, index: int) -> Iterator[Diagnostic]:
    """Yield what is wrong with where a Pod is, and keys that change nothing there.

    Args:
        index: Of the Pod among those of the Flow.
    """
    pointer, path = f"/executors/{index}", f"executors[{index}]"
    try:
        places_of(pod)
    except BadPlaces as error:
        span = flow.span_of(f"{pointer}/{error.place}")
        key = error.place.partition("/")[0]
        yield problem("JNA210", str(error), span, error.hint, f"{path}.{key}")
    reason = "somebody else runs this Pod"
    if not pod.external:
        reason = "the Pod runs here; it is for external Pods"
    for key in HERE if pod.external else AWAY:
        at = flow.spans.get(f"{pointer}/{key}")
        if at is not None and (key not in _DEFAULTS or is_own(flow, at)):
            yield no_effect(key, at, reason, f"{path}.{key}")


def is_own(flow: FlowSpec, span: Span) -> bool:
    """Return whether what stands at `span` was written in a Pod, not for all under `with`."""
    held = flow.span_of("/executors")
    return span.path != held.path or span.line >= held.line


def places_of(pod: PodSpec) -> tuple[Place, ...]:
    """Return the addresses of an external Pod, at least one; none for any other Pod.

    A host may bring its port, `name:8080`, and its scheme, `grpcs://name`. To those without,
    `port` is dealt: one for all, or one for each; one host may have several ports.

    Raises:
        BadPlaces: With the reason.
    """
    if not pod.external:
        return ()
    hosts = pod.host
    if len(hosts) == 1 and len(pod.port) > 1 and _split(hosts[0], 0)[1] is None:
        hosts *= len(pod.port)
    return tuple(_placed(pod, hosts))


def _placed(pod: PodSpec, hosts: tuple[str, ...]) -> Iterator[Place]:
    for number, text in enumerate(hosts):
        host, port, scheme = _split(text, number)
        if port is None:
            port = _port_for(number, pod, hosts)
        yield Place(host=host, port=port, is_secure=pod.tls or scheme in _SECURE)


def _port_for(number: int, pod: PodSpec, hosts: tuple[str, ...]) -> int:
    if not pod.port:
        hint = "add 'port', or write 'host' as name:port"
        raise BadPlaces(f"{pod.name!r} is external, and no port says where", "external", hint)
    if len(pod.port) not in (1, len(hosts)):
        hint = "give one port for all hosts, or one for each"
        raise BadPlaces(
            f"{pod.name!r} has {len(hosts)} hosts and {len(pod.port)} ports", "port", hint
        )
    return pod.port[number if len(pod.port) > 1 else 0]


def _split(text: str, number: int) -> tuple[str, int | None, str]:
    """Return host, port and scheme of a host; the port is None and the scheme empty if unsaid."""
    try:
        parts = urlsplit(text if "://" in text else f"//{text}")
        if parts.hostname and not parts.path.strip("/"):
            return parts.hostname, parts.port, parts.scheme
    except ValueError:
        pass
    hint = "write 'name', 'name:port' or 'grpcs://name'"
    raise BadPlaces(f"{text!r} is no host", f"host/{number}", hint)
