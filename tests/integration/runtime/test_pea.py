"""A real process, started cold, that runs a user's Executor and answers on its socket."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import TextColumn
from jina_cli.lifeline import LOG_MARK, DrainSaid, FailedSaid, PhaseSaid, ReadySaid
from jina_cli.vocabulary import DRY_RUN_ENDPOINT
from jina_cli.wire.channel import Link, LinkDown
from jina_cli.wire.messages import StatusCode
from tests.testing.peas import Pea, Peas, a_request, docs_of
from tests.testing.processes import wait_until

pytestmark = pytest.mark.anyio
FILE = str(Path(__file__).with_name("executors.py"))
DOCS = DocumentBatch(["a", "b"], {"text": TextColumn(["one", "two"])})


@pytest.fixture
def peas(tmp_path: Path) -> Iterator[Peas]:
    with Peas(tmp_path) as peas:
        yield peas


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pea]:
    """One Pea for the tests that leave it alive."""
    with Peas(tmp_path_factory.mktemp("trials")) as peas:
        yield peas.ready(peas.worker(f"{FILE}:Trials"))


@pytest.fixture
async def link(trials: Pea) -> AsyncIterator[Link]:
    link = await trials.connect()
    yield link
    await link.close()


Start = Callable[..., Pea]


@pytest.fixture
def start(peas: Peas) -> Start:
    def start(name: str, **others: Any) -> Pea:
        return peas.ready(peas.worker(f"{FILE}:{name}", **others))

    return start


async def test_a_users_executor_answers(trials: Pea, link: Link) -> None:
    answer = await link.request(a_request("/upper", DOCS))

    assert list(docs_of(answer).values("text")) == ["ONE", "TWO"]
    assert [step.pod for step in answer.routes] == ["pod"]
    assert [said.phase for said in trials.said if isinstance(said, PhaseSaid)] == ["import", "init"]
    assert "/upper" in trials.heard(ReadySaid).endpoints
    hello = await link.wait_up(1)
    assert (hello.pea, hello.executor) == ("pod/rep-0", "Trials")
    assert "text" in hello.endpoints["/upper"].input["properties"]


async def test_many_requests_each_get_their_own_answer(link: Link) -> None:
    batches = [DocumentBatch([str(n)], {"text": TextColumn([f"t{n}"])}) for n in range(100)]

    answers = await asyncio.gather(*(link.request(a_request("/upper", b)) for b in batches))

    texts = [docs_of(answer).values("text")[0] for answer in answers]
    assert texts == [f"T{n}" for n in range(100)]


async def test_asynchronous_methods_run_at_once(link: Link) -> None:
    begin = time.monotonic()

    answers = await asyncio.gather(*(link.request(a_request("/async", DOCS)) for _ in range(10)))

    assert all(answer.status.ok for answer in answers)
    assert time.monotonic() - begin < 10 * 0.2


async def test_an_exception_is_an_answer_and_the_pea_lives_on(link: Link) -> None:
    failed = await link.request(a_request("/raise", DOCS))
    after = await link.request(a_request("/upper", DOCS))

    line = next(
        n for n, t in enumerate(Path(FILE).read_text().splitlines(), 1) if "no such thing" in t
    )
    status = failed.status
    assert status.code is StatusCode.EXECUTOR
    assert status.description == (f"pod (Trials): LookupError: no such thing (executors.py:{line})")
    assert (status.exception, status.arguments) == ("LookupError", ("no such thing",))
    assert (status.executor, status.pod) == ("Trials", "pod")
    assert any("raise LookupError" in text for text in status.stacks)
    assert after.status.ok


async def test_what_is_wrong_with_the_request_is_said_so(start: Start) -> None:
    link = await start("Memory").connect()

    failed = await link.request(a_request("/search", DOCS, top_k="many"))

    assert failed.status.code is StatusCode.INVALID
    assert failed.status.description == (
        "pod (Memory): BadParameter: top_k is 'many', and must be a number from 1 to 100000"
    )
    await link.close()


async def test_a_dict_goes_to_the_results_and_parameters_come_back_as_they_were(link: Link) -> None:
    answer = await link.request(a_request("/dict", DOCS, k=1, my__m=2))

    results = answer.parameters["__results__"]["pod/rep-0"]
    assert results["got"] == {"k": 1, "my__m": 2}
    assert answer.parameters["my__m"] == 2
    assert docs_of(answer).ids == ["a", "b"]


async def test_a_slow_request_holds_up_neither_pings_nor_deadlines(link: Link) -> None:
    nap = asyncio.create_task(link.request(a_request("/nap", DOCS, seconds=1.0)))

    assert await link.ping(0.5) < 0.5
    assert not nap.done()
    assert (await nap).status.ok


async def test_requests_go_together_where_the_method_asks_for_it(link: Link) -> None:
    answers = await asyncio.gather(
        link.request(a_request("/grouped", DOCS)), link.request(a_request("/grouped", DOCS))
    )

    assert [list(docs_of(answer).values("text")) for answer in answers] == [["4", "4"]] * 2


async def test_a_dry_run_and_an_endpoint_nobody_serves_pass_by(link: Link) -> None:
    for endpoint in (DRY_RUN_ENDPOINT, "/nobody"):
        assert docs_of(await link.request(a_request(endpoint, DOCS))).text() == ["one", "two"]


async def test_sigterm_finishes_what_is_there(start: Start) -> None:
    pea = start("Trials")
    link = await pea.connect()
    nap = asyncio.create_task(link.request(a_request("/nap", DOCS, seconds=0.5)))
    await link.ping(5)  # the request is there now: frames keep their order

    pea.terminate()

    assert (await nap).status.ok
    assert await asyncio.to_thread(pea.ended) == 0
    assert pea.heard(DrainSaid).pending == 1
    assert pea.lines[-1] == "closed"
    await link.close()


async def test_sigterm_lets_grouped_requests_go(start: Start) -> None:
    pea = start("Trials")
    link = await pea.connect()
    waiting = asyncio.create_task(link.request(a_request("/grouped", DOCS)))
    await link.ping(5)

    pea.terminate()

    assert list(docs_of(await waiting).values("text")) == ["2", "2"]
    assert await asyncio.to_thread(pea.ended) == 0
    await link.close()


@pytest.mark.parametrize(("endpoint", "parameters"), [("/hang", {}), ("/spin", {"forever": True})])
async def test_an_executor_that_hangs_does_not_hold_up_the_end(
    start: Start, endpoint: str, parameters: dict[str, Any]
) -> None:
    pea = start("Trials", stop_within_s=1.0)
    link = await pea.connect()
    for _ in range(10):
        await link.request(a_request(endpoint.replace("hang", "dict"), None))
    hanging = asyncio.create_task(link.request(a_request(endpoint, DOCS, **parameters)))
    await asyncio.to_thread(wait_until, lambda: "hangs" in pea.lines)

    pea.terminate()

    assert await asyncio.to_thread(pea.ended, 5) == 1
    with pytest.raises(LinkDown):
        await hanging
    await link.close()


async def test_a_close_that_hangs_does_not_hold_up_the_end(start: Start) -> None:
    pea = start("Stubborn", stop_within_s=1.0)

    pea.terminate()

    assert await asyncio.to_thread(pea.ended, 5) == 1
    assert any("close() did not end" in line for line in pea.lines if line.startswith(LOG_MARK))


@pytest.mark.parametrize("endpoint", ["/upper", "/hang"])
async def test_a_pea_whose_parent_is_gone_ends(start: Start, endpoint: str) -> None:
    pea = start("Trials")
    link = await pea.connect()
    asked = asyncio.create_task(link.request(a_request(endpoint, DOCS)))
    await link.ping(5)

    pea.hang_up()

    await asyncio.to_thread(pea.ended, 4)
    await asyncio.gather(asked, return_exceptions=True)
    await link.close()


@pytest.mark.parametrize(("endpoint", "code"), [("/exit", 7), ("/exit-later", 8), ("/vanish", 9)])
async def test_an_executor_that_ends_the_process_ends_it(
    start: Start, endpoint: str, code: int
) -> None:
    pea = start("Trials")
    link = await pea.connect()

    with pytest.raises(LinkDown):
        await link.request(a_request(endpoint, DOCS))

    assert await asyncio.to_thread(pea.ended) == code
    await link.close()


def test_what_fails_before_it_is_ready_is_told_to_the_parent(peas: Peas) -> None:
    said = peas.failed(peas.worker(f"{FILE}:Broken"))

    assert (said.kind, said.cause) == ("init", "ValueError: no such model")
    assert said.place.startswith(f"{FILE}:")


SOURCES = {
    "import: SyntaxError: ": "def broken(:\n",
    "import: ZeroDivisionError: division by zero": "1 / 0\n",
    "import: ModuleNotFoundError: No module named 'surely_not'": "import surely_not\n",
    "import: ExecutorNotFound: there is no class 'Mine' in mine.py: its Executors: none": "x = 1\n",
}


@pytest.mark.parametrize("message", SOURCES)
def test_a_file_that_cannot_be_imported_is_told_to_the_parent(peas: Peas, message: str) -> None:
    said = peas.failed(peas.worker(peas.write("mine.py", SOURCES[message]) + ":Mine"))

    assert f"{said.kind}: {said.cause}".startswith(message)
    if "not" not in message.lower():
        assert said.place.endswith("mine.py:1")


def test_a_missing_argument_is_told_to_the_parent(peas: Peas) -> None:
    said = peas.failed(peas.worker(f"{FILE}:Needy", with_={"dmi": 3}))

    assert said == FailedSaid(
        kind="init",
        cause="ExecutorInvalid: Needy needs the argument 'dim': "
        "give it under 'uses_with', not as 'dmi'",
        place="",
    )


async def test_a_pea_that_was_killed_is_started_again_behind_the_same_socket(peas: Peas) -> None:
    plan = peas.worker(f"{FILE}:Echo")
    first = peas.ready(plan)
    link: Link = await first.connect()
    await asyncio.to_thread(first.kill)

    peas.start(plan)
    await link.wait_up(20)

    assert docs_of(await link.request(a_request("/x", DOCS))).text() == ["one", "two"]
    await link.close()


async def test_several_executors_are_chained_in_one_pea(peas: Peas) -> None:
    from jina_cli.plan.models import ExecutorPlan

    parts = tuple(ExecutorPlan(uses=f"{FILE}:Stamp", with_={"letter": x}) for x in "yz")
    link = await peas.ready(peas.worker("CompoundExecutor", components=parts)).connect()

    answer = await link.request(a_request("/x", DOCS))

    assert list(docs_of(answer).values("text")) == ["oneyz", "twoyz"]
    await link.close()
