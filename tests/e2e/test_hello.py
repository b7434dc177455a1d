"""`jina hello fashion`: the whole of it, from YAML to a page of found images."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from jina_cli.hello.dataset import DEBIAN_FOLDER
from jina_cli.resources import flows_dir
from tests.testing.processes import Jinas, wait_until


@pytest.fixture
def jina(tmp_path: Path) -> Iterator[Jinas]:
    with Jinas(tmp_path) as jinas:
        yield jinas


def test_the_bundled_sample_is_found_well_and_shown(jina: Jinas) -> None:
    done = jina.run("hello", "fashion", "--once", "--json")

    assert done.code == 0, done.stderr
    (line,) = done.stdout.splitlines()
    said = json.loads(line)
    assert said["schema"] == "jina.hello/1"
    assert (said["documents"], said["queries"]) == (4500, 500)
    assert said["precision@10"] >= 0.89
    assert said["accuracy@10"] >= 0.92
    assert said["numpy_alone"] is None
    page = Path(said["report"]).read_text("utf-8")
    assert page.count("<section ") == 50
    assert page.count('class="query"') == 50
    assert page.count('class="same"') > page.count('class="other"')


@pytest.mark.timeout(240)
@pytest.mark.skipif(
    not DEBIAN_FOLDER.is_dir(), reason="Debian's dataset-fashion-mnist is not installed"
)
def test_all_images_are_found_as_well_as_published(jina: Jinas) -> None:
    done = jina.run("hello", "fashion", "--full", "--once", "--json", timeout_s=220)

    said = json.loads(done.stdout)
    assert (said["documents"], said["queries"]) == (60_000, 10_000)
    assert said["precision@10"] >= 0.90
    assert said["accuracy@10"] >= 0.92
    # Where two scores are one in single precision, either document may be the fiftieth.
    assert said["numpy_alone"]["same_matches"] >= 0.99


def test_without_a_neural_network_edges_find_well_too(jina: Jinas) -> None:
    done = jina.run("hello", "fashion", "--uses", "fashion-hog", "--once", "--json")

    assert done.code == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["train_seconds"] > 0
    assert said["precision@10"] >= 0.77


def test_hello_world_is_the_same_and_says_its_figures_to_people(jina: Jinas) -> None:
    done = jina.run("hello-world", "--report", "page.html")

    assert done.code == 0, done.stderr
    names = [line.split()[0] for line in done.stdout.splitlines()]
    measures = ["precision@10", "precision@50", "10-NN", "recall@50"]
    assert names == ["indexed", "searched", *measures, "result"]
    assert (jina.folder / "page.html").is_file()


def test_the_flow_can_be_printed_edited_and_used(jina: Jinas) -> None:
    printed = jina.run("hello", "fashion", "--print-flow")
    assert printed.stdout == (flows_dir() / "fashion.yml").read_text("utf-8")
    plain = jina.run("hello", "fashion", "--uses", "fashion-hog", "--print-flow")
    edited = plain.stdout.replace("dim: 64", "dim: 16").replace("shards: 2", "shards: 1")
    (jina.folder / "mine.yml").write_text(edited, "utf-8")

    done = jina.run("hello", "fashion", "--uses", "mine.yml", "--once", "--json")

    assert done.code == 0, done.stderr
    assert 0.7 < json.loads(done.stdout)["precision@10"] < 0.81


def test_a_page_that_cannot_be_written_is_said_before_the_work(jina: Jinas) -> None:
    done = jina.run("hello", "fashion", "--report", "no/such/folder/page.html")

    assert done.code == 73
    assert done.stderr == (
        "jina: error: cannot write no/such/folder/page.html: name another file with --report\n"
    )


def test_the_full_set_is_not_fetched_unasked(jina: Jinas, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()

    done = jina.run("hello", "fashion", "--data", str(empty))

    assert done.code == 66
    assert f"the full Fashion-MNIST is not in {empty}" in done.stderr


def test_it_can_be_stopped_in_the_middle_and_leaves_nothing(jina: Jinas) -> None:
    started = jina.start("hello", "fashion", "--once")
    wait_until(lambda: len(started.family()) > 3, 20, "its processes to be there")

    assert started.stop(signal.SIGINT) == 130
    wait_until(lambda: not started.family(), 5, "its processes to be gone")
