"""What `jina executor` and `jina gateway` are told, as a Flow would say it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jina_cli.cli.alone import keyed, one_executor
from jina_cli.cli.commands.gateway import pods_of
from jina_cli.errors import UsageError


@pytest.mark.parametrize(
    ("texts", "data"),
    [
        (["a=1", "b: x y"], {"a": 1, "b": "x y"}),
        (["a=true", "b='1'", "c=http://h:1"], {"a": True, "b": "1", "c": "http://h:1"}),
        (["a=[1, 2]", "b=[no"], {"a": [1, 2], "b": "[no"}),
        (['{"a": {"b": 1}}', "c="], {"a": {"b": 1}, "c": None}),
    ],
)
def test_pairs_are_read_as_yaml_reads_them(texts: list[str], data: dict[str, Any]) -> None:
    assert keyed(texts, "--uses-with") == data


def test_what_is_no_pair_is_refused() -> None:
    with pytest.raises(UsageError, match="--uses-with is 'x', not KEY=VALUE"):
        keyed(["x"], "--uses-with")


def test_a_graph_of_jina_becomes_external_pods() -> None:
    pods = pods_of(
        {
            "start-gateway": ["a", "b"],
            "a": ["c"],
            "b": ["c", "f"],
            "f": [],
            "c": ["end-gateway"],
        },
        {"c": ["h:3"], "a": ["grpc://h:1", "h:2"], "b": ["h:4"], "f": ["h:5"]},
        {"when": {"b": {"x": {"$eq": 1}}}, "no_reduce": {"c": True}},
    )

    by_name = {pod["name"]: pod for pod in pods}
    assert by_name["a"]["host"] == ["grpc://h:1", "h:2"]
    assert {name: pod["needs"] for name, pod in by_name.items()} == {
        "a": ["gateway"],
        "b": ["gateway"],
        "c": ["a", "b"],
        "f": ["b"],
    }
    assert [name for name, pod in by_name.items() if pod["floating"]] == ["f"]
    assert (by_name["b"]["when"], by_name["c"]["no_reduce"]) == ({"x": {"$eq": 1}}, True)


def test_addresses_without_a_graph_are_a_chain() -> None:
    pods = pods_of({}, {"a": ["h:1"], "b": ["h:2"]}, {})

    assert [(pod["name"], pod["needs"]) for pod in pods] == [("a", ["gateway"]), ("b", ["a"])]


@pytest.mark.parametrize(
    ("graph", "addresses", "message"),
    [
        ({"start-gateway": ["a"]}, {}, "has no address of 'a': it has none"),
        (
            {"start-gateway": ["a"], "a": []},
            {"a": ["h:1"], "b": ["h:2"]},
            "--graph-description has no 'b'",
        ),
    ],
)
def test_graph_and_addresses_name_the_same_pods(
    graph: dict[str, list[str]], addresses: dict[str, list[str]], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        pods_of(graph, addresses, {})


def test_options_win_over_a_deployments_file_and_files_of_options_do_not(tmp_path: Path) -> None:
    path = tmp_path / "one.yml"
    path.write_text("jtype: Deployment\nwith: {uses: TextIndexer, name: one, port: 5}\n")

    typed = one_executor(str(path), {"port": [7], "replicas": 2}, lenient=False)
    filed = one_executor(str(path), {"port": [7]}, lenient=False, from_file={"port"})

    assert (typed.spec.gateway.port, typed.spec.executors[0].replicas) == ((7,), 2)
    assert filed.spec.gateway.port == (5,)
