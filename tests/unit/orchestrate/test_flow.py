"""Flows as Python objects, before anything runs."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from jina_cli import Deployment, Executor, Flow
from jina_cli.errors import InputMissing, JinaError, SpecInvalid, UsageError
from jina_cli.orchestrate.runnable import NotRunning

HERE = Path(__file__).resolve()


class Mine(Executor): ...


def test_pods_follow_each_other_and_the_flow_that_was_there_stays_as_it_is() -> None:
    one = Flow().add(name="a")
    two = one.add(name="b", uses=Mine, replicas=2)

    assert [name for name, _ in two] == ["a", "b"]
    assert (two["b"].needs, two["b"].replicas) == (("a",), 2)
    assert two["b"].uses.jtype == f"{HERE}:Mine"
    assert (len(one), len(two), two.num_deployments, "b" in one, "b" in two) == (1, 2, 3, False, 1)
    assert two[0].name == "a"


def test_a_flow_can_be_changed_in_its_place() -> None:
    flow = Flow()

    assert flow.add(name="a", copy_flow=False) is flow
    assert len(flow) == 1


def test_needs_join_and_needs_all_gathers() -> None:
    flow = (
        Flow()
        .add(name="a")
        .add(name="b", needs="gateway")
        .needs(["a", "b"], name="j")
        .add(name="c", needs=["gateway"])
        .needs_all()
    )

    assert flow["j"].needs == ("a", "b")
    assert set(flow["joiner"].needs) == {"j", "c"}


def test_one_pod_is_not_to_be_joined() -> None:
    with pytest.raises(UsageError, match="a joiner needs two Pods at least"):
        Flow().add(name="a").needs(["a"])


@pytest.mark.parametrize(
    "uses", [Mine, "Mine", f"{HERE}:Mine", {"jtype": "Mine"}, "TextIndexer"], ids=str
)
def test_what_runs_is_a_class_a_name_or_a_mapping(uses: Any) -> None:
    if uses == {"jtype": "Mine"}:
        uses = {"jtype": "Mine", "py_modules": [str(HERE)]}

    jtype = Flow().add(uses=uses).build()[0].uses.jtype

    assert jtype.rpartition(":")[2] == ("TextIndexer" if uses == "TextIndexer" else "Mine")


def test_what_is_wrong_is_said_with_the_line_of_python() -> None:
    lines = HERE.read_text("utf-8").splitlines()
    flow = Flow().add(name="a").add(name="b", replcas=2, needs="zzz")

    with pytest.raises(SpecInvalid) as raised:
        flow.build()

    first, *others = raised.value.diagnostics
    assert Path(first.span.path).name == HERE.name
    assert "replcas=2" in lines[first.span.line - 1]
    assert str(raised.value).endswith("is not a key of a Pod: did you mean 'replicas'?")
    assert len(raised.value.__notes__) == len(others) == 1


def test_a_flow_that_is_written_and_read_is_the_same(tmp_path: Path) -> None:
    flow = (
        Flow(name="mine", port=[1, 2], protocol=["grpc", "http"], env={"A": "$B"})
        .config_gateway(title="t")
        .add(uses=Mine, name="a", uses_with={"x": [1, {"y": "1"}]}, shards=2, polling="all")
        .add(name="b", external=True, host="h", port=3, needs="gateway")
        .needs_all(name="j")
    )
    flow.save_config(tmp_path / "sub" / "f.yml")

    again = Flow.load_config(tmp_path / "sub" / "f.yml")

    assert again == flow
    assert again != flow.add(name="c")


def test_yaml_is_read_from_paths_texts_files_and_dicts(tmp_path: Path) -> None:
    text = "jtype: Flow\nexecutors:\n  - name: a\n"
    (tmp_path / "f.yml").write_text(text)
    data = {"jtype": "Flow", "executors": [{"name": "a"}]}

    for source in (tmp_path / "f.yml", str(tmp_path / "f.yml"), text, io.StringIO(text), data):
        assert [name for name, _ in Flow.load_config(source)] == ["a"]


def test_yaml_takes_variables_from_context_and_keywords() -> None:
    text = "jtype: Flow\nexecutors: [{name: a, replicas: '${{ CONTEXT.n }}'}]\n"

    assert Flow.load_config(text, context={"n": 3})["a"].replicas == 3
    assert Flow.load_config(text, n=4)["a"].replicas == 4


def test_what_is_laid_over_with_wins() -> None:
    flow = Flow.load_config("jtype: Flow\nwith: {port: 1, host: h}\n", uses_with={"port": 2})

    assert (flow.port, flow.host) == (2, "h")


def test_yaml_may_be_forbidden_to_import_python() -> None:
    text = "jtype: Flow\nexecutors:\n  - name: a\n    py_modules: [x.py]\n"

    with pytest.raises(SpecInvalid, match=r"<yaml>:4:5: 'py_modules' is not allowed here"):
        Flow.load_config(text, allow_py_modules=False)


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(InputMissing, match=r"there is no file 'none.yml'"):
        Flow.load_config("none.yml")


def test_yaml_that_is_no_mapping_is_no_flow() -> None:
    with pytest.raises(SpecInvalid, match="a Flow is a mapping, and this is none"):
        Flow.load_config("- a\n- b\n")


def test_a_port_is_chosen_when_it_is_first_asked_for() -> None:
    flow = Flow(protocol=["grpc", "http"])

    chosen = flow.port

    assert isinstance(chosen, list)
    assert len(set(chosen)) == 2
    assert flow.port == chosen
    assert flow.protocol == ["grpc", "http"]


def test_a_deployment_is_a_flow_of_one_pod() -> None:
    deployment = Deployment(uses=Mine, name="mine", replicas=3, port=7, protocol="http")

    assert (deployment.name, deployment.num_pods) == ("mine", 3)
    assert (deployment.port, deployment.protocol) == (7, "http")
    assert Flow().add(deployment, needs="gateway")["mine"].replicas == 3


def test_a_flow_that_does_not_run_says_so() -> None:
    flow = Flow().add(name="a")

    assert flow.is_flow_ready() is False
    with pytest.raises(NotRunning, match="this Flow is not running: use it in a 'with' block"):
        flow.post("/")
    with pytest.raises(NotRunning):
        flow.block()
    flow.close()


def test_a_picture_needs_no_network(tmp_path: Path) -> None:
    flow = Flow().add(name="a").plot(tmp_path / "f.svg").plot(tmp_path / "f.mmd")

    assert isinstance(flow, Flow)
    assert (tmp_path / "f.svg").read_text().startswith("<svg")
    assert (tmp_path / "f.mmd").read_text().startswith("flowchart LR")


def test_values_that_cannot_travel_are_refused_where_they_are_written() -> None:
    with pytest.raises(TypeError, match=r"uses_with\['model'\] is a object"):
        Flow().add(uses_with={"model": object()})


def test_an_endpoint_gets_a_path_of_its_own() -> None:
    flow = Flow().expose_endpoint("/x", summary="s").expose_endpoint("/y")

    assert flow.spec.gateway.expose_endpoints == {"/x": {"summary": "s"}, "/y": {}}


def test_a_key_without_effect_is_a_warning_at_the_users_line() -> None:
    flow = Flow().add(name="a", quiet_error=True)

    with pytest.warns(UserWarning, match="'quiet_error' has no effect") as caught:
        flow.build()

    assert Path(caught[0].filename) == HERE


def test_errors_are_ours() -> None:
    assert issubclass(NotRunning, JinaError)


@pytest.mark.parametrize("name", ["to_kubernetes_yaml", "to_k8s_yaml", "to_docker_compose_yaml"])
def test_exports_of_jina_that_are_not_here_say_what_to_do(name: str) -> None:
    with pytest.raises(JinaError) as caught:
        getattr(Flow(), name)("out")

    assert str(caught.value) == (
        "there is no export to Kubernetes or docker-compose here: "
        "save_config() writes the file, and a container of it runs 'jina flow --uses FILE'"
    )


@pytest.mark.parametrize(
    "uses",
    [
        {"jtype": "Mine", "with": {"dim": 3}},
        "jtype: Mine\nwith:\n  dim: 3\n",
        "!Mine\nwith: {dim: 3}",
    ],
    ids=["dict", "text", "tag"],
)
def test_an_executor_may_be_described_where_it_is_used(uses: Any) -> None:
    [pod] = Flow().add(uses=uses).spec.executors

    assert pod.uses.jtype == f"{HERE}:Mine"
    assert pod.uses.with_ == {"dim": 3}


def test_text_under_uses_that_is_no_yaml_is_told_with_its_place() -> None:
    with pytest.raises(SpecInvalid, match=r"^<uses>:2:14: a mapping in braces is not closed"):
        Flow().add(uses="jtype: Mine\nwith: {dim: 3")


def test_a_class_of_the_program_does_not_stand_for_one_of_py_modules(tmp_path: Path) -> None:
    module = tmp_path / "theirs.py"
    module.write_text("from jina import Executor\nclass Mine(Executor): ...\n")
    uses = {"jtype": "Mine", "py_modules": [str(module)]}

    assert Flow().add(uses=uses).spec.executors[0].uses.jtype == "Mine"
