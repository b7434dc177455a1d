"""OpenAIEncoder against a server over HTTP."""

from __future__ import annotations

import email.utils
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest

from jina_cli.errors import UsageError
from jina_cli.executors.creation import Surroundings, create
from jina_cli.executors.encoders.embeddings_api import Embeddings, Service, ServiceFailed
from jina_cli.executors.encoders.openai import OpenAIEncoder

Answer = tuple[int, dict[str, str], bytes]


class Api:
    """A server with an embeddings endpoint: a text's vector is its length and 1.

    Attributes:
        asked: Path, headers and body of each request.
        answers: What it says instead, one request after another.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.answers: list[Answer] = []
        self._lock = threading.Lock()
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with api._lock:
                    api.asked.append((self.path, dict(self.headers), body))
                    answer = api.answers.pop(0) if api.answers else None
                status, headers, data = answer or (200, {}, embeddings(body["input"]))
                if status == 0:
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def embeddings(texts: list[str]) -> bytes:
    rows = [{"index": n, "embedding": [len(text), 1]} for n, text in enumerate(texts)]
    return json.dumps({"data": rows[::-1]}).encode()  # in no order that is promised


@pytest.fixture
def api() -> Iterator[Api]:
    made = Api()
    yield made
    made.close()


@pytest.fixture
def encoder(api: Api) -> Iterator[Callable[..., OpenAIEncoder]]:
    made: list[OpenAIEncoder] = []

    def make(**options: Any) -> OpenAIEncoder:
        given = {"url": api.url, "model": "tiny", **options}
        made.append(create(OpenAIEncoder, given, Surroundings()))
        return made[-1]

    yield make
    for one in made:
        one.close()


def unit(*numbers: float) -> Any:
    vector = np.array(numbers)
    return pytest.approx(vector / np.linalg.norm(vector))


def test_texts_go_to_the_endpoint_and_come_back_as_vectors(
    api: Api, encoder: Callable[..., OpenAIEncoder]
) -> None:
    vectors = encoder(dimensions=2).encode(["abc", "a"])

    assert vectors.dtype == np.float32
    assert vectors[0] == unit(3, 1)
    assert vectors[1] == unit(1, 1)
    ((path, headers, body),) = api.asked
    assert path == "/v1/embeddings"
    assert body == {
        "model": "tiny",
        "input": ["abc", "a"],
        "encoding_format": "float",
        "dimensions": 2,
    }
    assert "Authorization" not in headers


def test_many_texts_are_sent_in_batches_and_stay_in_order(
    api: Api, encoder: Callable[..., OpenAIEncoder]
) -> None:
    texts = ["x" * (n + 1) for n in range(11)]

    vectors = encoder(batch_size=3, concurrency=3).encode(texts)

    assert [round(float(row[0] / row[1])) for row in vectors] == list(range(1, 12))
    assert sorted(len(body["input"]) for _, _, body in api.asked) == [2, 3, 3, 3]


def test_queries_and_passages_have_prefixes(
    api: Api, encoder: Callable[..., OpenAIEncoder]
) -> None:
    made = encoder(query_prefix="query: ", passage_prefix="passage: ")

    made.encode(["a"])
    made.encode_query(["a"])

    assert [body["input"] for _, _, body in api.asked] == [["passage: a"], ["query: a"]]


def test_empty_text_is_not_sent(api: Api, encoder: Callable[..., OpenAIEncoder]) -> None:
    vectors = encoder().encode(["", "abc", " "])

    assert vectors[0].tolist() == vectors[2].tolist() == [0, 0]
    assert [body["input"] for _, _, body in api.asked] == [["abc"]]


def test_empty_text_alone_has_a_vector_of_the_right_length(
    encoder: Callable[..., OpenAIEncoder],
) -> None:
    assert encoder().encode(["", ""]).tolist() == [[0, 0], [0, 0]]


def test_the_key_comes_from_the_environment_alone(
    api: Api, encoder: Callable[..., OpenAIEncoder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "not-asked-for")
    monkeypatch.setenv("MY_KEY", "secret-1")

    encoder(api_key_env="MY_KEY").encode(["a"])
    encoder().encode(["a"])

    assert [headers.get("Authorization") for _, headers, _ in api.asked] == [
        "Bearer secret-1",
        None,
    ]
    with pytest.raises(UsageError, match="the variable NO_KEY is not set"):
        encoder(api_key_env="NO_KEY")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_refusal_that_may_pass_is_tried_again_when_the_service_says(
    api: Api, status: int
) -> None:
    api.answers = [(status, {"Retry-After": "7"}, b"")] * 2
    paused: list[float] = []

    vectors = asking(api, paused)(["abc"])

    assert vectors.tolist() == [[3, 1]]
    assert paused == [7, 7]


def test_a_service_may_say_a_date(api: Api) -> None:
    when = email.utils.formatdate(time.time() + 20, usegmt=True)
    api.answers = [(429, {"Retry-After": when}, b"")]
    paused: list[float] = []

    asking(api, paused)(["a"])

    assert 15 < paused[0] <= 20


def test_where_the_service_says_nothing_the_pauses_double(api: Api) -> None:
    api.answers = [(500, {}, b""), (0, {}, b""), (500, {"Retry-After": "soon"}, b"")]
    paused: list[float] = []

    asking(api, paused)(["a"])

    assert [0.5 <= paused[0] <= 0.75, 1 <= paused[1] <= 1.5, 2 <= paused[2] <= 3] == [True] * 3


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        (
            [(401, {}, b'{"error": {"message": "no such\\nkey"}}')],
            "answered 401: no such key: name the variable that holds the key",
        ),
        ([(404, {}, b"")], "answered 404: check the URL and the model 'tiny'"),
        ([(400, {}, b"too long")], "answered 400: too long"),
        ([(302, {"Location": "http://127.0.0.1:1/"}, b"")], "redirects are not followed"),
        ([(500, {}, b"")] * 3, "answered 500"),
        ([(429, {"Retry-After": "3600"}, b"")], "answered 429"),
        ([(0, {}, b"")] * 3, "does not answer"),
        ([(200, {}, b"<html>")], "no list of embeddings"),
        ([(200, {}, b'{"data": [{"index": 0, "embedding": [null, 1]}]}')], "embeddings"),
        ([(200, {}, b'{"data": []}')], r"embeddings of shape \(0,\) for 1 texts"),
        ([(200, {}, b'{"data": [{"index": 1, "embedding": [1, 2]}]}')], r"\(1, 2\) for 1 texts"),
    ],
)
def test_what_does_not_pass_is_said_on_one_line(
    api: Api, answers: list[Answer], message: str
) -> None:
    api.answers = list(answers)

    with pytest.raises(ServiceFailed, match=message) as caught:
        asking(api, [], retries=2)(["a"])

    assert "\n" not in str(caught.value)
    assert "/v1/embeddings" in str(caught.value)
    assert len(api.asked) == len(answers)


def test_the_key_is_in_no_message(api: Api) -> None:
    service = Service(url=api.url, model="tiny", key="secret-1", retries=0)
    api.answers = [(403, {}, b"forbidden")]

    with pytest.raises(ServiceFailed, match="check the variable that 'api_key_env'") as caught:
        Embeddings(service)(["a"])

    assert "secret-1" not in str(caught.value) + repr(service)


def test_who_is_closed_does_not_wait_to_try_again(api: Api) -> None:
    api.answers = [(429, {"Retry-After": "50"}, b"")]
    ask = Embeddings(Service(url=api.url, model="tiny"))
    ask.close()

    with pytest.raises(ServiceFailed, match="answered 429"):
        ask(["a"])


@pytest.mark.parametrize("url", ["ftp://host/v1", "host/v1", "https://"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="is no URL"):
        Embeddings(Service(url=url, model="tiny"))


def asking(api: Api, paused: list[float], *, retries: int = 5) -> Embeddings:
    """Return one that only writes down how long it would have waited."""

    def pause(seconds: float) -> bool:
        paused.append(seconds)
        return False

    return Embeddings(Service(url=api.url, model="tiny", retries=retries), pause=pause)
