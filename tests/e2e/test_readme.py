"""The README says what is so: its examples run, its tables are those of the code."""

from __future__ import annotations

import json
import re
import shlex
import socket
import sys
import tomllib
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from jina_cli.cli.topics import TOPICS
from jina_cli.cli.tree import VERBS
from jina_cli.errors import Exit
from tests.testing.processes import Jinas, wait_until

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
WORDS = ["one", "two"]
neural = pytest.mark.skipif(
    find_spec("onnxruntime") is None, reason="the extra 'neural' is not installed"
)
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def jina(tmp_path: Path) -> Iterator[Jinas]:
    with Jinas(tmp_path) as jinas:
        yield jinas


def block(language: str, containing: str) -> str:
    return next(text for kind, text in BLOCKS if kind == language and containing in text)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_its_second_command_is_what_ci_runs() -> None:
    first, second = BLOCKS[0][1].splitlines()

    assert "jina hello fashion" in first
    assert second in (ROOT / ".ci" / "run").read_text("utf-8").splitlines()


def test_its_table_of_commands_names_all_of_them() -> None:
    named = set(re.findall(r"^\| `jina ([a-z]+)", README, re.MULTILINE))

    assert named == {verb.name for verb in VERBS}


def test_its_exit_codes_are_those_of_the_code() -> None:
    table = README[README.index("| code | meaning |") : README.index("## Commands")]

    assert {int(code) for code in re.findall(r"\| (\d+) \|", table)} == set(map(int, Exit))


def test_its_executor_runs_in_its_flow_and_answers_its_request(jina: Jinas) -> None:
    port = free_port()
    (jina.folder / "shout.py").write_text(block("python", "class Shout"), "utf-8")
    flow = block("yaml", "shout.py:Shout").replace("8080", str(port))
    (jina.folder / "flow.yml").write_text(flow, "utf-8")
    assert jina.run("validate", "flow.yml").code == 0

    running = jina.start("flow", "--uses", "flow.yml")
    address = f"http://localhost:{port}"
    assert jina.run("ping", address, "--wait").code == 0
    (jina.folder / "rows.jsonl").write_text('{"text": "hello"}\n', "utf-8")
    curl = block("sh", "curl localhost:8080/shout")
    (data,) = re.findall(r"-d '(.*)'", curl)
    answer = post(address + "/shout", data)

    assert '"text":"HELLO!"' in answer
    script = block("python", "Client(").replace("localhost:8080", f"localhost:{port}")
    client = jina.start_python("-c", script)
    assert client.wait() == 0, client.stderr
    assert client.stdout == "['HELLO!', 'YOU!']\n"
    assert running.stop() == 0


def test_its_flow_in_python_answers(jina: Jinas) -> None:
    (jina.folder / "shout.py").write_text(block("python", "class Shout"), "utf-8")

    program = jina.start_python("-c", block("python", "Flow(protocol="))

    assert program.wait() == 0, program.stderr
    assert program.stdout == "HELLO!\n"


def test_its_streaming_endpoint_is_heard_as_it_says(jina: Jinas) -> None:
    port = str(free_port())
    (jina.folder / "tell.py").write_text(block("python", "class Teller"), "utf-8")
    command = block("sh", "tell.py:Teller").replace("8081", port)
    asking = block("sh", "curl -N").replace("8081", port)

    running = jina.start(*command.split()[1:])
    assert jina.run("ping", f"http://localhost:{port}", "--wait").code == 0
    events = get(re.findall(r"curl -N '(.*)'", asking)[0])
    asked = jina.run(*shlex.split(asking.splitlines()[1])[1:])

    assert [json.loads(line)["word"] for line in re.findall("data: (.*)", events)] == WORDS
    assert events.split()[-2:] == ["event:", "end"]
    assert [json.loads(line)["word"] for line in asked.stdout.splitlines()] == WORDS
    script = f"""\
from jina_cli import Client
from tell import Prompt, Word
client = Client(host="http://localhost:{port}")
for word in {re.findall(r"`(client.stream_doc.*?)`", README)[0]}:
    print(word.word)
"""
    client = jina.start_python("-c", script)
    assert client.wait() == 0, client.stderr
    assert client.stdout.split() == WORDS
    assert running.stop() == 0


def test_its_defaults_in_a_file_are_taken(jina: Jinas) -> None:
    (jina.folder / "two.jsonl").write_text('{"text": "a boat"}\n{"text": "boats"}\n', "utf-8")
    assert jina.run("index", "two.jsonl").code == 0
    (jina.folder / "jina.toml").write_text(block("toml", "top-k"), "utf-8")

    found = jina.run("search", "boat", "--json")

    assert len(json.loads(found.stdout)["matches"]) == 1


def test_its_script_for_ci_runs(jina: Jinas) -> None:
    port = str(free_port())
    (jina.folder / "flows").symlink_to(ROOT / "flows")
    (jina.folder / "data.jsonl").write_text('{"text": "a boat"}\n{bad\n', "utf-8")
    script = block("sh", "set -e").replace("8080", port)

    command = jina.folder / "bin" / "jina"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m jina_cli "$@"\n', "utf-8")
    command.chmod(0o755)

    done = jina.start_other("sh", "-c", f"PATH=$PWD/bin:$PATH\n{script}")

    assert done.wait() == 0, done.stderr
    assert done.family() == []
    assert len((jina.folder / "bad.jsonl").read_text("utf-8").splitlines()) == 1


def test_what_it_sends_to_is_explained() -> None:
    topics = re.findall(r"jina explain ([a-z0-9]+)", README)

    assert set(topics) == {*TOPICS, "executors", "drivers"}


def test_its_mistake_is_shown_as_it_says(jina: Jinas) -> None:
    (jina.folder / "shout.py").write_text(block("python", "class Shout"), "utf-8")
    flow = block("yaml", "shout.py:Shout").replace("replicas", "replica")
    (jina.folder / "flow.yml").write_text(flow, "utf-8")

    done = jina.run("flow", "--uses", "flow.yml")

    assert done.code == 78
    assert done.stderr.startswith(block("", "error[JNA101]"))


def test_its_search_of_own_texts_finds_them(jina: Jinas) -> None:
    notes = jina.folder / "notes"
    notes.mkdir()
    (notes / "bread.md").write_text("Sourdough bread needs a starter.", "utf-8")
    (notes / "car.txt").write_text("Bleed the brakes.", "utf-8")

    assert jina.run("index", "notes").code == 0
    found = jina.run("search", "how do I bake bread")

    assert found.code == 0, found.stderr
    assert found.stdout.index("notes/bread.md") < found.stdout.index("notes/car.txt")


def test_its_executors_of_families_split_encode_and_rank(jina: Jinas) -> None:
    (jina.folder / "mine.py").write_text(block("python", "class Trigrams"), "utf-8")
    (jina.folder / "mine.yml").write_text(block("yaml", "mine.py:Trigrams"), "utf-8")
    notes = jina.folder / "notes"
    notes.mkdir()
    (notes / "long.md").write_text("Baking breads.\n\nA starter, and time.", "utf-8")
    (notes / "short.md").write_text("A bread.", "utf-8")
    index, search = block("sh", "--uses mine.yml").splitlines()

    assert jina.run(*shlex.split(index.replace("~/", ""))[1:]).code == 0
    found = jina.run(*shlex.split(search)[1:], "--json")

    assert found.code == 0, found.stderr
    first, second = json.loads(found.stdout)["matches"]
    assert first["uri"].endswith("short.md")
    assert second["score"] < first["score"]
    assert second["chunks"][0]["score"] > first["chunks"][0]["score"]
    assert second["chunks"][0]["text"] == "Baking breads."


@neural
def test_its_search_in_yaml_alone_finds_sections(jina: Jinas) -> None:
    (jina.folder / "notes.yml").write_text(block("yaml", "MarkdownSegmenter"), "utf-8")
    notes = jina.folder / "notes"
    notes.mkdir()
    (notes / "food.md").write_text("# Bread\n\nNeeds a starter.\n\n# Soup\n\nBoil it.\n", "utf-8")
    index, search = block("sh", "--uses notes.yml").splitlines()

    assert jina.run(*shlex.split(index.replace("~/", ""))[1:]).code == 0
    found = jina.run(*shlex.split(search)[1:], "--json")

    assert found.code == 0, found.stderr
    (match,) = json.loads(found.stdout)["matches"]
    assert "starter" in match["chunks"][0]["text"]


@neural
def test_its_questions_are_judged_and_its_flow_that_stays_is_asked(jina: Jinas) -> None:
    command = jina.folder / "bin" / "jina"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m jina_cli "$@"\n', "utf-8")
    command.chmod(0o755)
    rows = block("sh", "| jina index -").partition("jina search")[0]
    stays = block("sh", "jina flow text").replace("8080", str(free_port()))
    asked = re.sub(r" \| jq .*", "", stays).replace("kill %1", "kill $! && wait $!")

    done = jina.start_other(
        "sh", "-ec", f"PATH=$PWD/bin:$PATH\n{rows}{block('sh', '--fail-under')}{asked}"
    )

    assert done.wait() == 0, done.stderr
    assert re.search(r"^ndcg@10 +1\.0000$", done.stdout, re.MULTILINE)
    answer = next(line for line in done.stdout.splitlines() if line.startswith('{"data"'))
    assert [match["id"] for match in json.loads(answer)["data"][0]["matches"]] == ["1"]


def test_its_table_of_extras_names_all_but_that_for_tests() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    table = README[README.index("| extra | brings |") :].partition("\n\n")[0]
    named = set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE))

    assert named == set(project["optional-dependencies"]) - {"test"}


def post(url: str, data: str) -> str:
    request = urllib.request.Request(url, data.encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return str(answer.read().decode())


def get(url: str) -> str:
    with urllib.request.urlopen(f"http://{url}", timeout=20) as answer:
        return str(answer.read().decode())


def test_nothing_it_started_is_left(jina: Jinas) -> None:
    running = jina.start("flow", "--uses", str(ROOT / "flows" / "text.yml"))
    wait_until(lambda: "ready in" in running.stderr, 20, "the Flow to be ready")

    assert running.stop() == 0
    assert running.family() == []
