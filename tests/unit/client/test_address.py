"""Addresses as users write them."""

from __future__ import annotations

from typing import Any

import pytest

from jina_cli.client.address import Scheme, Target, target_from, target_of
from jina_cli.errors import UsageError
from jina_cli.vocabulary import Protocol

GRPC, HTTP, NATIVE = Scheme.GRPC, Scheme.HTTP, Scheme.NATIVE


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("localhost:80", Target(scheme=GRPC, host="localhost", port=80)),
        ("grpc://h:1", Target(scheme=GRPC, host="h", port=1)),
        ("grpcs://h:1", Target(scheme=GRPC, host="h", port=1, secure=True)),
        ("http://h:8080/", Target(scheme=HTTP, host="h", port=8080)),
        ("http://h", Target(scheme=HTTP, host="h", port=80)),
        ("https://h", Target(scheme=HTTP, host="h", port=443, secure=True)),
        ("grpc://[::1]:5", Target(scheme=GRPC, host="::1", port=5)),
        ("tcp:h:9", Target(scheme=NATIVE, host="h", port=9)),
        ("tcp://h:9", Target(scheme=NATIVE, host="h", port=9)),
        ("unix:/a/b", Target(scheme=NATIVE, host="/a/b", port=0)),
        ("unix:///a/b", Target(scheme=NATIVE, host="/a/b", port=0)),
        ("/a/b.sock", Target(scheme=NATIVE, host="/a/b.sock", port=0)),
    ],
)
def test_an_address_says_protocol_and_place(url: str, target: Target) -> None:
    assert target_of(url) == target


@pytest.mark.parametrize(
    "url", ["", "host", "grpc://h", "grpc://h:x", "http://h:99999", "ftp://h:1"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        target_of(url)


@pytest.mark.parametrize(
    "url", ["unix:/a", "tcp:h:9", "grpc://h:1", "https://h:2", "grpc://[::1]:5"]
)
def test_an_address_is_shown_as_it_can_be_written(url: str) -> None:
    assert str(target_of(url)) == url


@pytest.mark.parametrize(
    ("url", "local"), [("localhost:1", True), ("127.0.0.1:1", True), ("example.org:1", False)]
)
def test_this_host_is_known_so_that_no_proxy_is_asked_for_it(url: str, local: bool) -> None:
    assert target_of(url).is_local is local


@pytest.mark.parametrize(
    ("arguments", "url"),
    [
        ({"host": "grpc://h:1"}, "grpc://h:1"),
        ({"host": "h", "port": 1}, "grpc://h:1"),
        ({"host": "h:1"}, "grpc://h:1"),
        ({"host": "h", "port": 1, "protocol": "HTTP"}, "http://h:1"),
        ({"host": "h", "port": 1, "protocol": ["websocket"]}, "ws://h:1"),
        ({"host": "h", "port": 1, "protocol": Protocol.WEBSOCKET, "tls": True}, "wss://h:1"),
        ({"host": "h", "port": 1, "tls": True}, "grpcs://h:1"),
        ({"host": "https://h"}, "https://h:443"),
        ({"host": "http://h", "tls": True}, "https://h:443"),
        ({"host": "ws://h:5/path"}, "ws://h:5"),
        ({"host": "websocket://h:5"}, "ws://h:5"),
        ({"host": "grpc://h:1", "port": 2}, "grpc://h:2"),
        ({"host": "http://h:1", "protocol": "grpc"}, "http://h:1"),
        ({"host": "0.0.0.0", "port": 1}, "grpc://127.0.0.1:1"),
        ({"host": "::1", "port": 1, "protocol": "http"}, "http://[::1]:1"),
        ({"host": "unix:/a/b"}, "unix:/a/b"),
        ({"host": "tcp:h:9"}, "tcp:h:9"),
    ],
)
def test_jinas_arguments_say_an_address(arguments: dict[str, Any], url: str) -> None:
    assert str(target_from(**arguments)) == url


@pytest.mark.parametrize(
    "arguments",
    [{"host": "h"}, {"host": "h", "port": 1, "protocol": "smtp"}, {"host": "h", "port": 99_999}],
)
def test_arguments_that_say_no_address_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        target_from(**arguments)
