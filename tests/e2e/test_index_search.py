"""`jina index` and `jina search`, in processes of their own, on real Flows."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.testing.processes import Jinas, marked, wait_until

ROWS = [
    {"id": "1", "text": "a slow boat to China", "year": 1948},
    {"id": "2", "text": "the fast car"},
    {"id": "3", "text": "rivers and lakes", "uri": "water.txt"},
]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS)


@pytest.fixture
def by_default(tmp_path: Path) -> Iterator[Jinas]:
    """Give commands without any settings of ours."""
    with Jinas(tmp_path) as jinas:
        yield jinas


@pytest.fixture
def jina(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Jinas]:
    """Give commands that search by words alone: what has none of them is not found."""
    for command in ("INDEX", "SEARCH"):
        monkeypatch.setenv(f"JINA_{command}_USES", "lexical")
    with Jinas(tmp_path) as jinas:
        yield jinas


def _last(text: str) -> dict[str, object]:
    data = json.loads(text)
    assert isinstance(data, dict)
    return {**data, "seconds": None}


def _ids(text: str) -> list[list[str]]:
    return [[m["id"] for m in json.loads(line)["matches"]] for line in text.splitlines()]


def test_what_one_process_indexes_another_finds(jina: Jinas) -> None:
    indexed = jina.run("index", "-", "--workspace", "w", "--json", stdin=LINES)
    assert (indexed.code, indexed.stderr) == (0, "")
    assert _last(indexed.stdout) == {
        "schema": "jina.index/1",
        "documents": 3,
        "chunks": 0,
        "unchanged": 0,
        "failed": 0,
        "seconds": None,
    }

    found = jina.run("search", "boats", "lake", "--workspace", "w", "--json", "-k", "1")
    assert (found.code, found.stderr) == (0, "")
    first, second = map(json.loads, found.stdout.splitlines())
    assert first["schema"] == "jina.search/1"
    assert first["query"] == {"id": "1", "text": "boats"}
    [match] = first["matches"]
    assert (match["id"], match["text"], match["tags"]) == ("1", ROWS[0]["text"], {"year": 1948})
    assert match["score"] > 0
    assert [m["uri"] for m in second["matches"]] == ["water.txt"]


@pytest.mark.parametrize("words", [[""], ["a", "  "]])
def test_an_empty_query_is_a_usage_error(jina: Jinas, words: list[str]) -> None:
    assert jina.run("search", *words).code == 2


def test_an_argument_is_a_text_even_if_it_is_json(jina: Jinas) -> None:
    jina.run("index", "-", stdin=LINES)

    found = jina.run("search", '{"text": "boats", "id": "q1"}', "--json")

    assert json.loads(found.stdout)["query"] == {"id": "1", "text": '{"text": "boats", "id": "q1"}'}


def test_queries_from_stdin_are_numbered_and_trec_is_a_run(jina: Jinas) -> None:
    jina.run("index", "--workspace", "w", stdin=LINES)

    lines = jina.run(
        "search", "-", "--workspace", "w", "--format", "trec", stdin="boat\nnothing\n\ncar lake\n"
    )
    objects = jina.run(
        "search", "-", "--workspace", "w", "--json", stdin='{"id":"q7","text":"car"}\n'
    )

    rows = [line.split() for line in lines.stdout.splitlines()]
    assert [(q, zero, rank, run) for q, zero, _, rank, _, run in rows] == [
        ("1", "Q0", "1", "jina"),
        ("3", "Q0", "1", "jina"),
        ("3", "Q0", "2", "jina"),
    ]
    assert json.loads(objects.stdout)["query"]["id"] == "q7"


def test_a_folder_is_indexed_and_indexing_it_again_replaces(jina: Jinas, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("apples and pears")
    (tmp_path / "notes" / "b.md").write_text("pears alone")
    os.rename(tmp_path / "notes" / "b.md", os.fsencode(tmp_path / "notes") + b"/\xff.md")

    for _ in range(2):
        assert jina.run("index", "notes").code == 0
    (tmp_path / "notes" / "a.txt").write_text("only apples now")
    assert jina.run("index", "notes").stderr.startswith("2 documents indexed in ")

    found = json.loads(jina.run("search", "pears", "--json").stdout)
    assert [match["uri"] for match in found["matches"]] == ["notes/%FF.md"]


def test_bad_rows_are_kept_and_good_ones_are_indexed(jina: Jinas, tmp_path: Path) -> None:
    data = b"".join(
        b'{"id": "%d", "text": "word%d"}\n' % (n, n)
        if n % 100
        else [b"{broken\n", b'{"text": 5}\n', b'{"text": "\xff"}\n', b'{"text": NaN}\n'][n % 4]
        for n in range(1, 1001)
    )
    (tmp_path / "rows.jsonl").write_bytes(data)

    over = jina.run("index", "rows.jsonl", "--workspace", "w", "--errors-to", "bad", "--json")
    within = jina.run("index", "rows.jsonl", "--workspace", "w", "--max-errors", "10", "--json")

    assert (over.code, within.code) == (65, 0)
    assert _last(over.stdout)["documents"] == 990
    assert _last(over.stdout)["failed"] == 10
    bad = [json.loads(line) for line in (tmp_path / "bad").read_text().splitlines()]
    assert [row["line"] for row in bad] == list(range(100, 1001, 100))
    assert {row["source"] for row in bad} == {"rows.jsonl"}
    last = json.loads(over.stderr.splitlines()[-1])
    assert (last["code"], last["exit"]) == ("JNA903", 65)
    found = jina.run("search", "word999", "--workspace", "w", "--json")
    assert _ids(found.stdout) == [["999"]]


def test_what_is_skipped_and_what_a_stop_left_is_said(jina: Jinas, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("apples")
    (tmp_path / "notes" / "empty.txt").write_text("")
    (tmp_path / "notes" / "report.pdf").write_bytes(b"%PDF\0\1")
    (tmp_path / "x.csv").write_text("docno,body\n1,apples\n")

    words = ["--on-error", "stop", "--batch", "1", "--field-map", "nothing=text"]
    stopped = jina.run("index", "notes", "x.csv", *words)
    done = jina.run("index", "notes", "x.csv", "--field-map", "docno=id,body=text,no=uri")

    assert stopped.code == 65
    assert "1 document indexed in" in stopped.stderr
    assert "its columns are docno, body; --field-map body=text" in stopped.stderr
    unused, empty, other, counted = done.stderr.splitlines()
    assert unused.endswith("--field-map no=uri had no effect: no row has 'no'")
    assert empty == "1 file skipped, empty: notes/empty.txt"
    assert other == "1 file skipped, not text: notes/report.pdf"
    assert counted.startswith("2 documents indexed in ")


@pytest.mark.parametrize(
    ("words", "code"), [([], 5), (["--allow-empty"], 0)], ids=["refused", "allowed"]
)
def test_nothing_to_index_is_a_failure_unless_it_is_allowed(
    jina: Jinas, words: list[str], code: int
) -> None:
    done = jina.run("index", "-", "--json", *words)

    assert done.code == code
    assert _last(done.stdout)["documents"] == 0


def test_a_closed_stdin_is_nothing(jina: Jinas) -> None:
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m jina_cli index - <&-"],
        capture_output=True,
        text=True,
        cwd=jina.folder,
        check=False,
    )

    assert (done.returncode, done.stderr) == (5, "jina: error: stdin is closed\n")


def test_a_flow_that_runs_is_used_and_by_address_too(by_default: Jinas, tmp_path: Path) -> None:
    jina = by_default
    (tmp_path / "f.yml").write_text(
        "jtype: Flow\n"
        "gateway: {host: 127.0.0.1, protocol: [grpc, http], port: [0, 0]}\n"
        "executors: [{name: index, uses: TextIndexer}]\n"
    )
    flow = jina.start("flow", "--uses", "f.yml", "--workspace", "w")
    wait_until(lambda: "ready in" in flow.stderr, 30, "the Flow to be ready")
    urls = [word.rstrip(",") for word in flow.stderr.split() if "://" in word]

    assert jina.run("index", "-", "--uses", "f.yml", "--workspace", "w", stdin=LINES).code == 0
    for url in urls:
        assert _ids(jina.run("search", "boats", "--host", url, "--json").stdout) == [["1"]]
    alone = jina.run("search", "boats", "--uses", "f.yml", "--workspace", "other", "--json")

    assert len(urls) == 2
    assert _ids(alone.stdout) == [[]]
    assert flow.stop() == 0


def test_a_long_output_that_nobody_reads_on_is_no_failure(jina: Jinas, tmp_path: Path) -> None:
    jina.run("index", "-", "--workspace", "w", stdin=LINES)
    (tmp_path / "q").write_text("boat car lake\n" * 5000)

    done = subprocess.run(
        [
            "bash",
            "-c",
            f"{sys.executable} -m jina_cli search - --workspace w < q | head -1; "
            'echo "${PIPESTATUS[0]}"',
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=jina.environ,
        check=True,
    )

    assert done.stdout.splitlines()[-1] == "0"
    assert done.stderr == ""


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_endless_input_and_leaves_nothing(
    tmp_path: Path, signum: int, code: int
) -> None:
    script = tmp_path / "endless.py"
    script.write_text(
        "import json, sys\n"
        "n = 0\n"
        "while True:\n"
        "    n += 1\n"
        "    print(json.dumps({'id': str(n % 1000), 'text': 'word'}))\n"
    )
    with Jinas(tmp_path) as jina:
        source = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE)
        assert source.stdout is not None
        work = subprocess.Popen(
            [sys.executable, "-m", "jina_cli", "index", "-", "--workspace", "w", "--json"],
            stdin=source.stdout,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            env={**jina.environ, "JINA_TEST_MARK": "endless"},
            start_new_session=True,
        )
        try:
            database = tmp_path / "w" / "index" / "0" / "documents.sqlite"
            wait_until(database.exists, 20, "the index")
            work.send_signal(signum)
            _, error = work.communicate(timeout=20)
            wait_until(lambda: not marked("endless"), 5, "all processes to be gone")
        finally:
            source.kill()
            source.wait()
            source.stdout.close()
            if work.poll() is None:
                os.killpg(work.pid, signal.SIGKILL)
                work.wait()

    assert work.returncode == code
    assert b"Traceback" not in error


def test_a_slow_line_is_indexed_before_the_next_comes(tmp_path: Path) -> None:
    with Jinas(tmp_path) as jina:
        work = subprocess.Popen(
            [sys.executable, "-m", "jina_cli", "index", "-", "--workspace", "w", "--json"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=tmp_path,
            env=jina.environ,
        )
        assert work.stdin is not None
        assert work.stdout is not None
        work.stdin.write(b'{"id": "1", "text": "early"}\n')
        work.stdin.flush()
        database = tmp_path / "w" / "index" / "0" / "documents.sqlite"
        wait_until(database.exists, 20, "the index")
        wait_until(lambda: _count(database) == 1, 10, "the first document")
        work.stdin.write(b'{"id": "2", "text": "late"}\n')
        work.stdin.close()
        started = time.monotonic()
        out = work.stdout.read()
        work.stdout.close()

        assert work.wait(20) == 0
        assert _last(out.decode())["documents"] == 2
        assert time.monotonic() - started < 10


def _count(database: Path) -> int:
    import sqlite3

    try:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
            [count] = connection.execute("SELECT count(*) FROM documents").fetchone()
    except sqlite3.OperationalError:
        return 0
    return int(count)


def test_commands_that_want_one_workspace_take_turns(jina: Jinas, tmp_path: Path) -> None:
    for name in ("bread", "boats"):
        (tmp_path / f"{name}.txt").write_text(f"all about {name}", "utf-8")

    running = [jina.start("index", f"{name}.txt", cwd=tmp_path) for name in ("bread", "boats")]

    assert [each.wait() for each in running] == [0, 0], [each.stderr for each in running]
    found = jina.run("search", "bread", "boats", "--json", cwd=tmp_path)
    uris = [json.loads(line)["matches"][0]["uri"] for line in found.stdout.splitlines()]
    assert uris == ["bread.txt", "boats.txt"]


def test_a_command_that_waits_for_its_turn_says_for_whom(jina: Jinas, tmp_path: Path) -> None:
    database = tmp_path / "w" / "index" / "0" / "documents.sqlite"
    with subprocess.Popen(
        [sys.executable, "-m", "jina_cli", "index", "-", "--workspace", "w"],
        stdin=subprocess.PIPE,
        cwd=tmp_path,
        env={**jina.environ, "JINA_INDEX_USES": "lexical"},
    ) as work:
        assert work.stdin is not None
        wait_until(database.exists, 20, "the index")

        waiting = jina.start("search", "late", "--workspace", "w", "--json", cwd=tmp_path)

        said = (
            f"waiting up to 60 s: Flow 'lexical' already runs with this workspace (pid {work.pid})"
        )
        wait_until(lambda: waiting.stderr.strip() == said, 20, "the note")
        work.stdin.write(b'{"id": "1", "text": "late"}\n')
        work.stdin.close()
        assert work.wait(20) == 0
        assert waiting.wait() == 0
        assert _ids(waiting.stdout) == [["1"]]


FULL = """
from jina_cli import Executor, requests
from jina_cli.errors import StorageFailed


class Full(Executor):
    kept = 0

    @requests(on="/index")
    def index(self, docs, **kwargs):
        if self.kept:
            raise StorageFailed("the disk is full")
        self.kept += len(docs)
"""


def test_what_was_indexed_before_a_failure_is_told(jina: Jinas, tmp_path: Path) -> None:
    (tmp_path / "full.py").write_text(FULL, "utf-8")
    flow = "jtype: Flow\nexecutors:\n  - {name: index, uses: full.py:Full}\n"
    (tmp_path / "full.yml").write_text(flow, "utf-8")
    options = ("--uses", "full.yml", "--batch", "1", "--concurrency", "1", "--json")

    done = jina.run("index", "-", *options, stdin="one\ntwo\n", cwd=tmp_path)

    assert done.code == 74
    (line,) = done.stdout.splitlines()
    assert json.loads(line)["documents"] == 1
    assert "the disk is full" in done.stderr.splitlines()[-1]
