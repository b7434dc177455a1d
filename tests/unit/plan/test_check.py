"""What is refused before anything is planned, and in which words."""

from __future__ import annotations

from typing import Any

import pytest

from jina_cli.diagnostics import Span
from jina_cli.errors import SpecInvalid
from jina_cli.plan.check import problems_of
from jina_cli.spec.models import FlowSpec, GatewaySpec, PodSpec
from jina_cli.vocabulary import Protocol
from tests.testing.flows import a_flow, a_pod, planned

TWO = (Protocol.GRPC, Protocol.HTTP)
REFUSED: dict[str, tuple[FlowSpec, list[tuple[str, str, str, str | None]]]] = {
    "an unknown need": (
        a_flow(a_pod("encode"), a_pod("index", needs="encoed")),
        [
            (
                "JNA201",
                "executors[1].needs",
                "'index' needs 'encoed', which is no Pod of this Flow",
                "did you mean 'encode'?",
            )
        ],
    ),
    "an unknown need like no other": (
        a_flow(a_pod("x", needs="zzz")),
        [
            (
                "JNA201",
                "executors[0].needs",
                "'x' needs 'zzz', which is no Pod of this Flow",
                "it has gateway, x",
            )
        ],
    ),
    "itself": (
        a_flow(a_pod("x", needs="x")),
        [
            (
                "JNA202",
                "executors[0].needs",
                "'x' needs itself",
                "leave `needs` out to take the Pod before it",
            )
        ],
    ),
    "a cycle": (
        a_flow(a_pod("x", needs="y"), a_pod("y", needs="x")),
        [
            (
                "JNA203",
                "executors[0].needs",
                "these Pods wait for each other: x → y → x",
                "let one of them need 'gateway'",
            )
        ],
    ),
    "two of one name": (
        a_flow(a_pod("x"), a_pod("x")),
        [
            (
                "JNA204",
                "executors[1].name",
                "there are two Pods named 'x'",
                "give each its own name",
            )
        ],
    ),
    "a Pod named gateway": (
        a_flow(a_pod("gateway")),
        [
            (
                "JNA205",
                "executors[0].name",
                "a Pod cannot be named 'gateway'",
                "`gateway:` at the top level is where the Gateway is set up",
            )
        ],
    ),
    "waiting for a floating Pod": (
        a_flow(a_pod("log", floating=True), a_pod("x", needs="log")),
        [
            (
                "JNA206",
                "executors[1].needs",
                "'x' needs 'log', which is floating: nobody waits for it",
                "make 'x' floating too, or 'log' not",
            )
        ],
    ),
    "a join of nothing": (
        a_flow(PodSpec(name="x", method="needs")),
        [
            (
                "JNA207",
                "executors[0].needs",
                "'x' joins 0 of the at least two it must",
                "use `needs` without `method`",
            )
        ],
    ),
    "more protocols than ports": (
        a_flow(a_pod("x"), protocol=TWO, port=(1,)),
        [
            (
                "JNA208",
                "gateway.port",
                "2 protocols and 1 ports; there must be one port for each",
                "a port of 0 takes any that is free",
            )
        ],
    ),
    "one port for two protocols": (
        a_flow(a_pod("x"), protocol=TWO, port=(8080, 8080)),
        [
            (
                "JNA209",
                "gateway.port",
                "port 8080 is taken twice: by the Gateway's grpc and the Gateway's http",
                "give each its own",
            )
        ],
    ),
    "a Flow that calls itself": (
        a_flow(a_pod("x", external=True, host=("localhost",), port=(8080,)), port=(8080,)),
        [
            (
                "JNA209",
                "executors[0].port",
                "port 8080 is the Gateway's own, and where 'x' should be",
                "a Flow cannot call itself",
            )
        ],
    ),
    "an external Pod nowhere": (
        a_flow(a_pod("x", external=True)),
        [
            (
                "JNA210",
                "executors[0].host",
                "'x' is external, and no port says where",
                "add `port`, or write `host` as 'name:port'",
            )
        ],
    ),
    "an external Pod at uneven places": (
        a_flow(a_pod("x", external=True, host=("a", "b"), port=(1, 2, 3))),
        [
            (
                "JNA210",
                "executors[0].port",
                "'x' has 2 hosts and 3 ports",
                "give one port for all hosts, or one for each",
            )
        ],
    ),
    "an external Pod at no host": (
        a_flow(a_pod("x", external=True, host=("a:b",))),
        [
            (
                "JNA210",
                "executors[0].host",
                "'a:b' is no host",
                "write 'name', 'name:port' or 'grpcs://name'",
            )
        ],
    ),
    "GPUs that are none": (
        a_flow(a_pod("x", env={"CUDA_VISIBLE_DEVICES": "RRa:b"})),
        [
            (
                "JNA211",
                "executors[0].env.CUDA_VISIBLE_DEVICES",
                "CUDA_VISIBLE_DEVICES: 'a:b' is no slice such as 0:2",
                "write RR for all GPUs, RR0:2 for a slice, RR1,3 for some",
            )
        ],
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_is_refused(case: str) -> None:
    flow, expected = REFUSED[case]

    assert [(p.code, p.path, p.message, p.hint) for p in problems_of(flow, {})] == expected


def test_all_problems_come_at_once_in_the_order_of_the_file() -> None:
    spans = {
        "/gateway/port": Span("f.yml", 2, 3, 7),
        "/executors/0/needs": Span("f.yml", 9, 3, 8),
        "/executors/1": Span("f.yml", 5, 3, 8),
    }
    gateway: Any = GatewaySpec(protocol=TWO, port=(7, 7))
    pods = (a_pod("x", needs="nope"), a_pod("y", needs="y"))
    flow = FlowSpec(gateway=gateway, executors=pods, source="f.yml", spans=spans)

    with pytest.raises(SpecInvalid) as caught:
        planned(flow)

    assert [(str(d.span), d.code) for d in caught.value.diagnostics] == [
        ("f.yml:2:3", "JNA209"),
        ("f.yml:5:3", "JNA202"),
        ("f.yml:9:3", "JNA201"),
    ]
