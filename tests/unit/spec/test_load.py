"""From files to a Flow: dialects, files that name files, overrides, round trips."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from jina_cli.errors import InputMissing, SpecInvalid
from jina_cli.spec.dump import redacted, to_document, to_yaml
from jina_cli.spec.load import Checked, check_file, load_flow
from jina_cli.spec.models import DriverSpec, ExecutorSpec, FlowSpec, PodSpec
from jina_cli.spec.override import Setting
from jina_cli.vocabulary import Polling, Protocol, Restart

GOOD = Path(__file__).parents[2] / "fixtures" / "good"


def flow_of(name: str, **more: Any) -> FlowSpec:
    return load_flow(GOOD / name, env=more.pop("env", {}), **more).spec


def pod_of(flow: FlowSpec, name: str) -> PodSpec:
    return next(pod for pod in flow.executors if pod.name == name)


def written(tmp_path: Path, text: str, name: str = "flow.yml") -> Path:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return path


def checked(tmp_path: Path, text: str, **env: str) -> Checked:
    return check_file(written(tmp_path, text), env=env)


def test_the_least_flow_gets_all_defaults() -> None:
    flow = flow_of("minimal.yml")

    assert (flow.name, flow.workspace, flow.gateway.port) == ("minimal", None, (0,))
    [pod] = flow.executors
    assert (pod.name, pod.uses.jtype, pod.needs) == ("index", "TextIndexer", ("gateway",))
    assert (pod.shards, pod.replicas, pod.restart) == (1, 1, Restart.ON_FAILURE)
    assert flow.source == str(GOOD / "minimal.yml")


def test_what_stands_in_with_is_laid_under_gateway_and_pods() -> None:
    flow = flow_of("everything.yml")

    assert flow.name == "shop"
    assert flow.workspace == str(GOOD / "data")
    assert flow.env == {"LANGUAGE": "en", "LEVEL": "010"}
    assert flow.gateway.protocol == (Protocol.GRPC, Protocol.HTTP)
    assert flow.gateway.port == (0, 0)
    assert flow.gateway.timeout_ready == 60_000
    assert flow.gateway.env == {"LANGUAGE": "de"}
    assert pod_of(flow, "encode").timeout_ready == 120_000
    assert pod_of(flow, "encode").replicas == 2
    assert flow.gateway.max_message_bytes == 1_000_000
    assert [pod_of(flow, name).max_queue for name in ("encode", "index")] == [8, 64]
    assert [pod_of(flow, name).allow_concurrent for name in ("encode", "index")] == [True, False]
    assert pod_of(flow, "index").replicas == 1


def test_an_executor_s_own_yaml_lies_under_what_the_pod_says() -> None:
    encode = pod_of(flow_of("everything.yml"), "encode")

    assert encode.uses == ExecutorSpec(
        jtype="Encode",
        with_={"dim": 32, "model": "small"},
        metas={"name": "encoder"},
        py_modules=(str(GOOD / "executors.py"),),
        requests={"/index": "encode", "/embed": "embed"},
        dynamic_batching={
            "/index": {"preferred_batch_size": 32, "timeout": 100},
            "/embed": {"preferred_batch_size": 8, "timeout": 50},
        },
        source_dir=str(GOOD),
        span=encode.uses.span,
    )
    assert encode.uses.span.path == str(GOOD / "encoder.yml")


def test_a_pod_with_all_its_keys() -> None:
    index = pod_of(flow_of("everything.yml"), "index")

    assert index.polling == {"*": Polling.ANY, "/search": Polling.ALL, "/index": Polling.ANY}
    assert index.uses_before is not None
    assert index.uses_after is not None
    assert index.uses_before.jtype == f"{GOOD / 'executors.py'}:Split"
    assert index.uses_after.jtype == index.uses_before.jtype
    assert index.workspace == str(GOOD / "index")
    assert index.uses.metas == {"name": "texts", "workspace": str(GOOD / "elsewhere")}


def test_an_external_pod_has_addresses() -> None:
    remote = pod_of(flow_of("everything.yml"), "remote")

    assert (remote.external, remote.tls) == (True, True)
    assert remote.host == ("a.example.com", "b.example.com")
    assert remote.port == (51000, 51001)
    assert remote.grpc_metadata == {"authorization": "nobody"}


def test_needs_are_worked_out() -> None:
    flow = flow_of("inspect.yml")

    assert {pod.name: pod.needs for pod in flow.executors} == {
        "a": ("gateway",),
        "look": ("a",),
        "b": ("a",),
        "c": ("a",),
        "gather_inspect": ("look", "c"),
        "all": ("b", "gather_inspect"),
    }


def test_pods_that_inspect_may_be_left_out(tmp_path: Path) -> None:
    text = "jtype: Flow\nwith: {inspect: REMOVE}\nexecutors: [{name: a}, {method: inspect}]\n"

    loaded = load_flow(written(tmp_path, text), env={})

    assert [pod.name for pod in loaded.spec.executors] == ["a"]


def test_a_deployment_is_a_flow_of_one_pod_and_its_ports_are_the_gateway_s() -> None:
    flow = flow_of("deployment.yml")

    assert [(pod.name, pod.shards) for pod in flow.executors] == [("index", 2)]
    assert flow.gateway.port == (51001,)
    assert flow.gateway.protocol == (Protocol.HTTP,)
    assert flow.gateway.cors is True


def test_items_may_be_deployments_in_place_or_by_path() -> None:
    flow = flow_of("includes.yml")

    assert [(pod.name, pod.uses.jtype) for pod in flow.executors] == [
        ("index", "TextIndexer"),
        ("encode", "Encode"),
    ]


def test_variables_come_from_the_environment_and_the_caller() -> None:
    env = {"PORT": "8080", "NUMBER": "007"}

    flow = flow_of("variables.yml", env=env, context={"pod": "index"})

    [pod] = flow.executors
    assert flow.gateway.port == (8080,)
    assert (pod.name, pod.replicas) == ("index", 2)
    assert pod.env == {"NUMBER": "007", "PRICE": "$5"}
    assert pod.uses.with_ == {"name": "8080-index", "label": "8080-index"}


def test_merge_keys_save_repeating() -> None:
    flow = flow_of("merge-keys.yml")

    assert [(pod.name, pod.replicas) for pod in flow.executors] == [("index", 2), ("again", 2)]


def test_jina_0_9_lists_of_pods_are_read() -> None:
    flow = flow_of("jina-0.9-list.yml")

    assert flow.gateway.protocol == (Protocol.HTTP,)
    assert flow.gateway.port == (45678,)
    crafter = pod_of(flow, "crafter")
    assert (crafter.replicas, crafter.timeout_ready) == (3, 100_000)
    index = pod_of(flow, "index")
    assert (index.shards, index.replicas) == (2, 1)
    assert index.uses_after is not None
    assert index.uses_after.jtype == "BaseExecutor"
    assert pod_of(flow, "log").uses.jtype == "BaseExecutor"
    assert flow.executors[3].needs == ("index", "log")


def test_jina_0_9_pods_by_name_are_read() -> None:
    flow = flow_of("jina-0.9-dict.yml")

    assert [(pod.name, pod.needs) for pod in flow.executors] == [
        ("crafter", ("gateway",)),
        ("index", ("crafter",)),
        ("joined", ("crafter", "index")),
    ]


def test_jina_0_9_drivers_get_endpoints() -> None:
    crafter = pod_of(flow_of("jina-0.9-list.yml"), "crafter")

    at_chunks = {"traversal_paths": ["c"], "is_optional": True}
    at_both = {"traversal_paths": ["c", "r"], "is_optional": True}
    assert crafter.uses.requests == {
        "/index": (DriverSpec(driver="CraftDriver", with_=at_chunks),),
        "/search": (DriverSpec(driver="CraftDriver", with_=at_chunks),),
        "/train": (
            DriverSpec(driver="CraftDriver", with_=at_both),
            DriverSpec(driver="EncodeDriver", with_=at_both),
        ),
    }


@pytest.mark.parametrize("name", ["minimal.yml", "everything.yml", "inspect.yml", "includes.yml"])
def test_a_flow_that_is_written_out_is_read_back_the_same(name: str, tmp_path: Path) -> None:
    flow = flow_of(name)

    again = load_flow(written(tmp_path, to_yaml(to_document(flow))), env={})

    assert to_document(again.spec) == to_document(flow)
    assert again.warnings == ()


def test_a_dollar_sign_survives_being_written_out(tmp_path: Path) -> None:
    pod = "{name: a, uses: mine.py:Mine, uses_with: {x: $$HOME, y: 1$, z: $$$$a}}"
    (tmp_path / "mine.py").write_text("class Mine: ...\n")
    text = f"jtype: Flow\nexecutors: [{pod}]\n"
    flow = load_flow(written(tmp_path, text), env={}).spec

    again = load_flow(written(tmp_path, to_yaml(to_document(flow))), env={}).spec

    assert again.executors[0].uses.with_ == {"x": "$HOME", "y": "1$", "z": "$$a"}


def test_secrets_are_masked_and_what_is_around_them_is_not() -> None:
    data = {"token": "x", "with": {"token": {"a": 1}, "b": [{"token": "y", "c": ""}]}}

    assert redacted(data, lambda key: key == "token") == {
        "token": "***",
        "with": {"token": {"a": 1}, "b": [{"token": "***", "c": ""}]},
    }


def test_an_override_is_merged_by_the_names_of_pods(tmp_path: Path) -> None:
    base = written(tmp_path, "jtype: Flow\nexecutors: [{name: a, env: {X: 1}}, {name: b}]\n")
    over = written(
        tmp_path, "executors: [{name: a, replicas: 2, env: {Y: 2}}, {name: c}]\n", "over.yml"
    )

    flow = load_flow(base, overrides=[over], env={}).spec

    assert [pod.name for pod in flow.executors] == ["a", "b", "c"]
    assert flow.executors[0].replicas == 2
    assert flow.executors[0].env == {"X": "1", "Y": "2"}


def test_single_settings_are_checked_like_yaml() -> None:
    settings = [
        Setting(key="gateway.port", value=[9090], origin="--port"),
        Setting(key="executors.index.replicas", value=3, origin="--scale"),
    ]
    flow = flow_of("minimal.yml", overrides=settings)

    assert (flow.gateway.port, flow.executors[0].replicas) == ((9090,), 3)

    wrong = [
        Setting(key="executors.index.replicas", value="many", origin="--scale"),
        Setting(key="executors.indx.replicas", value=3, origin="--scale"),
    ]
    with pytest.raises(SpecInvalid) as caught:
        flow_of("minimal.yml", overrides=wrong)
    assert [(each.code, each.span.path) for each in caught.value.diagnostics] == [
        ("JNA201", "--scale"),
        ("JNA102", "--scale"),
    ]


def test_a_missing_file_is_no_invalid_spec() -> None:
    with pytest.raises(InputMissing, match=r"there is no file 'nowhere\.yml'"):
        load_flow("nowhere.yml", env={})


def test_an_executor_is_no_flow() -> None:
    assert check_file(GOOD / "encoder.yml", env={}).kind == "executor"
    with pytest.raises(SpecInvalid, match="describes an Executor"):
        load_flow(GOOD / "encoder.yml", env={})


def test_classes_are_looked_up_where_the_yaml_says(tmp_path: Path) -> None:
    (tmp_path / "code" / "pkg").mkdir(parents=True)
    (tmp_path / "code" / "pkg" / "__init__.py").write_text("raise RuntimeError('was run')\n")
    (tmp_path / "code" / "pkg" / "a.py").write_text("class A: ...\n")
    (tmp_path / "code" / "b.py").write_text("from pkg.a import *\n")
    text = (
        "jtype: Flow\nwith: {extra_search_paths: [code]}\nexecutors:\n"
        "  - {name: a, uses: 'pkg.a:A'}\n"
        "  - {name: b, uses: pkg.a.A}\n"
        "  - {name: c, uses: 'b.py:Anything'}\n"
        "  - {name: d, uses: A, py_modules: [pkg]}\n"
        "  - {name: e, uses: 'pkg.a:B'}\n"
    )

    result = checked(tmp_path, text)

    assert [each.message for each in result.diagnostics] == [
        "no class 'A' in " + str(tmp_path / "code" / "pkg" / "__init__.py"),
        "no class 'B' in the module 'pkg.a'",
    ]
    assert isinstance(result.spec, FlowSpec)
    assert [pod.uses.jtype for pod in result.spec.executors[:3]] == [
        "pkg.a:A",
        "pkg.a:A",
        f"{tmp_path / 'code' / 'b.py'}:Anything",
    ]


def test_a_broken_part_does_not_hide_the_rest(tmp_path: Path) -> None:
    text = (
        "jtype: Flow\ngateway: {port: x}\nexecutors:\n"
        "  - {name: a, replicas: many, needs: nobody}\n"
        "  - {name: a, uses: nothing.yml}\n"
        "  - 5\n"
    )

    assert [each.code for each in checked(tmp_path, text).diagnostics] == [
        "JNA102",
        "JNA102",
        "JNA201",
        "JNA204",
        "JNA501",
        "JNA102",
    ]


def test_jina_lenient_in_the_environment_counts(tmp_path: Path) -> None:
    text = "jtype: Flow\nexecutors: [{name: a, replica: 3}]\n"

    assert not checked(tmp_path, text).is_valid
    assert checked(tmp_path, text, JINA_LENIENT="1").is_valid


@pytest.mark.parametrize("text", ["[1, 2]", "5", "a: 1", "jtype: Gateway"])
def test_what_describes_nothing_is_refused(text: str, tmp_path: Path) -> None:
    assert [each.code for each in checked(tmp_path, text).diagnostics] == ["JNA111"]


@pytest.mark.parametrize(
    "text",
    [
        "jtype: Flow\nexecutors: {name: a}\n",
        "jtype: Flow\nexecutors: a\n",
        "jtype: Flow\nwith: [1]\ngateway: 5\n",
        "jtype: Flow\nexecutors: [[], 5, null, {uses: {}}, {uses: {jtype: [1]}}]\n",
        "jtype: Deployment\nwith: 5\n",
        "jtype: Flow\npods: {a: 5, b: [1]}\n",
        "jtype: A\nrequests: 5\ncomponents: [1, {}]\n",
        "jtype: {a: b}\n",
    ],
)
def test_no_shape_makes_it_crash(text: str, tmp_path: Path) -> None:
    assert not checked(tmp_path, text).is_valid


def test_a_spec_knows_where_each_key_stands() -> None:
    flow = flow_of("everything.yml")

    assert flow.span_of("/executors/1/replicas").line == 11  # out of `with`
    assert flow.span_of("/executors/2/shards").line == 63
    assert flow.span_of("/executors/2/nothing") == flow.span_of("/executors/2")


def test_models_are_values() -> None:
    for model in (FlowSpec, PodSpec, ExecutorSpec, DriverSpec):
        assert model.__dataclass_params__.frozen  # type: ignore[attr-defined]
        assert "__slots__" in vars(model)
        assert all(field.kw_only for field in dataclasses.fields(model))


def test_what_jina_ignores_in_a_flow_is_said_and_has_no_effect() -> None:
    loaded = load_flow(GOOD / "jina-3-extras.yml", env={})

    assert [pod.name for pod in loaded.spec.executors] == ["encode", "index", "listed"]
    assert loaded.spec.executors[0].uses.dynamic_batching["/encode"] == {
        "preferred_batch_size": 8,
        "use_custom_metric": True,
        "use_dynamic_batching": False,
    }
    assert loaded.spec.executors[2].uses.metas["keywords"] == ["text"]
    assert [(w.span.line, w.message) for w in loaded.warnings] == [
        (9, "'jcloud' has no effect: Flows run on this machine"),
        (12, "'jcloud' has no effect: Flows run on this machine"),
        (
            18,
            "'output_array_type' has no effect: "
            "arrays are of the kind that the class of the documents says, on either side",
        ),
        (19, "'jcloud' has no effect: Flows run on this machine"),
    ]
