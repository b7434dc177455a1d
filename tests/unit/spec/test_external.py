"""Where external Pods are: hosts and ports that do not go together."""

from __future__ import annotations

from typing import Any

import pytest

from jina_cli.diagnostics import Span
from jina_cli.spec.external import check_places, places_of
from jina_cli.spec.models import FlowSpec, PodSpec

SPANS = {"/executors/0/host": Span("f.yml", 3, 5, 9), "/executors/0/host/1": Span("f.yml", 4, 7, 9)}

REFUSED: dict[str, tuple[dict[str, Any], tuple[str, str, str]]] = {
    "an external Pod nowhere": (
        {},
        (
            "executors[0].external",
            "'x' is external, and no port says where",
            "add 'port', or write 'host' as name:port",
        ),
    ),
    "an external Pod at uneven places": (
        {"host": ("a", "b"), "port": (1, 2, 3)},
        (
            "executors[0].port",
            "'x' has 2 hosts and 3 ports",
            "give one port for all hosts, or one for each",
        ),
    ),
    "an external Pod at no host": (
        {"host": ("a:b",)},
        (
            "executors[0].host",
            "'a:b' is no host",
            "write 'name', 'name:port' or 'grpcs://name'",
        ),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_is_refused(case: str) -> None:
    keys, expected = REFUSED[case]
    pod = PodSpec(name="x", external=True, **keys)

    found = list(check_places(FlowSpec(executors=(pod,)), pod, 0))

    assert [(d.code, (d.path, d.message, d.hint)) for d in found] == [("JNA210", expected)]


def test_the_host_that_is_none_is_pointed_at() -> None:
    pod = PodSpec(name="x", external=True, host=("a:1", "b:c"))

    found = list(check_places(FlowSpec(executors=(pod,), spans=SPANS), pod, 0))

    assert [str(d.span) for d in found] == ["f.yml:4:7"]


def test_a_pod_of_this_machine_has_no_places() -> None:
    assert places_of(PodSpec(name="x")) == ()
