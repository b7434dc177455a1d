"""Pods in one process answer as Pods in processes of their own.

The same Flow runs twice, each Pod by itself and all in one process; each question is asked of
both, and the answers must be equal, but for the times that they took.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from jina_cli.documents.rows import from_rows, to_rows
from jina_cli.plan.expand import expand
from jina_cli.plan.models import Plan
from jina_cli.spec.load import load_flow
from jina_cli.supervise.supervisor import supervised
from jina_cli.vocabulary import DRY_RUN_ENDPOINT
from jina_cli.wire.bodies import read_body, write_body
from jina_cli.wire.channel import Link
from jina_cli.wire.messages import Format, Request, Response
from tests.testing.flows import short_folder

EXECUTORS = """
import os
from pathlib import Path
from jina import BaseDoc, DocList, Executor, dynamic_batching, requests

class Word(BaseDoc):
    text: str = ""

class First(Executor):
    @requests(on=["/search", "/index", "/first", "/words", "/dicts", "/fail", "/drop", "/odd"])
    def work(self, docs, parameters, **kwargs):
        for doc in docs:
            doc.text = f"{doc.text}<{parameters.get('mark', 'first')}>"

    @requests(on="/train")
    def train(self, docs, **kwargs):
        self.trained = len(docs)

    @requests(on="/dict")
    def count(self, docs, **kwargs):
        return {"first": len(docs)}

    @requests(on="/state")
    def state(self, docs, **kwargs):
        for doc in docs:
            doc.text = f"trained {self.trained} in {Path(self.workspace).parts[-2:]}"

class Second(Executor):
    @requests
    def work(self, docs, parameters, **kwargs):
        for doc in docs:
            doc.text = f"{doc.text}<{parameters.get('mark', 'second')}>"

    @requests(on="/words")
    async def words(self, doc: Word, **kwargs) -> Word:
        for word in doc.text.split():
            yield Word(text=word)

    @requests(on="/drop")
    def drop(self, docs, **kwargs):
        return docs[:1]

    @requests(on="/dict")
    def both(self, docs, parameters, **kwargs):
        return {"second": sorted(parameters.get("__results__", {}))}

    @requests(on="/train")
    def train(self, docs, **kwargs):
        self.trained = -len(docs)

    @requests(on="/state")
    def state(self, docs, **kwargs):
        for doc in docs:
            doc.text = f"{doc.text}; trained {self.trained} in {Path(self.workspace).parts[-2:]}"

    @requests(on="/odd")
    def odd(self, docs, **kwargs):
        return "nonsense"

    @dynamic_batching(preferred_batch_size=4, timeout=20)
    @requests(on="/batch")
    def batch(self, docs, **kwargs):
        for doc in docs:
            doc.text = f"{doc.text}<batch>"

class Third(Executor):
    @requests(on=["/search", "/third", "/words", "/drop"])
    def work(self, docs, parameters, **kwargs):
        for doc in docs:
            doc.text = f"{doc.text}<{parameters.get('mark', 'third')}>"

    @requests(on="/fail")
    def fail(self, docs, **kwargs):
        raise ValueError("no good")
"""

FLOW = """
jtype: Flow
with: {{colocate: {colocate}}}
executors:
  - {{name: one, uses: executors.py:First}}
  - {{name: two, uses: executors.py:Second, when: {{text: {{$neq: skip}}}}}}
  - {{name: three, uses: executors.py:Third}}
  - {{name: away, needs: gateway}}
  - {{name: join, needs: [three, away]}}
  - {{name: behind, uses: executors.py:Third}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    endpoint: str
    texts: tuple[str, ...] = ("a", "b c")
    parameters: Mapping[str, Any] = field(default_factory=dict)
    target: str = ""
    streamed: bool = False


QUESTIONS: Mapping[str, Question] = {
    "an endpoint of all": Question(endpoint="/search"),
    "an endpoint that the default of one serves": Question(endpoint="/anything"),
    "an endpoint of the first": Question(endpoint="/first"),
    "an endpoint of the last": Question(endpoint="/third"),
    "no documents": Question(endpoint="/search", texts=()),
    "documents that one Pod does not want": Question(endpoint="/search", texts=("skip", "a")),
    "documents that reach nobody": Question(endpoint="/third", texts=("skip",)),
    "a parameter for all": Question(endpoint="/search", parameters={"mark": "x"}),
    "a parameter for one": Question(endpoint="/search", parameters={"two__mark": "x"}),
    "parameters by Pod": Question(
        endpoint="/search",
        parameters={"mark": "x", "two": {"mark": "y"}, "behind__mark": "z", "three": {"mark": 3}},
    ),
    "a target inside": Question(endpoint="/search", target="two"),
    "a target of two": Question(endpoint="/search", target="one|three"),
    "a target outside": Question(endpoint="/search", target="behind"),
    "a target that does not serve it": Question(endpoint="/first", target="three"),
    "a target that nobody has": Question(endpoint="/search", target="nobody"),
    "results besides documents": Question(endpoint="/dict"),
    "an Executor that fails": Question(endpoint="/fail"),
    "an Executor that returns nonsense": Question(endpoint="/odd"),
    "an Executor that drops documents": Question(endpoint="/drop"),
    "a generator": Question(endpoint="/words", streamed=True),
    "a generator in one piece": Question(endpoint="/words"),
    "a failure in parts": Question(endpoint="/fail", streamed=True),
    "an answer in one part": Question(endpoint="/search", streamed=True),
    "groups": Question(endpoint="/batch"),
    "a dry run": Question(endpoint=DRY_RUN_ENDPOINT, texts=()),
    "training": Question(endpoint="/train"),
    "what was learnt, and where it is kept": Question(endpoint="/state"),
}


AT_ONCE = [Question(endpoint="/batch", texts=(f"t{number}",)) for number in range(20)]
"""Asked at the same time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered, without times and ids."""

    status: tuple[str, ...]
    texts: tuple[tuple[str, ...], ...]
    results: Any
    routes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A Flow that ran, and what it answered."""

    plan: Plan
    answers: Mapping[str, Answer]
    at_once: tuple[Answer, ...]


@pytest.fixture(scope="module")
def flows() -> Iterator[tuple[Asked, Asked]]:
    """Give the Flow with Pods apart, and with Pods in one process."""
    with short_folder() as folder:
        (folder / "executors.py").write_text(EXECUTORS, "utf-8")
        yield (
            asyncio.run(all_asked(folder, colocate=False)),
            asyncio.run(all_asked(folder, colocate=True)),
        )


async def all_asked(folder: Path, *, colocate: bool) -> Asked:
    name = "fused" if colocate else "apart"
    file = folder / f"{name}.yml"
    file.write_text(FLOW.format(colocate=str(colocate).lower()), "utf-8")
    plan = expand(
        load_flow(file, env={}).spec,
        run_dir=folder / name,
        log_dir=folder / f"{name}-logs",
        workspace=folder / f"{name}-work",
        environ={"JINA_LOG_LEVEL": "ERROR"},
    )
    async with supervised(plan) as flow:
        link = Link(flow.native_address, max_pending=64, max_message_bytes=2**20)
        link.start()
        try:
            await link.wait_up(10)
            answers = {key: await asked(link, question) for key, question in QUESTIONS.items()}
            at_once = await asyncio.gather(*(asked(link, question) for question in AT_ONCE))
        finally:
            await link.close()
    return Asked(plan=plan, answers=answers, at_once=tuple(at_once))


async def asked(link: Link, question: Question) -> Answer:
    rows = [{"id": str(number), "text": text} for number, text in enumerate(question.texts)]
    request = Request(
        endpoint=question.endpoint,
        bodies=(write_body(from_rows(rows), Format.COLUMNS),),
        parameters=question.parameters,
        target=question.target,
        streamed=question.streamed,
    )
    if question.streamed:
        return summed_up([part async for part in link.stream(request)])
    return summed_up([await link.request(request)])


def summed_up(parts: list[Response]) -> Answer:
    last = parts[-1]
    status, others = last.status, last.status.stacks
    name = [line for line in others if "Error" in line][-1:]
    return Answer(
        status=(
            status.code.name,
            status.description,
            status.exception,
            status.pod,
            status.executor,
            *name,
        ),
        texts=tuple(
            tuple(str(row.get("text")) for row in to_rows(read_body(part.body)))
            for part in parts
            if part.body.format
        ),
        results=last.parameters.get("__results__"),
        routes=tuple(sorted(step.pod for step in last.routes)),
    )


def test_pods_that_can_share_a_process_do(flows: tuple[Asked, Asked]) -> None:
    apart, fused = ([pea.name for pea in each.plan.peas] for each in flows)

    assert len(apart) == 6
    assert fused == ["one/rep-0", "away/rep-0", "join/rep-0"]


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_answer_is_the_same(flows: tuple[Asked, Asked], name: str) -> None:
    apart, fused = flows

    assert fused.answers[name] == apart.answers[name]


def test_questions_at_the_same_time_get_their_own_answers(flows: tuple[Asked, Asked]) -> None:
    for each in flows:
        assert [answer.texts for answer in each.at_once] == [
            ((f"t{number}<batch>",),) for number in range(len(AT_ONCE))
        ]


def test_every_question_is_answered_as_it_should_be(flows: tuple[Asked, Asked]) -> None:
    answers = flows[1].answers

    assert answers["a parameter for one"].texts == (
        ("a<first><x><third><third>", "b c<first><x><third><third>"),
    )
    assert answers["a generator"].texts == (
        ("a<first><third><third>",),
        ("b<third><third>",),
        ("c<first><third><third>",),
    )
    assert answers["results besides documents"].results == {
        "one/rep-0": {"first": 2},
        "two/rep-0": {"second": ["one/rep-0"]},
    }
    assert answers["an Executor that fails"].status[3:5] == ("three", "Third")
    assert answers["what was learnt, and where it is kept"].texts[0][0] == (
        "trained 2 in ('one', '0'); trained -2 in ('two', '0')"
    )
