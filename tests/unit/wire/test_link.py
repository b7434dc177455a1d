"""Addresses of links; links over sockets are under `tests/integration/wire`."""

from __future__ import annotations

import pytest

from jina_cli.wire.channel import LinkDown, parse_address


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("unix:/run/a.sock", "/run/a.sock"),
        ("unix:relative", "relative"),
        ("tcp:localhost:80", ("localhost", 80)),
        ("tcp:[::1]:8080", ("::1", 8080)),
    ],
)
def test_an_address_names_a_path_or_a_host_and_port(address: str, target: object) -> None:
    assert parse_address(address) == target


@pytest.mark.parametrize(
    "address", ["", "unix:", "tcp:80", "tcp:host:", "tcp:host:x", "tcp:a:65536", "http://x"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="is neither 'unix:/path' nor 'tcp:host:port'"):
        parse_address(address)


def test_a_link_that_is_down_says_whether_something_was_sent() -> None:
    assert str(LinkDown(True, address="unix:a", reason="x")) == "the connection to unix:a broke: x"
    assert str(LinkDown(False, address="unix:a")) == "the connection to unix:a is down"
