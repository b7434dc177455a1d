"""Ports where processes are watched, and collectors."""

from __future__ import annotations

import pytest

from jina_cli.spec.models import ExecutorSpec
from jina_cli.spec.watching import BadPorts, collector, ports_of, processes_of, watched_ports
from tests.testing.plans import a_flow, a_pod


def test_a_head_is_a_process_too() -> None:
    assert processes_of(a_pod("a", shards=2, replicas=3)) == 7
    assert processes_of(a_pod("a", uses_before=ExecutorSpec())) == 2
    assert processes_of(a_pod("a", external=True)) == 0


def test_of_one_port_those_that_follow_are_taken() -> None:
    pod = a_pod("a", shards=2, monitoring=True, port_monitoring=(9090,))

    assert ports_of(pod) == (9090, 9091, 9092)


def test_each_process_may_have_the_port_it_is_given() -> None:
    pod = a_pod("a", replicas=2, monitoring=True, port_monitoring=(9090, 7000))

    assert ports_of(pod) == (9090, 7000)


@pytest.mark.parametrize("ports", [(), (0,)])
def test_nothing_is_served_where_no_port_is_given(ports: tuple[int, ...]) -> None:
    assert ports_of(a_pod("a", replicas=2, monitoring=True, port_monitoring=ports)) == (0, 0)


def test_nothing_is_served_that_is_not_counted() -> None:
    assert ports_of(a_pod("a", port_monitoring=(9090,))) == (0,)


@pytest.mark.parametrize("ports", [(9090, 9091), (65535,)])
def test_ports_have_to_do_for_all_processes(ports: tuple[int, ...]) -> None:
    with pytest.raises(BadPorts, match="'a' has 3 processes"):
        ports_of(a_pod("a", replicas=3, monitoring=True, port_monitoring=ports))


def test_ports_of_pods_and_of_the_gateway_are_known() -> None:
    flow = a_flow(
        a_pod("a", monitoring=True, port_monitoring=(9090,)),
        a_pod("b", monitoring=True, port_monitoring=(1, 2)),
        monitoring=True,
        port_monitoring=9080,
    )

    assert [(port, who) for port, who, _ in watched_ports(flow)] == [
        (9080, "metrics of the Gateway"),
        (9090, "metrics of 'a'"),
    ]


def test_a_collector_is_a_host_and_a_port() -> None:
    assert collector(True, "otel.example.com", 4317) == "otel.example.com:4317"
    assert collector(True, "::1", 4317) == "[::1]:4317"
    assert collector(False, "localhost", 4317) == ""
