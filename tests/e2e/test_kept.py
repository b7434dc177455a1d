"""`jina get`, `count`, `delete` and `train`, and conditions of a search, on the bundled Flows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.testing.processes import Jinas

ROWS = [
    {"id": "boat", "text": "a slow boat to China", "price": 10, "lang": "en"},
    {"id": "car", "text": "the fast car", "price": 900, "lang": "en"},
    {"id": "lac", "text": "le lac et la rivière", "price": 5, "lang": "fr"},
]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS)
PLACE = ("--workspace", "w", "--uses", "lexical")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jinas]:
    """Give commands in a folder where three documents are indexed, which nobody changes."""
    with Jinas(tmp_path_factory.mktemp("kept")) as jinas:
        assert jinas.run("index", "-", *PLACE, stdin=LINES).code == 0
        yield jinas


@pytest.fixture
def jina(tmp_path: Path) -> Iterator[Jinas]:
    with Jinas(tmp_path) as jinas:
        yield jinas


def test_documents_are_printed_in_the_order_of_their_ids(kept: Jinas) -> None:
    done = kept.run("get", "lac", "boat", *PLACE)

    assert (done.code, done.stderr) == (0, "")
    first, second = map(json.loads, done.stdout.splitlines())
    assert first == {"id": "lac", "text": ROWS[2]["text"], "tags": {"price": 5, "lang": "fr"}}
    assert second["id"] == "boat"


def test_ids_come_from_stdin_and_fields_can_be_chosen(kept: Jinas) -> None:
    done = kept.run("get", "-", *PLACE, "--fields", "text", "--json", stdin="car\n\ncar\n")

    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"schema": "jina.get/1", "document": {"id": "car", "text": "the fast car"}}
    ]


def test_what_is_not_there_is_told_by_the_exit_code(kept: Jinas) -> None:
    some = kept.run("get", "car", "plane", *PLACE)
    none = kept.run("get", "plane", *PLACE)

    assert (some.code, len(some.stdout.splitlines())) == (1, 1)
    assert some.stderr == "jina: error: 1 of 2 documents are not there: 'plane'\n"
    assert (none.code, none.stdout) == (5, "")


def test_documents_are_counted_all_or_by_a_condition(kept: Jinas) -> None:
    everything = kept.run("count", *PLACE)
    cheap = kept.run("count", *PLACE, "--where", "price <= 10", "--json")

    assert everything.stdout == "3\n"
    assert json.loads(cheap.stdout) == {
        "schema": "jina.count/1",
        "documents": 2,
        "pods": {"index": 2},
    }


def test_a_search_is_bound_by_a_condition(kept: Jinas) -> None:
    asked = ("search", "boat car lac", *PLACE, "--json")

    found = kept.run(*asked, "--where", "price < 100 and lang in ('en', 'de')", "--fields", "text")

    [match] = json.loads(found.stdout)["matches"]
    assert match == {"id": "boat", "score": match["score"], "text": "a slow boat to China"}


def test_a_condition_that_means_nothing_is_a_usage_error_with_its_place(kept: Jinas) -> None:
    done = kept.run("search", "boat", *PLACE, "--where", "price <")

    assert done.code == 2
    assert "--where" in done.stderr
    assert "column" in done.stderr or ":8" in done.stderr


def test_an_explained_search_tells_the_ranks(kept: Jinas) -> None:
    done = kept.run("search", "boat", *PLACE, "--explain", "--json")

    [match] = json.loads(done.stdout)["matches"]
    assert match["explain"]["lexical"]["rank"] == 1
    assert match["explain"]["vector"] is None


def test_documents_are_deleted_by_id_and_by_condition(jina: Jinas) -> None:
    jina.run("index", "-", *PLACE, stdin=LINES)

    tried = jina.run("delete", "car", "plane", "--dry-run", *PLACE)
    by_id = jina.run("delete", "car", "plane", *PLACE)
    by_condition = jina.run("delete", "--where", "lang = 'fr'", "--yes", *PLACE, "--json")

    assert tried.stderr == "1 document would be deleted\n"
    assert (by_id.code, by_id.stderr) == (0, "1 document deleted\n")
    assert json.loads(by_condition.stdout) == {
        "schema": "jina.delete/1",
        "deleted": 1,
        "dry_run": False,
    }
    assert jina.run("count", *PLACE).stdout == "1\n"


@pytest.mark.parametrize(
    "words", [[], ["a", "--where", "price < 3"], ["--where", "price < 3", "--no-input"]]
)
def test_a_delete_that_is_not_meant_for_sure_is_refused(jina: Jinas, words: list[str]) -> None:
    assert jina.run("delete", *words, *PLACE, stdin="").code == 2


def test_an_encoder_learns_from_rows(jina: Jinas, tmp_path: Path) -> None:
    (tmp_path / "flow.yml").write_text(
        "jtype: Flow\n"
        "executors:\n"
        "  - {name: encode, uses: PcaEncoder, uses_with: {dim: 2}}\n"
        "  - {name: index, uses: VectorIndexer}\n",
        "utf-8",
    )
    rows = [{"id": str(n), "tensor": [n, n % 3, n % 5, 1]} for n in range(20)]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    place = ("--uses", "flow.yml", "--workspace", "w")

    learnt = jina.run("train", "-", *place, "--json", stdin=lines)
    indexed = jina.run("index", "-", *place, stdin=lines)
    found = jina.run("search", "-", *place, "--json", "-k", "1", stdin=lines)

    assert json.loads(learnt.stdout) == {"schema": "jina.train/1", "documents": 20, "failed": 0}
    assert indexed.code == 0, indexed.stderr
    nearest = [json.loads(line)["matches"][0]["id"] for line in found.stdout.splitlines()]
    assert nearest == [row["id"] for row in rows]


def test_ready_made_flows_are_listed_and_taken_by_name(kept: Jinas) -> None:
    listed = kept.run("flow", "--list", "--json")

    flows = {row["name"]: row for row in map(json.loads, listed.stdout.splitlines())}
    assert {"text", "lexical", "fashion"} <= flows.keys()
    assert all(row["about"] and Path(row["file"]).is_file() for row in flows.values())
    assert kept.run("flow", "text", "--dry-run").code == 0
