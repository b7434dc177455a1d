"""From a spec to processes: names, addresses, workspaces, variables, routes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina_cli.errors import CannotWrite
from jina_cli.plan.codec import from_json, to_json
from jina_cli.plan.expand import FOREVER_S, SOCKET_PATH_BYTES, expand
from jina_cli.plan.models import (
    MAX_MESSAGE_BYTES,
    MAX_QUEUE,
    ExecutorPlan,
    FusedPlan,
    Listener,
    PeaPlan,
    Plan,
    Route,
    Telemetry,
)
from jina_cli.spec.models import DriverSpec, ExecutorSpec, FlowSpec, PodSpec
from jina_cli.vocabulary import Partial, PeaRole, Polling, Protocol, Restart
from tests.testing.plans import a_flow, a_pod, in_place, planned


def names(plan: Plan) -> list[str]:
    return [pea.name for pea in plan.peas]


def pea(plan: Plan, name: str) -> PeaPlan:
    return next(pea for pea in plan.peas if pea.name == name)


def route(plan: Plan, pod: str) -> Route:
    assert plan.gateway.gateway is not None
    return next(route for route in plan.gateway.gateway.routes if route.pod == pod)


def test_a_plain_pod_is_one_process() -> None:
    plan = planned(a_flow(a_pod("encode")))

    assert names(plan) == ["encode/rep-0"]
    assert route(plan, "encode").addresses == ("unix:/run/jina/p0.sock",)


def test_replicas_are_all_known_to_the_gateway() -> None:
    plan = planned(a_flow(a_pod("encode", replicas=2)))

    assert names(plan) == ["encode/rep-0", "encode/rep-1"]
    assert route(plan, "encode").addresses == tuple(pea.address for pea in plan.peas)


def test_a_sharded_pod_is_known_by_its_head() -> None:
    plan = planned(a_flow(a_pod("index", shards=2, replicas=2)))

    assert names(plan) == [
        "index/head",
        "index/shard-0/rep-0",
        "index/shard-0/rep-1",
        "index/shard-1/rep-0",
        "index/shard-1/rep-1",
    ]
    head = pea(plan, "index/head")
    assert head.role is PeaRole.HEAD
    assert route(plan, "index").addresses == (head.address,)
    assert head.head is not None
    assert head.head.shards == (
        (pea(plan, "index/shard-0/rep-0").address, pea(plan, "index/shard-0/rep-1").address),
        (pea(plan, "index/shard-1/rep-0").address, pea(plan, "index/shard-1/rep-1").address),
    )


def test_an_executor_around_the_shards_gives_even_one_shard_a_head() -> None:
    plan = planned(a_flow(a_pod("index", uses_after=ExecutorSpec(jtype="Ranker"))))

    head = pea(plan, "index/head").head
    assert names(plan) == ["index/head", "index/rep-0"]
    assert head is not None
    assert head.before is None
    assert head.after == ExecutorPlan(uses="Ranker")


def test_polling_has_defaults_that_only_an_entry_of_its_own_changes() -> None:
    everything = {"*": Polling.ALL}
    mixed = {"*": Polling.ANY, "/index": Polling.ALL, "/foo": Polling.ALL}
    plan = planned(
        a_flow(a_pod("x", shards=2, polling=everything), a_pod("y", shards=2, polling=mixed))
    )

    x, y = pea(plan, "x/head").head, pea(plan, "y/head").head
    assert x is not None
    assert y is not None
    assert x.polling["*"] is Polling.ALL
    assert x.polling["/index"] is Polling.ANY
    assert x.polling["/search"] is Polling.ALL
    assert y.polling["/index"] is Polling.ALL
    assert y.polling["/foo"] is Polling.ALL
    assert y.polling["/search"] is Polling.ALL


@pytest.mark.parametrize(
    ("uses", "expected"),
    [("VectorIndexer", Polling.ALL), ("Mine", None), ("TextEncoder", None)],
)
def test_what_built_in_indexers_count_reaches_all_shards(
    uses: str, expected: Polling | None
) -> None:
    plan = planned(a_flow(a_pod("x", shards=2, uses=uses)))

    head = pea(plan, "x/head").head
    assert head is not None
    assert head.polling.get("/count") is expected
    assert head.polling["/search"] is Polling.ALL


def test_every_shard_has_a_workspace_that_its_replicas_share() -> None:
    plan = planned(a_flow(a_pod("index", shards=2, replicas=2)))

    assert {pea.name: pea.workspace for pea in plan.peas if pea.role is PeaRole.WORKER} == {
        "index/shard-0/rep-0": "/work/index/0",
        "index/shard-0/rep-1": "/work/index/0",
        "index/shard-1/rep-0": "/work/index/1",
        "index/shard-1/rep-1": "/work/index/1",
    }


def test_the_nearest_word_on_workspaces_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    metas = ExecutorSpec(metas={"workspace": "mine"})
    own = PodSpec(name="own", uses=metas, workspace="/pod")
    flow = FlowSpec(executors=in_place((PodSpec(name="m", uses=metas), own)))
    in_flow = FlowSpec(executors=flow.executors, workspace="/flow")

    assert [pea.workspace for pea in planned(flow).peas] == ["/mine/m/0", "/pod/own/0"]
    assert [pea.workspace for pea in planned(in_flow).peas] == ["/flow/m/0", "/pod/own/0"]


def test_variables_of_the_pod_go_before_those_of_the_flow() -> None:
    flow = FlowSpec(env={"A": "1", "B": "1"}, executors=(a_pod("x", env={"B": "2"}),))
    plan = planned(flow)

    assert plan.peas[0].env == {"A": "1", "B": "2"}
    assert plan.gateway.env == {"A": "1", "B": "1"}


def test_gpus_are_dealt_to_replicas() -> None:
    gpus = {"CUDA_VISIBLE_DEVICES": "RR1,3"}
    plan = planned(a_flow(a_pod("x", replicas=3, env=gpus), a_pod("y")))

    seen = [pea.env.get("CUDA_VISIBLE_DEVICES") for pea in plan.peas]
    assert seen == ["1", "3", "1", None]


def test_gpus_of_the_parent_are_dealt_too_and_others_left_alone() -> None:
    environ = {"CUDA_VISIBLE_DEVICES": "RR", "CUDA_TOTAL_DEVICES": "2"}
    plan = planned(
        a_flow(a_pod("x", replicas=3), a_pod("y", env={"CUDA_VISIBLE_DEVICES": "GPU-ab"})), environ
    )

    seen = [pea.env.get("CUDA_VISIBLE_DEVICES") for pea in plan.peas]
    assert seen == ["0", "1", "0", "GPU-ab"]


@pytest.mark.parametrize(
    ("variable", "forkable"),
    [
        ("MY_MODEL", True),
        ("JINA_LOG_LEVEL", True),
        ("OMP_NUM_THREADS", False),
        ("POLARS_NUM_THREADS", False),
        ("CUDA_VISIBLE_DEVICES", False),
        ("PYTHONHASHSEED", False),
        ("LD_PRELOAD", False),
        ("MALLOC_ARENA_MAX", False),
    ],
)
def test_variables_that_libraries_read_early_need_an_own_start(
    variable: str, forkable: bool
) -> None:
    plan = planned(a_flow(a_pod("x", env={variable: "1"})))

    assert plan.peas[0].forkable is forkable


EXTERNAL = {
    "one": ({"host": ("a",), "port": (1,)}, ("grpc://a:1",)),
    "over TLS": ({"host": ("a",), "port": (1,), "tls": True}, ("grpcs://a:1",)),
    "by its scheme": ({"host": ("grpcs://a",), "port": (1,)}, ("grpcs://a:1",)),
    "one port for all": ({"host": ("a", "b"), "port": (1,)}, ("grpc://a:1", "grpc://b:1")),
    "one host, several ports": ({"host": ("a",), "port": (1, 2)}, ("grpc://a:1", "grpc://a:2")),
    "pairs": ({"host": ("a", "b"), "port": (1, 2)}, ("grpc://a:1", "grpc://b:2")),
    "a port of its own": ({"host": ("a:1", "b"), "port": (2,)}, ("grpc://a:1", "grpc://b:2")),
    "an IPv6 address": ({"host": ("[::1]:1",)}, ("grpc://[::1]:1",)),
    "ports in the hosts": ({"host": ("a:1", "b:2")}, ("grpc://a:1", "grpc://b:2")),
}


@pytest.mark.parametrize("case", EXTERNAL)
def test_an_external_pod_has_addresses_and_no_process(case: str) -> None:
    keys, addresses = EXTERNAL[case]
    plan = planned(a_flow(a_pod("x", external=True, grpc_metadata={"k": "v"}, **keys)))

    assert names(plan) == []
    assert route(plan, "x").addresses == addresses
    assert route(plan, "x").external
    assert route(plan, "x").metadata == {"k": "v"}


def test_times_come_in_milliseconds_and_go_out_in_seconds() -> None:
    x = a_pod("x", timeout_ready=1500, timeout_send=250, stop_timeout=4000)
    y = a_pod("y", timeout_ready=-1, timeout_send=-1)
    plan = planned(a_flow(x, y, timeout_send=9000))

    assert (plan.peas[0].ready_within_s, plan.peas[0].stop_within_s) == (1.5, 4.0)
    assert plan.peas[1].ready_within_s == FOREVER_S
    assert [route(plan, name).timeout_s for name in ("x", "y")] == [0.25, None]
    assert plan.gateway.gateway is not None
    assert plan.gateway.gateway.deadline_s == 9.0


def test_the_gateway_listens_where_it_is_told() -> None:
    plan = planned(
        a_flow(a_pod("x"), protocol=(Protocol.GRPC, Protocol.HTTP), port=(0, 8080), host="::1")
    )

    assert plan.gateway.gateway is not None
    assert plan.gateway.gateway.listeners == (
        Listener(protocol=Protocol.GRPC, host="::1", port=0),
        Listener(protocol=Protocol.HTTP, host="::1", port=8080),
    )
    assert plan.gateway.address == plan.gateway.gateway.native_address


def test_restarts_are_each_pods_own() -> None:
    plan = planned(a_flow(a_pod("x", restart=Restart.NO, max_restarts=1), a_pod("y")))

    assert [(p.restart, p.max_restarts) for p in plan.peas] == [
        (Restart.NO, 1),
        (Restart.ON_FAILURE, 5),
    ]


def test_an_executor_is_told_all_that_its_yaml_says() -> None:
    drivers = (DriverSpec(driver="EncodeDriver", with_={"traversal_paths": ["r"]}),)
    uses = ExecutorSpec(
        jtype="Chain",
        with_={"a": 1},
        metas={"name": "chain"},
        py_modules=("/x/e.py",),
        requests={"/index": drivers, "/foo": "bar"},
        dynamic_batching={"/foo": {"preferred_batch_size": 8}},
        components=(ExecutorSpec(jtype="First"),),
        source_dir="/x",
    )
    plan = planned(a_flow(PodSpec(name="x", uses=uses)))

    assert plan.peas[0].executor == ExecutorPlan(
        uses="Chain",
        with_={"a": 1},
        metas={"name": "chain"},
        py_modules=("/x/e.py",),
        requests={
            "/index": [{"driver": "EncodeDriver", "with": {"traversal_paths": ["r"]}}],
            "/foo": "bar",
        },
        dynamic_batching={"/foo": {"preferred_batch_size": 8}},
        components=(ExecutorPlan(uses="First"),),
        source_dir="/x",
    )


def test_the_limit_of_a_message_holds_for_all_processes() -> None:
    pods = (a_pod("x", shards=2), a_pod("y"))

    plan = planned(a_flow(*pods, max_message_bytes=4096))
    usual = planned(a_flow(*pods))

    assert {pea.max_message_bytes for pea in (plan.gateway, *plan.peas)} == {4096}
    assert {pea.max_message_bytes for pea in (usual.gateway, *usual.peas)} == {MAX_MESSAGE_BYTES}


def test_the_gateway_lets_through_as_much_as_the_widest_pod_takes() -> None:
    plan = planned(a_flow(a_pod("x", max_queue=4), a_pod("y", max_queue=1000), a_pod("z")))

    assert [pea.max_queue for pea in plan.peas] == [4, 1000, MAX_QUEUE]
    assert plan.gateway.max_queue == 1000
    assert planned(a_flow(a_pod("x", max_queue=4))).gateway.max_queue == MAX_QUEUE


def test_threads_side_by_side_are_each_pods_own_choice() -> None:
    plan = planned(a_flow(a_pod("x", allow_concurrent=True), a_pod("y")))

    assert [pea.allow_concurrent for pea in plan.peas] == [True, False]


def test_several_ends_are_joined_by_a_process_of_their_own() -> None:
    plan = planned(a_flow(a_pod("x"), a_pod("y", needs="gateway")))

    assert names(plan)[-1] == "joiner/rep-0"
    assert route(plan, "joiner").needs == ("x", "y")


def test_a_join_knows_whose_answers_it_gets() -> None:
    plan = planned(a_flow(a_pod("x"), a_pod("y", needs="gateway"), a_pod("z", needs=("x", "y"))))

    assert [pea.inputs for pea in plan.peas] == [(), (), ("x", "y")]


def test_a_process_is_stopped_before_those_it_needs() -> None:
    plan = planned(a_flow(a_pod("x"), a_pod("y")))

    assert [pea.needs for pea in plan.peas] == [(), ("x",)]
    assert plan.gateway.needs == ("x", "y")


def test_a_path_that_no_socket_can_have_is_refused_with_advice() -> None:
    run_dir = Path("/" + "r" * (SOCKET_PATH_BYTES - len("/gateway.sock")))

    with pytest.raises(CannotWrite) as caught:
        expand(
            a_flow(a_pod("x")),
            run_dir=run_dir,
            log_dir=Path("/l"),
            workspace=Path("/w"),
            environ={},
        )

    assert str(caught.value) == (
        f"{run_dir} is too long a path to hold unix sockets: "
        "set XDG_RUNTIME_DIR to a shorter folder"
    )


@st.composite
def some_flows(draw: st.DrawFn) -> FlowSpec:
    pods: list[PodSpec] = []
    for number in range(draw(st.integers(0, 8))):
        before = [pod.name for pod in pods if not pod.floating]
        needs = draw(st.lists(st.sampled_from(before), unique=True)) if before else []
        external = draw(st.integers(0, 4)) == 0
        pods.append(
            a_pod(
                f"p{number}",
                needs=needs or "gateway",
                floating=draw(st.booleans()) and draw(st.booleans()),
                shards=draw(st.integers(1, 3)),
                replicas=draw(st.integers(1, 3)),
                uses_before=draw(st.sampled_from([None, ExecutorSpec(jtype="First")])),
                external=external,
                port=(1,) if external else (),
                env=draw(st.sampled_from([{}, {"CUDA_VISIBLE_DEVICES": "RR0:2"}])),
            )
        )
    return a_flow(*pods)


@given(some_flows())
def test_every_process_can_be_reached_and_has_its_own_name_and_address(flow: FlowSpec) -> None:
    plan = planned(flow)

    peas = {pea.address: pea for pea in plan.peas}
    assert len({pea.name for pea in plan.peas} | {plan.gateway.name}) == len(plan.peas) + 1
    assert len(peas.keys() | {plan.gateway.address}) == len(plan.peas) + 1
    assert plan.gateway.gateway is not None
    reached = {a for route in plan.gateway.gateway.routes for a in route.addresses}
    for address in tuple(reached):
        head = peas[address].head if address in peas else None
        reached.update(a for shard in (head.shards if head else ()) for a in shard)
    assert peas.keys() <= reached


@given(some_flows())
def test_routes_come_after_those_they_need(flow: FlowSpec) -> None:
    plan = planned(flow)

    assert plan.gateway.gateway is not None
    seen: set[str] = set()
    for step in plan.gateway.gateway.routes:
        assert set(step.needs) <= seen
        seen.add(step.pod)
    assert {pod.name for pod in flow.executors} <= seen


@given(some_flows())
def test_a_plan_survives_json(flow: FlowSpec) -> None:
    plan = planned(flow)

    assert from_json(Plan, json.loads(json.dumps(to_json(plan)))) == plan


def test_pods_of_one_process_are_one_route_and_one_pea_for_each_replica() -> None:
    flow = replace(
        a_flow(
            a_pod("a", replicas=2, timeout_send=1000),
            a_pod("b", "B", replicas=2, timeout_send=1000, when={"x": 1}, allow_concurrent=True),
            a_pod("c", "C", replicas=2, timeout_send=1000, workspace="/own"),
            a_pod("d", needs="c"),
        ),
        colocate=True,
    )
    plan = planned(flow)

    assert names(plan) == ["a/rep-0", "a/rep-1", "d/rep-0"]
    assert pea(plan, "a/rep-1").fused == (
        FusedPlan(
            pod="b",
            executor=ExecutorPlan(uses="B"),
            workspace="/work/b/0",
            when={"x": 1},
            allow_concurrent=True,
        ),
        FusedPlan(pod="c", executor=ExecutorPlan(uses="C"), workspace="/own/c/0"),
    )
    assert route(plan, "a").fused == ("b", "c")
    assert route(plan, "a").timeout_s == 3.0
    assert route(plan, "d").needs == ("a",)
    assert pea(plan, "d/rep-0").needs == ("a",)
    assert plan.gateway.needs == ("a", "d")


def test_a_join_names_what_the_yaml_names_and_is_given_it_by_those_who_run_it() -> None:
    flow = replace(
        a_flow(
            a_pod("a"),
            a_pod("left", needs="a"),
            a_pod("left2", needs="left"),
            a_pod("right", needs="a"),
            a_pod("join", needs=["left2", "right"], no_reduce=True),
        ),
        colocate=True,
    )
    plan = planned(flow)

    assert route(plan, "join").needs == ("left", "right")
    assert pea(plan, "join/rep-0").inputs == ("left2", "right")


def test_a_condition_is_looked_at_where_documents_are_opened_first() -> None:
    when = {"text": {"$exists": True}}
    plan = planned(
        a_flow(
            a_pod("plain", when=when),
            a_pod("sharded", shards=2, when=when),
            a_pod("away", external=True, port=(80,), when=when),
        )
    )

    assert {one.name: one.when for one in plan.peas} == {
        "plain/rep-0": when,
        "sharded/head": when,
        "sharded/shard-0/rep-0": None,
        "sharded/shard-1/rep-0": None,
    }
    assert [route(plan, pod).when for pod in ("plain", "sharded", "away")] == [None, None, when]


def test_a_head_knows_how_its_shards_may_be_asked() -> None:
    keys: dict[str, Any] = {"retries": 2, "idempotent": ("/embed",), "partial": Partial.ALLOW}
    plan = planned(a_flow(a_pod("x", shards=2, **keys)))

    head = pea(plan, "x/head").head
    assert head is not None
    assert (head.retries, head.idempotent, head.partial) == (2, ("/embed",), True)
    assert route(plan, "x").idempotent == ("/embed",)


def test_each_process_knows_who_watches_it() -> None:
    watched: dict[str, Any] = {"monitoring": True, "tracing": True}
    plan = planned(
        a_flow(
            a_pod("x", replicas=2, port_monitoring=(9090,), **watched),
            a_pod("y", metrics=True, metrics_exporter_host="otel", metrics_exporter_port=1),
            port_monitoring=9080,
            monitoring=True,
        )
    )

    assert [one.telemetry for one in (plan.gateway, *plan.peas)] == [
        Telemetry(monitoring=True, port_monitoring=9080),
        Telemetry(monitoring=True, port_monitoring=9090, traces_to="localhost:4317"),
        Telemetry(monitoring=True, port_monitoring=9091, traces_to="localhost:4317"),
        Telemetry(metrics_to="otel:1"),
    ]


def test_who_has_packages_installed_is_started_from_nothing() -> None:
    plan = planned(a_flow(a_pod("x", install_requirements=True), a_pod("y")))

    assert [(one.forkable, one.install_requirements) for one in plan.peas] == [
        (False, True),
        (True, False),
    ]


def test_origins_are_any_or_those_that_are_named() -> None:
    for cors, any_may, some in ((True, True, ()), (("https://a",), False, ("https://a",))):
        gateway = planned(a_flow(a_pod("x"), cors=cors)).gateway.gateway

        assert gateway is not None
        assert (gateway.cors, gateway.cors_origins) == (any_may, some)
