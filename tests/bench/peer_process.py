"""Servers of an HTTP search: apps of peers, each in its own environment, and Flows."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from flow_process import FLOWS, a_flow, a_server
from reports import BenchFailed

from tests.testing import jina_peer
from tests.testing.ports import free_port

APPS = Path(__file__).with_name("peers")
READY_WITHIN_S = 90.0
ANSWER_WITHIN_S = 10.0
# One thread for BLAS everywhere: two of them on two cores get in each other's way.
ALONE = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONPATH": str(FLOWS),
    **jina_peer.VARIABLES,
}
Found = list[tuple[str, float]]
"""Ids and scores of what was found, best first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a server is asked to search, and how it answers.

    Attributes:
        path: Of the URL.
        question: The JSON that asks for the nearest of a text.
        found: What is in the JSON of the answer.
    """

    path: str
    question: Callable[[str], Any]
    found: Callable[[Any], Found]


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """A server that has answered; `url` is that of its search."""

    process: psutil.Process
    url: str


def _by_fields(answer: Any) -> Found:
    document = answer["data"][0]
    return list(zip(document["found"], document["scores"], strict=True))


def _by_matches(answer: Any) -> Found:
    return [(str(match["id"]), match["score"]) for match in answer[0]]


BY_HAND = Dialect(path="/search", question=lambda t: {"data": [{"text": t}]}, found=_by_fields)
FLOW = Dialect(path="/default", question=BY_HAND.question, found=_by_fields)
TXTAI = Dialect(
    path="/batchsearch", question=lambda t: {"queries": [t], "limit": 10}, found=_by_matches
)
DIALECTS = {"starlette": BY_HAND, "litserve": BY_HAND, "txtai": TXTAI}


@contextmanager
def a_peer(name: str, python: Path, *arguments: str) -> Iterator[Serving]:
    """Run the app of a peer until it answers, and end all of it after.

    Raises:
        BenchFailed: It ended, or gave no answer in time; the message names its log.
    """
    dialect, port = DIALECTS[name], free_port()
    command = [str(python), str(APPS / f"{name}_app.py"), str(port), *arguments]
    url = f"http://127.0.0.1:{port}{dialect.path}"
    with a_server(command, APPS, {**os.environ, **ALONE}, name=name) as (child, log):
        _until_it_answers(child, url, dialect.question("hello"), log)
        yield Serving(process=psutil.Process(child.pid), url=url)


@contextmanager
def a_search(command: Sequence[str | Path], flow: str) -> Iterator[Serving]:
    """Run a Flow until it answers, and end all of it after."""
    with a_flow(command, FLOWS / f"{flow}.yml", ALONE) as started:
        url = f"http://127.0.0.1:{started.ports.http}{FLOW.path}"
        yield Serving(process=started.process, url=url)


def ask(url: str, question: Any = None) -> Any:
    """POST JSON, or GET without it; returns the JSON of the answer.

    Raises:
        BenchFailed: The answer is an error.
        OSError: Nobody answers.
    """
    body = None if question is None else json.dumps(question).encode()
    asked = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(asked, timeout=ANSWER_WITHIN_S) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise BenchFailed(f"{url}: {error.code} {error.read()[:400]!r}") from error


def _until_it_answers(child: subprocess.Popen[bytes], url: str, question: Any, log: Path) -> None:
    until = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < until:
        if child.poll() is not None:
            raise BenchFailed(f"the peer ended with {child.returncode}; see {log}")
        try:
            ask(url, question)
        except OSError:
            time.sleep(0.05)  # the step in which it is asked again
        else:
            return
    raise BenchFailed(f"{url} does not answer; see {log}")


Server = tuple[Dialect, Callable[[], AbstractContextManager[Serving]]]
"""How a system is asked, and what starts it."""
