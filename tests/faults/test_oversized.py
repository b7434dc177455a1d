"""Fault: requests that are too much: too long, too deep, or far longer than they look.

Each is refused at once, with an answer that says so or the end of the connection. It takes no
more memory than a request that may be, and none of it stays.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import grpc
import pytest

from jina_cli.wire.frames import HEADER, Kind, build
from jina_cli.wire.messages import Format
from tests.testing import oversized as over
from tests.testing.processes import Jinas, wait_until
from tests.testing.serving import Serving, a_flow_on_all

MB = 2**20
TOO_LONG = 65 * MB
BOMB = 100 * MB
DEPTH = 100_000
WITHIN_S = 20.0
"""Of which nearly all is the client's: it makes and sends 65 MiB on a machine that is busy."""

PEAK = 164 * MB
"""What all processes together take more at a time: a body of 64 MiB that may be, and 100."""

KEPT = 12 * MB
"""What they keep."""

ECHO = """
from jina import Executor, requests

class Echo(Executor):
    @requests
    def echo(self, docs, **kwargs):
        return [doc for doc in docs]
"""
_LIST = "[" * DEPTH + "]" * DEPTH
_OBJECT = '{"a":' * DEPTH + "1" + "}" * DEPTH
_IN_DATA = f'{{"data": {_LIST}}}'
_IN_TAGS = f'{{"data": [{{"id": "1", "tags": {_OBJECT}}}]}}'
_IN_PARAMETERS = f'{{"data": [], "parameters": {_OBJECT}}}'


def _long_json() -> str:
    return '{"data": [{"text": "%s"}]}' % ("x" * TOO_LONG)


def _native(body: bytes = b"", head: bytes = b'{"e":"/"}') -> bytes:
    return b"".join(build(Kind.REQUEST, 1, head=head, bodies=[body]))


CLAIMED = HEADER.pack(2**32 - 1, 1, Kind.REQUEST, int(Format.COLUMNS), 1, 0, 2) + b"{}"
Case = Callable[[str], str]
CASES: Mapping[str, Case] = {
    "http, 65 MiB": lambda to: over.ask_http(to, over.http_post(_long_json().encode())),
    "http, 65 MiB in chunks": lambda to: over.ask_http(
        to,
        over.http_post(over.in_chunks(_long_json().encode()), "Transfer-Encoding: chunked"),
    ),
    "http, 65 MiB only claimed": lambda to: over.ask_http(
        to, over.http_post(b"{", f"Content-Length: {TOO_LONG}")
    ),
    "http, a bomb": lambda to: over.ask_http(
        to, over.http_post(over.gzipped(BOMB), "Content-Encoding: gzip")
    ),
    "http, deep data": lambda to: over.ask_http(to, over.http_post(_IN_DATA.encode())),
    "http, deep tags": lambda to: over.ask_http(to, over.http_post(_IN_TAGS.encode())),
    "http, deep parameters": lambda to: over.ask_http(to, over.http_post(_IN_PARAMETERS.encode())),
    "websocket, 65 MiB": lambda to: over.ask_websocket(to, over.long_message(TOO_LONG)),
    "websocket, 65 MiB of JSON": lambda to: over.ask_websocket(to, _long_json()),
    "websocket, a bomb": lambda to: over.ask_websocket_raw(to, over.websocket_bomb(BOMB)),
    "websocket, deep JSON data": lambda to: over.ask_websocket(to, _IN_DATA),
    "websocket, deep JSON tags": lambda to: over.ask_websocket(to, _IN_TAGS),
    "websocket, deep JSON parameters": lambda to: over.ask_websocket(to, _IN_PARAMETERS),
    "websocket, deep tags": lambda to: over.ask_websocket(to, over.deep_tags(DEPTH)),
    "websocket, deep parameters": lambda to: over.ask_websocket(to, over.deep_parameters(DEPTH)),
    "grpc, 65 MiB": lambda to: over.ask_grpc(to, over.long_message(TOO_LONG)),
    "grpc, a bomb": lambda to: over.ask_grpc(to, over.long_message(BOMB), grpc.Compression.Gzip),
    "grpc, deep tags": lambda to: over.ask_grpc(to, over.deep_tags(DEPTH)),
    "grpc, deep parameters": lambda to: over.ask_grpc(to, over.deep_parameters(DEPTH)),
    "native, 65 MiB": lambda to: over.ask_native(to, _native(bytes(TOO_LONG))),
    "native, 4 GiB only claimed": lambda to: over.ask_native(to, CLAIMED),
    "native, a deep head": lambda to: over.ask_native(to, _native(head=_OBJECT.encode())),
    "native, deep parameters": lambda to: over.ask_native(
        to, _native(head=b'{"e":"/","p":%s}' % _OBJECT.encode())
    ),
}
REFUSALS = {
    "http": {"400", "413", "415", "422", over.CLOSED},
    "websocket": {"1002", "1003", "1007", "1009", "INVALID", "TOO_LARGE", over.CLOSED},
    "grpc": {"INVALID_ARGUMENT", "RESOURCE_EXHAUSTED", "INVALID", "TOO_LARGE"},
    "native": {"INVALID", "TOO_LARGE", over.CLOSED},
}


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder: Path = tmp_path_factory.mktemp("oversized")
    with Jinas(folder) as jina:
        serving = a_flow_on_all(jina, folder, ECHO, "Echo")
        for case, ask in CASES.items():
            if "deep" in case:  # the code that reads is there, and has been used
                ask(serving.addresses[case.partition(",")[0]])
        yield serving


def _memory_meanwhile(serving: Serving, work: threading.Thread) -> int:
    """Return the most that all processes together had while a thread worked."""
    most = sum(serving.rss().values())
    work.start()
    while work.is_alive():
        most = max(most, sum(serving.rss().values()))
        work.join(0.02)
    return most


@pytest.mark.timeout(120)
@pytest.mark.parametrize("case", CASES)
def test_what_is_too_much_is_refused_and_takes_no_memory(serving: Serving, case: str) -> None:
    protocol = case.partition(",")[0]
    before = serving.rss()
    found: list[str] = []
    began = time.monotonic()
    asking = threading.Thread(target=lambda: found.append(CASES[case](serving.addresses[protocol])))

    most = _memory_meanwhile(serving, asking)

    seconds, after = time.monotonic() - began, serving.rss()
    peak, kept = most - sum(before.values()), sum(after.values()) - sum(before.values())
    print(f"{case}: {found} in {seconds:.2f} s, {peak / MB:+.1f} MB, {kept / MB:+.1f} MB stay")
    assert set(found) < REFUSALS[protocol], found
    assert seconds < WITHIN_S
    assert after.keys() == before.keys(), "a process was started again"
    assert peak < PEAK
    assert kept < KEPT
    assert "Traceback" not in serving.process.stdout + serving.process.stderr


GIVEN_UP = 30 * MB
_JSON = b'{"data": [{"text": "%s"}]}' % (b"x" * GIVEN_UP)
_MESSAGE = over.long_message(GIVEN_UP)
BROKEN_OFF: Mapping[str, bytes] = {
    "http": over.http_post(_JSON)[:-5],
    "http, in chunks": over.http_post(over.in_chunks(_JSON), "Transfer-Encoding: chunked"),
    "websocket": over.websocket_message(_MESSAGE)[:-5],
    "websocket, whole": over.websocket_message(_MESSAGE),
    "native": _native(bytes(GIVEN_UP))[:-5],
}


@pytest.mark.parametrize("case", BROKEN_OFF)
def test_bytes_of_a_client_that_broke_off_do_not_stay(serving: Serving, case: str) -> None:
    address = serving.addresses[case.partition(",")[0]]
    over.break_off(address, BROKEN_OFF[case])
    before = sum(serving.rss().values())

    for _ in range(5):
        over.break_off(address, BROKEN_OFF[case])

    wait_until(
        lambda: sum(serving.rss().values()) < before + GIVEN_UP, 10, "the memory to be free again"
    )
