"""A request in, a response out, with no process between."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson
import pytest
from docarray import BaseDoc, DocList
from docarray.typing import NdArray

from jina_cli.documents.batch import DocumentBatch, MissingField
from jina_cli.documents.column import TextColumn
from jina_cli.errors import StorageFailed
from jina_cli.executors.base import Executor, Surroundings, create, requests
from jina_cli.executors.endpoints import Batching
from jina_cli.runtime.steps import Step
from jina_cli.runtime.worker import Opened, Seat, Worker
from jina_cli.vocabulary import DRY_RUN_ENDPOINT
from jina_cli.wire.bodies import read_body, write_body
from jina_cli.wire.messages import Body, Format, Request, Response, StatusCode

SEAT = Seat(pea="pod/rep-0", pod="pod", label="pod")


class Trial(Executor):
    """Does what its name of the endpoint says."""

    @requests(on="/upper")
    def upper(self, docs: DocumentBatch) -> DocumentBatch:
        return docs.with_texts([text.upper() for text in docs.text()])

    @requests(on="/look")
    def look(self, docs: DocumentBatch) -> None:
        self.seen = list(docs.ids)

    @requests(on="/apart")
    def apart(self, docs: DocumentBatch, docs_matrix: list[DocumentBatch], docs_map: Any) -> None:
        self.parts = [list(part.ids) for part in docs_matrix], sorted(docs_map)

    @requests(on="/say")
    def say(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return {"got": parameters}

    @requests(on="/lose")
    def lose(self, docs: DocumentBatch) -> DocumentBatch:
        return docs.slice(0, len(docs) - 1)

    @requests(on="/raise")
    def fail(self, docs: DocumentBatch) -> None:
        raise self.error

    error: Exception = LookupError("no\nand more")


class Said(BaseDoc):
    text: str
    embedding: NdArray | None = None
    tags: dict[str, str] | None = None


class Echo(Executor):
    @requests(on="/echo")
    def echo(self, docs: DocList[Said], **_: Any) -> DocList[Said]:
        return DocList[Said]([Said(id="1", text=doc.text) for doc in docs])


def docs(*texts: str) -> DocumentBatch:
    return DocumentBatch([f"d{text}" for text in texts], {"text": TextColumn(texts)})


def ask(endpoint: str, *batches: DocumentBatch, **parameters: Any) -> Request:
    bodies = tuple(write_body(batch, Format.COLUMNS) for batch in batches)
    return Request(endpoint=endpoint, bodies=bodies, request_id="r", parameters=parameters)


@pytest.fixture
def trial() -> Trial:
    return create(Trial, {}, Surroundings(name="pod"))


@pytest.fixture
def worker(trial: Trial) -> Worker:
    return Worker(SEAT, [Step.of(trial)])


def run(worker: Worker, request: Request) -> Response:
    return asyncio.run(worker.answer(request))


def test_what_an_executor_makes_of_documents_goes_out(worker: Worker) -> None:
    answer = run(worker, ask("/upper", docs("a", "b")))

    assert read_body(answer.body).text() == ["A", "B"]
    assert (answer.request_id, [step.pod for step in answer.routes]) == ("r", ["pod"])


def test_documents_that_nobody_touched_go_out_as_the_bytes_that_came_in(worker: Worker) -> None:
    for endpoint in ("/look", "/nobody", DRY_RUN_ENDPOINT, "/say"):
        request = ask(endpoint, docs("a"))

        assert run(worker, request).body is request.bodies[0]


def test_bytes_that_nobody_needs_are_not_looked_at(worker: Worker) -> None:
    broken = Request(endpoint="/say", bodies=(Body(Format.COLUMNS, b"no columns"),))

    assert run(worker, broken).status.ok


def test_json_tells_all_fields_of_a_class_that_the_executor_names() -> None:
    worker = Worker(SEAT, [Step.of(create(Echo, {}, Surroundings(name="pod")))])

    answer = run(worker, replace(ask("/echo", docs("a")), wanted=Format.JSON))

    assert orjson.loads(answer.body.data) == [
        {"id": "1", "text": "a", "embedding": None, "tags": None}
    ]


def test_documents_go_out_in_the_format_that_is_wanted(worker: Worker) -> None:
    for endpoint in ("/look", "/upper"):
        for wanted in (Format.JSON, Format.PROTO):
            body = run(worker, replace(ask(endpoint, docs("a")), wanted=wanted)).body

            assert body.format is wanted
            assert read_body(body).ids == ["da"]


def test_answers_of_several_pods_are_merged_by_id(worker: Worker, trial: Trial) -> None:
    answer = run(worker, ask("/look", docs("a", "b"), docs("b", "c")))

    assert trial.seen == ["da", "db", "dc"]
    assert read_body(answer.body).ids == ["da", "db", "dc"]


def test_answers_of_several_pods_stay_apart_where_they_shall(trial: Trial) -> None:
    seat = replace(SEAT, inputs=("left", "right"), no_reduce=True)

    run(Worker(seat, [Step.of(trial)]), ask("/apart", docs("a", "b"), docs("b", "c")))

    assert trial.parts == ([["da", "db"], ["db", "dc"]], ["left", "right"])


def test_merged_answers_are_a_matrix_of_one(worker: Worker, trial: Trial) -> None:
    run(worker, ask("/apart", docs("a"), docs("b")))

    assert trial.parts == ([["da", "db"]], [])


def test_results_and_parameters_are_kept_apart(worker: Worker) -> None:
    answer = run(worker, ask("/say", docs("a"), k=1, my__m=2))

    assert answer.parameters == {
        "k": 1,
        "my__m": 2,
        "__results__": {"pod/rep-0": {"got": {"k": 1, "my__m": 2}}},
    }


FAILURES = {
    "pod (Trial): MissingField: document 'a' has no 'text'": (
        MissingField("text", ["a"]),
        StatusCode.INVALID,
    ),
    "pod (Trial): StorageFailed: the disk is full": (
        StorageFailed("the disk is full"),
        StatusCode.STORAGE,
    ),
}


@pytest.mark.parametrize("message", FAILURES)
def test_an_exception_says_whose_fault_it_is(message: str, worker: Worker, trial: Trial) -> None:
    trial.error, code = FAILURES[message]

    status = run(worker, ask("/raise", docs("a"))).status

    assert (status.code, status.description) == (code, message)


def test_an_executors_own_exception_names_its_place_in_one_line(worker: Worker) -> None:
    status = run(worker, ask("/raise", docs("a"))).status

    assert status.code is StatusCode.EXECUTOR
    assert status.description.startswith("pod (Trial): LookupError: no (test_worker.py:")
    assert "\n" not in status.description
    assert status.stacks[-2:] == ("LookupError: no", "and more")


def test_bytes_that_are_no_documents_are_the_requests_fault(worker: Worker) -> None:
    broken = Request(endpoint="/look", bodies=(Body(Format.JSON, b"{"),))

    status = run(worker, broken).status

    assert status.code is StatusCode.INVALID
    assert status.description.startswith("pod (Trial): BadBody: the documents are not JSON")


def test_a_request_that_failed_has_no_documents(worker: Worker) -> None:
    assert run(worker, ask("/raise", docs("a"))).body.format is Format.NONE


def test_executors_of_one_pea_are_called_in_order() -> None:
    class Add(Executor):
        letter = "x"

        @requests
        def go(self, docs: DocumentBatch) -> DocumentBatch:
            return docs.with_texts([text + self.letter for text in docs.text()])

    class AddY(Add):
        letter = "y"

    worker = Worker(SEAT, [Step.of(Add()), Step.of(Trial()), Step.of(AddY())])

    assert read_body(run(worker, ask("/upper", docs("a"))).body).text() == ["AXy"]
    assert worker.track("/upper").endpoint == "/upper"
    assert worker.track("/other").endpoint == "/default"


def opened(worker: Worker, *batches: DocumentBatch, endpoint: str = "/upper") -> Sequence[Opened]:
    made = [
        worker.open(ask(endpoint, batch), Batching(preferred_batch_size=9)) for batch in batches
    ]
    assert all(isinstance(one, Opened) for one in made)
    return [one for one in made if isinstance(one, Opened)]


@pytest.mark.parametrize("flush_all", [False, True])
@pytest.mark.parametrize("most", [1, 2, 10])
def test_requests_that_go_together_get_their_own_documents_back(
    worker: Worker, most: int, flush_all: bool
) -> None:
    how = Batching(preferred_batch_size=most, flush_all=flush_all)
    some = opened(worker, docs("a", "b"), DocumentBatch([]), docs("c"))

    answers = asyncio.run(worker.answer_together(some, how))

    assert [list(read_body(answer.body).ids) for answer in answers] == [["da", "db"], [], ["dc"]]
    assert [list(read_body(answer.body).values("text")) for answer in answers] == [
        ["A", "B"],
        [],
        ["C"],
    ]


@pytest.mark.parametrize(
    ("endpoint", "what"), [("/lose", "2 documents for 3"), ("/say", "a dict for 3")]
)
def test_as_many_documents_must_come_back_where_requests_go_together(
    worker: Worker, endpoint: str, what: str
) -> None:
    some = opened(worker, docs("a", "b"), docs("c"), endpoint=endpoint)

    answers = asyncio.run(worker.answer_together(some, Batching(preferred_batch_size=9)))

    assert [answer.status.code for answer in answers] == [StatusCode.EXECUTOR] * 2
    assert f"Trial returned {what}" in answers[0].status.description
