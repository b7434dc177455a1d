"""The same question gets the same answer over gRPC, HTTP, WebSocket and our own protocol.

One real Gateway over real Peas is asked each question over each of them; what differs between
the protocols (bytes, numbers of statuses) is taken away, and the rest must be equal.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jina_cli.vocabulary import Protocol
from tests.testing.agreeing import ASKERS, Answer, Question
from tests.testing.gateways import a_folder, a_gateway_aside, a_route
from tests.testing.peas import Peas

Asked = Callable[[Question], Mapping[str, Answer]]

LIMIT = 200_000
EXECUTORS = """
import asyncio
from docarray import BaseDoc, DocList
from jina import Executor, requests
from pydantic import BaseModel

class Typed(BaseDoc):
    text: str
    number: int = 0

class Settings(BaseModel):
    top_k: int = 1

class First(Executor):
    @requests(on=["/search", "/index", "/fail", "/slow", "/count", "/none"])
    def work(self, docs, parameters, **kwargs):
        for doc in docs:
            doc.text = f"{doc.text}{parameters.get('mark', '')}"

class Second(Executor):
    @requests(on=["/search", "/index"])
    def work(self, docs, parameters, **kwargs):
        for doc in docs:
            doc.text = f"{doc.text}{parameters.get('mark', '')}"

    @requests(on="/fail")
    def fail(self, docs, **kwargs):
        raise ValueError("no good")

    @requests(on="/slow")
    async def slow(self, docs, **kwargs):
        await asyncio.sleep(60)

    @requests(on="/count")
    def count(self, docs, **kwargs):
        return {"count": len(docs)}

    @requests(on="/typed")
    def typed(self, docs: DocList[Typed], **kwargs) -> DocList[Typed]:
        return docs

    @requests(on="/model")
    def model(self, docs, parameters: Settings, **kwargs):
        return {"top_k": parameters.top_k}

    @requests(on="/none")
    def none(self, docs, **kwargs):
        return docs[:0]
"""


QUESTIONS = [
    Question(name="two documents"),
    Question(name="no documents", documents=()),
    Question(name="many documents", documents=tuple({"id": str(n)} for n in range(300))),
    Question(
        name="all kinds of fields",
        documents=(
            {"id": "x", "text": "t", "tags": {"a": 1, "b": [True, None, "c"]}, "uri": "u"},
            {"id": "y", "embedding": [0.5, 1.5], "chunks": [{"id": "z", "text": "part"}]},
        ),
    ),
    Question(name="parameters for all", parameters={"mark": "!"}),
    Question(name="parameters for one", parameters={"second__mark": "?", "mark": "!"}),
    Question(name="parameters grouped", parameters={"first": {"mark": "#"}}),
    Question(name="a target", target="second", parameters={"mark": "+"}),
    Question(name="a target of nobody", target="third"),
    Question(name="a target that is no expression", target="(first"),
    Question(name="a dict as the result", endpoint="/count"),
    Question(name="nothing comes back", endpoint="/none"),
    Question(name="an unknown endpoint", endpoint="/serach"),
    Question(name="an Executor that raises", endpoint="/fail"),
    Question(
        name="a document of another type", endpoint="/typed", documents=({"id": "1", "text": 5},)
    ),
    Question(name="a parameter of another type", endpoint="/model", parameters={"top_k": "many"}),
    Question(name="past the deadline", endpoint="/slow"),
]
TOO_LARGE = Question(name="too large", documents=({"id": "1", "text": "x" * (LIMIT + 1)},))


EXPECTED = {
    "a target of nobody": 404,
    "a target that is no expression": 422,
    "an unknown endpoint": 404,
    "an Executor that raises": 500,
    "a document of another type": 422,
    "a parameter of another type": 422,
    "past the deadline": 504,
}


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    path = a_folder()
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def asked(folder: Path) -> Iterator[Asked]:
    """Asks one Gateway a question over every protocol at the same time."""
    with Peas(folder) as peas:
        source = peas.write("executors.py", EXECUTORS)
        first = peas.worker(f"{source}:First", name="first/rep-0")
        second = peas.worker(f"{source}:Second", name="second/rep-0")
        for pea in (peas.start(first), peas.start(second)):
            assert pea.process.poll() is None
        routes = [
            a_route("first", first.address),
            a_route("second", second.address, needs=["first"]),
        ]
        protocols = (Protocol.GRPC, Protocol.HTTP, Protocol.WEBSOCKET)
        limits = {"plan": {"max_message_bytes": LIMIT}, "deadline_s": 3.0}
        with a_gateway_aside(folder, routes, protocols, **limits) as (gateway, run):

            async def ask(question: Question) -> Mapping[str, Answer]:
                told = await asyncio.gather(*(one(gateway, question) for one in ASKERS.values()))
                return dict(zip(ASKERS, told, strict=True))

            yield lambda question: run(ask(question))


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_every_protocol_gives_the_same_answer(question: Question, asked: Asked) -> None:
    answers = asked(question)

    assert answers == dict.fromkeys(ASKERS, answers["native"])
    assert answers["native"].http_status == EXPECTED.get(question.name, 200)


DETAILS = {
    "an unknown endpoint": "no Executor serves /serach; did you mean /search?",
    "an Executor that raises": "second (Second): ValueError: no good (",
    "a document of another type": "'text' of document '",
    "a parameter of another type": "top_k: Input should be a valid integer",
}


@pytest.mark.parametrize("name", DETAILS)
def test_a_failure_says_what_failed_and_where(name: str, asked: Asked) -> None:
    question = next(one for one in QUESTIONS if one.name == name)

    assert DETAILS[name] in asked(question)["http"].detail


def test_a_message_over_the_limit_is_refused_with_the_limit(asked: Asked) -> None:
    # It is refused unread, so that no id comes back, and each counts its own bytes.
    for answer in asked(TOO_LARGE).values():
        assert answer.http_status == 413
        assert f"limit of {LIMIT}" in answer.detail


SENT = {
    "parameters for all": ["a!!", "ü!!"],
    "parameters for one": ["a!?", "ü!?"],
    "parameters grouped": ["a#", "ü#"],
    "a target": ["a+", "ü+"],
}


@pytest.mark.parametrize("name", SENT)
def test_parameters_reach_whom_they_are_for(name: str, asked: Asked) -> None:
    question = next(one for one in QUESTIONS if one.name == name)

    assert [row["text"] for row in asked(question)["http"].documents] == SENT[name]


_WORDS = st.text(st.characters(codec="utf-8"), max_size=12)
_INTEGERS = st.integers(-(2**53), 2**53)
_NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=32)
_VALUES = st.recursive(
    st.none() | st.booleans() | _INTEGERS | _NUMBERS | _WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=3),
    max_leaves=6,
)
_DOCUMENTS = st.lists(
    st.fixed_dictionaries(
        {"id": _WORDS.filter(bool)},
        optional={
            "text": _WORDS,
            "uri": _WORDS,
            "weight": _NUMBERS,
            "number": _INTEGERS,
            "flag": st.booleans(),
            "tags": st.dictionaries(_WORDS, _VALUES, max_size=3),
            "embedding": st.lists(_NUMBERS, min_size=2, max_size=2),
        },
    ),
    max_size=4,
    unique_by=lambda row: row["id"],
)
_QUESTIONS = st.builds(
    Question,
    name=st.just("any"),
    endpoint=st.sampled_from(["/search", "/index", "/count", "/none", "/fail", "/typed"])
    | st.text("abcé ?#%+", min_size=1, max_size=6).map("/x{}".format),
    documents=_DOCUMENTS.map(tuple),
    parameters=st.dictionaries(
        st.sampled_from(["mark", "first__mark", "second", "x__y", "__"]) | _WORDS,
        _VALUES,
        max_size=3,
    ),
    target=st.sampled_from(["", "first", "second", "f.*|sec", "("]) | _WORDS,
)


@given(_QUESTIONS)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_protocol_gives_the_same_answer_to_anything(asked: Asked, question: Question) -> None:
    answers = asked(question)

    assert answers == dict.fromkeys(ASKERS, answers["native"])
