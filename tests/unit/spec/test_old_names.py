"""What files of Jina 0.9 name: Executors, built-in Pods and Drivers, as what they are today."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jina_cli.spec.load import Checked, check_file
from jina_cli.spec.models import DriverSpec, ExecutorSpec, FlowSpec


def checked(folder: Path, uses: str) -> Checked:
    """Return what is said of a Flow of 0.9 with one Pod that uses something."""
    lines = "".join(f"      {line}\n" for line in uses.strip().splitlines())
    text = f"!Flow\nversion: '1'\npods:\n  - name: a\n    uses:\n{lines}"
    (folder / "flow.yml").write_text(text)
    return check_file(folder / "flow.yml", env={})


def used(folder: Path, uses: str) -> ExecutorSpec:
    found = checked(folder, uses)
    assert found.is_valid, found.diagnostics
    assert isinstance(found.spec, FlowSpec)
    return found.spec.executors[0].uses


def said(folder: Path, uses: str) -> list[tuple[str, str]]:
    return [(each.code, each.message) for each in checked(folder, uses).diagnostics]


@pytest.mark.parametrize(
    ("uses", "jtype", "with_"),
    [
        ("NumpyIndexer", "VectorIndexer", {"store_fields": []}),
        (
            "!NumpyIndexer\nwith: {metric: euclidean, compress_level: 0}",
            "VectorIndexer",
            {"metric": "l2", "store_fields": []},
        ),
        (
            "!NumpyIndexer\nwith: {metric: cosine}",
            "VectorIndexer",
            {"metric": "cosine", "store_fields": []},
        ),
        ("BinaryPbIndexer", "KeyValueIndexer", {}),
        ("!DataURIPbIndexer\nwith: {index_filename: x}", "KeyValueIndexer", {}),
        ("MinRanker", "Chunk2DocRanker", {"aggregate": "max"}),
        ("_pass", "BaseExecutor", {}),
        ("_route", "BaseExecutor", {}),
        ("_merge", "BaseExecutor", {}),
        ("_merge_chunks", "BaseExecutor", {}),
        ("_merge_matches", "BaseExecutor", {}),
    ],
)
def test_executors_of_0_9_are_read_as_those_of_today(
    tmp_path: Path, uses: str, jtype: str, with_: dict[str, Any]
) -> None:
    spec = used(tmp_path, uses)

    assert (spec.jtype, spec.with_) == (jtype, with_)


@pytest.mark.parametrize(
    ("uses", "drivers"),
    [
        ("_concat", (DriverSpec(driver="ConcatDriver"),)),
        ("_clear", (DriverSpec(driver="SliceDriver", with_={"end": 0}),)),
        (
            "_merge_matches_topk",
            (
                DriverSpec(driver="ReduceDriver"),
                DriverSpec(
                    driver="SortDriver",
                    with_={"field": "score", "reverse": True, "traversal_paths": "@m"},
                ),
                DriverSpec(driver="SliceDriver", with_={"end": 10, "traversal_paths": "@m"}),
            ),
        ),
    ],
)
def test_built_in_pods_are_lists_of_drivers(tmp_path: Path, uses: str, drivers: Any) -> None:
    assert used(tmp_path, uses).requests == {"/default": drivers}


def test_what_is_kept_goes_on_as_it_did(tmp_path: Path) -> None:
    both = {"traversal_paths": ["c", "r"], "pass_on": True}

    assert used(tmp_path, "BinaryPbIndexer").requests == {
        "/index": (DriverSpec(driver="IndexDriver", with_=both),),
        "/update": (DriverSpec(driver="UpdateDriver", with_=both),),
    }
    assert used(tmp_path, "!BinaryPbIndexer\nrequests: {on: {}}").requests == {}


def test_precision_and_recall_are_two_evaluators_side_by_side(tmp_path: Path) -> None:
    spec = used(tmp_path, "_eval_pr")

    judge = DriverSpec(driver="EvaluateDriver", with_={"field": "tags__id", "is_optional": True})
    assert [(part.jtype, part.requests) for part in spec.components] == [
        ("PrecisionEvaluator", {"/search": (judge,)}),
        ("RecallEvaluator", {"/search": (judge,)}),
    ]


def test_what_changed_is_told_with_todays_name(tmp_path: Path) -> None:
    assert said(tmp_path, "!NumpyIndexer\nwith: {backend: numpy, metric: hamming}") == [
        ("JNA113", "'NumpyIndexer' of Jina 0.9 is read as 'VectorIndexer'"),
        ("JNA109", "'backend' has no effect: it is about how Jina 0.9 worked"),
        ("JNA103", "'metric' takes cosine, inner_product or l2, not 'hamming'"),
    ]


def test_a_class_of_ones_own_keeps_its_name(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("class NumpyIndexer: ...\n")

    spec = used(tmp_path, "!NumpyIndexer\nmetas: {py_modules: mine.py}")

    assert spec.jtype == "NumpyIndexer"


COMPOUND = """
!CompoundIndexer
components:
  - !NumpyIndexer {}
  - !BinaryPbIndexer {}
"""


def test_a_compound_indexer_searches_vectors_and_fills_documents(tmp_path: Path) -> None:
    spec = used(tmp_path, COMPOUND)

    served = {
        endpoint: [(each.driver, each.with_.get("executor", "")) for each in drivers]
        for endpoint, drivers in spec.requests.items()
        if not isinstance(drivers, str)
    }
    vectors, bodies = "BaseVectorIndexer", "BaseKVIndexer"
    assert served == {
        "/index": [("IndexDriver", vectors), ("ExcludeDriver", ""), ("IndexDriver", bodies)],
        "/update": [("UpdateDriver", vectors), ("ExcludeDriver", ""), ("UpdateDriver", bodies)],
        "/search": [
            ("SearchDriver", vectors),
            ("ExcludeDriver", ""),
            ("KeyValueSearchDriver", bodies),
        ],
        "/delete": [("DeleteDriver", vectors), ("DeleteDriver", bodies)],
    }


def test_what_a_compound_says_itself_stands(tmp_path: Path) -> None:
    spec = used(tmp_path, COMPOUND + "requests: {on: {SearchRequest: [!KVSearchDriver {}]}}")

    kept = DriverSpec(driver="KeyValueSearchDriver", with_={"traversal_paths": ["m"]})
    assert spec.requests == {"/search": (kept,)}


def drivers_of(folder: Path, endpoint: str, driver: str) -> list[DriverSpec]:
    text = f"!BaseExecutor\nrequests: {{on: {{{endpoint}: [{driver}]}}}}"
    (served,) = used(folder, text).requests.values()
    assert not isinstance(served, str)
    return list(served)


@pytest.mark.parametrize(
    ("endpoint", "driver", "now"),
    [
        ("IndexRequest", "!VectorIndexDriver {}", "IndexDriver"),
        ("UpdateRequest", "!VectorIndexDriver {}", "UpdateDriver"),
        ("UpdateRequest", "!KVIndexDriver {with: {method: update}}", "UpdateDriver"),
        ("DeleteRequest", "!KVIndexDriver {with: {method: delete}}", "DeleteDriver"),
        ("DeleteRequest", "!VectorIndexDriver {}", "DeleteDriver"),
        ("SearchRequest", "!URI2Buffer {}", "ConvertDriver"),
        ("SearchRequest", "!Blob2PngURI {with: {width: 28, height: 28}}", "ConvertDriver"),
        ("EvalRequest", "!RankingEvaluationDriver {with: {id_tag: id}}", "EvaluateDriver"),
    ],
)
def test_drivers_have_the_name_for_what_they_do(
    tmp_path: Path, endpoint: str, driver: str, now: str
) -> None:
    (spec,) = drivers_of(tmp_path, endpoint, driver)

    assert spec.driver == now


@pytest.mark.parametrize("name", ["ControlReqDriver", "RouteDriver", "ForwardDriver"])
def test_drivers_that_every_pod_has_are_left_out(tmp_path: Path, name: str) -> None:
    uses = f"!BaseExecutor\nrequests: {{on: {{SearchRequest: [!{name} {{}}]}}}}"

    assert (used(tmp_path, uses).requests, said(tmp_path, uses)) == ({"/search": ()}, [])


@pytest.mark.parametrize(
    ("driver", "code", "message"),
    [
        ("!WaitDriver {}", "JNA109", "'WaitDriver' has no effect: it only waited"),
        (
            "!VectorSearchDriver {with: {fill_embedding: true}}",
            "JNA109",
            "'fill_embedding' has no effect: name 'embedding' in 'return_fields' of the Indexer",
        ),
        (
            "!Matches2DocRankDriver {with: {reverse: true}}",
            "JNA109",
            "'reverse' has no effect: put a ReverseQL behind it",
        ),
        ("!MultiModalDriver {}", "JNA108", "'MultiModalDriver' of Jina 0.9 is not supported"),
        ("!ExcludeReqQL {}", "JNA108", "'ExcludeReqQL' of Jina 0.9 is not supported"),
        (
            "!SortQL {with: {field: score__value}}",
            "JNA113",
            "'SortQL' orders by scores, which are higher for better here",
        ),
    ],
)
def test_drivers_that_are_not_what_they_were_say_so(
    tmp_path: Path, driver: str, code: str, message: str
) -> None:
    uses = f"!BaseExecutor\nrequests: {{on: {{SearchRequest: [{driver}]}}}}"

    assert said(tmp_path, uses) == [(code, message)]


def test_options_that_were_off_are_left_out_in_silence(tmp_path: Path) -> None:
    driver = "!VectorSearchDriver {with: {fill_embedding: false}}"

    assert said(tmp_path, f"!BaseExecutor\nrequests: {{on: {{SearchRequest: [{driver}]}}}}") == []


@pytest.mark.parametrize(
    ("options", "paths"),
    [
        ("granularity_range: [0, 1]", ["r", "c"]),
        ("granularity_range: [2, 2]", ["cc"]),
        ("adjacency_range: [1, 1]", ["m"]),
        ("granularity_range: [0, 1], adjacency_range: [0, 1]", ["r", "m", "c", "cm"]),
        ("granularity_range: [0, 1], traversal_paths: [m]", ["m"]),
        ("recur_on: [chunks]", ["c", "r"]),
    ],
)
def test_ranges_of_levels_are_paths(tmp_path: Path, options: str, paths: list[str]) -> None:
    (spec,) = drivers_of(tmp_path, "IndexRequest", f"!EncodeDriver {{with: {{{options}}}}}")

    assert spec.with_["traversal_paths"] == paths
