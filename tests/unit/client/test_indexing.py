"""Batches into a Flow, so that one bad row costs only itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from jina_cli.client.client import Answer, Question
from jina_cli.client.indexing import Indexed, Passed, counted, index
from jina_cli.client.progress import Silent
from jina_cli.client.refused import Refused
from jina_cli.documents.batch import EMPTY_BATCH, DocumentBatch
from jina_cli.documents.column import TextColumn
from jina_cli.documents.readers import ReadBatch, Row, RowError, Skipped
from jina_cli.errors import BadInput, CannotWrite, RequestFailed
from jina_cli.vocabulary import RESULTS


class Picky:
    """Takes documents, but none whose text is `bad`."""

    def __init__(self, status: str = "INVALID") -> None:
        self.taken: list[str] = []
        self.asked = 0
        self._status = status

    async def ask(self, question: Question) -> Answer:
        self.asked += 1
        docs = question.docs
        assert docs is not None
        if "bad" in docs.text():
            raise RequestFailed("wrong dimension", status=self._status)
        self.taken += docs.text()
        return Answer(docs=EMPTY_BATCH, parameters={}, seconds=0.0)


def _batch(texts: Sequence[str], start: int = 1) -> ReadBatch:
    rows = [
        Row(source="f", line=line, fields={"text": text}, raw=text.encode())
        for line, text in enumerate(texts, start)
    ]
    ids = [str(row.line) for row in rows]
    return ReadBatch(DocumentBatch(ids, {"text": TextColumn(list(texts))}), rows, ())


def _index(
    client: Picky, batches: Iterator[ReadBatch] | Sequence[ReadBatch], refused: Refused
) -> Indexed:
    work = index(
        client,
        batches,
        question=Question(endpoint="/index"),
        window=2,
        refused=refused,
        progress=Silent(),
    )
    return asyncio.run(work)


def _refused(told: list[str], *, path: str = "", most: int = 10, stops: bool = False) -> Refused:
    return Refused(path, most=most, stops=stops, tell=lambda error: told.append(str(error)))


def test_the_rows_a_flow_refuses_are_found_and_the_others_are_indexed() -> None:
    client, told = Picky(), list[str]()

    done = _index(client, [_batch(["a", "bad", "c", "d", "e", "bad", "g"])], _refused(told))

    assert client.taken == ["a", "c", "d", "e", "g"]
    assert done.documents == 5
    assert told == ["f:2: wrong dimension", "f:6: wrong dimension"]


def test_a_flow_that_takes_nothing_of_its_first_batch_is_broken() -> None:
    with pytest.raises(RequestFailed, match="wrong dimension"):
        _index(Picky(), [_batch(["bad", "bad"])], _refused([]))


def test_one_bad_row_alone_in_a_later_batch_is_the_fault_of_the_row() -> None:
    told: list[str] = []

    done = _index(Picky(), [_batch(["a"]), _batch(["bad"], 2)], _refused(told))

    assert (done.documents, told) == (1, ["f:2: wrong dimension"])


def test_a_failure_that_is_not_about_data_is_not_tried_in_halves() -> None:
    client = Picky(status="UNAVAILABLE")

    with pytest.raises(RequestFailed):
        _index(client, [_batch(["a", "bad", "c", "d"])], _refused([]))

    assert client.asked == 1


def test_bad_rows_are_kept_with_where_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    batch = _batch(["a"])
    errors = (RowError("f", 2, "not JSON", b"{\xff"), RowError("g", 0, "cannot be read"))

    with _refused([], path=str(path)) as refused:
        _index(Picky(), [ReadBatch(batch.docs, batch.rows, errors)], refused)

    assert [json.loads(line) for line in path.read_text().splitlines()] == [
        {"source": "g", "line": None, "reason": "cannot be read", "row": None},
        {"source": "f", "line": 2, "reason": "not JSON", "row": "{\ufffd"},
    ]


def test_bad_rows_over_the_limit_fail_at_the_end() -> None:
    refused = _refused([], most=1)
    batch = _batch(["a"])
    errors = tuple(RowError("f", line, "x") for line in (2, 3))

    done = _index(Picky(), [ReadBatch(batch.docs, batch.rows, errors), _batch(["b"], 4)], refused)

    assert done.documents == 2
    with pytest.raises(BadInput, match="2 rows were refused, more than --max-errors 1"):
        refused.check()


def test_bad_rows_over_the_limit_stop_the_run_where_that_is_wanted() -> None:
    client = Picky()

    def endless() -> Iterator[ReadBatch]:
        while True:
            yield ReadBatch(EMPTY_BATCH, (), (RowError("f", 1, "x"),))

    with pytest.raises(BadInput):
        _index(client, endless(), _refused([], most=3, stops=True))


def test_only_the_first_few_bad_rows_are_told() -> None:
    told: list[str] = []
    refused = _refused(told, most=1000)

    for line in range(100):
        refused.add(RowError("f", line, "x"))

    assert (refused.count, len(told)) == (100, Refused.TOLD)


def test_a_file_for_bad_rows_that_cannot_be_created_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(CannotWrite, match="cannot create"):
        _refused([], path=str(tmp_path / "no" / "bad.jsonl"))


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ({}, 0),
        ({"index/rep-0": {"chunks": 3, "other": "x"}}, 3),
        ({"index/shard-0/rep-0": {"chunks": 3}, "index/shard-1/rep-0": {"chunks": 2.0}}, 5),
        ({"chunks/rep-0": {"chunks": 3}, "documents/rep-0": {"chunks": 3}}, 3),
        ({"mine/rep-0": [1, 2]}, 0),
    ],
)
def test_what_shards_count_is_added_and_what_several_pods_count_is_not(
    results: dict[str, Any], expected: int
) -> None:
    assert counted({RESULTS: results}, "chunks") == expected


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([0], "1 file was"),
        ([3], "1 row was"),
        ([0, 0], "2 files were"),
        ([0, 2, 3], "2 rows and 1 file were"),
    ],
)
def test_files_are_counted_apart_from_rows(lines: list[int], said: str) -> None:
    refused = Refused("", most=0, stops=False, tell=lambda _: None)
    for line in lines:
        refused.add(RowError("f", line, "bad"))

    with pytest.raises(BadInput, match=f"^{said} refused"):
        refused.check()


def test_the_first_proposal_is_what_to_do_about_refused_rows() -> None:
    refused = Refused("", most=0, stops=False, tell=lambda _: None)
    refused.add(RowError("f", 1, "bad"))
    refused.add(RowError("f", 2, "bad", hint="mend it"))

    with pytest.raises(BadInput) as caught:
        refused.check()

    assert caught.value.hint == "mend it"


def test_the_first_three_skipped_files_are_named() -> None:
    files = Passed()
    done = Indexed(skipped={"empty": files})
    for name in "abcde":
        done.skip(Skipped(name, "empty"))

    assert (files.count, str(files)) == (5, "a, b, c and 2 more")


def test_what_was_taken_is_known_after_a_stop(tmp_path: Path) -> None:
    done = Indexed()
    broken = ReadBatch(EMPTY_BATCH, [], [RowError("f", 3, "bad")])
    refused = Refused("", most=0, stops=True, tell=lambda _: None)

    with pytest.raises(BadInput):
        asyncio.run(
            index(
                Picky(),
                [_batch(["a", "b"]), broken],
                question=Question(endpoint="/index"),
                window=1,
                refused=refused,
                progress=Silent(),
                done=done,
            )
        )

    assert done.documents == 2
