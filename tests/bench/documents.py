"""Documents between their forms: bytes, columns, objects; beside docarray's own codec.

    python tests/bench/documents.py [--rounds 5] [--only WORD]

Prints one line a step: microseconds of CPU per document, the best of some rounds. Documents are
those of the Flow's bench: `text` has an id, a text and two fields that are null, `img` a tensor
of 784 and an embedding of 64 float32 beside. `docarray` is `DocList.from_protobuf` and
`to_protobuf` on the same bytes. `echo` hands documents to an Executor and takes them back
untouched, `loop` rewrites the text of each, `columns` all texts and all embeddings at once.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator

import numpy as np
import orjson
from docarray import BaseDoc, DocList
from docarray.proto import DocListProto
from docarray.typing import NdArray

from jina_cli.documents import columns
from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.convert import from_docs, to_docs
from jina_cli.documents.document import Document
from jina_cli.documents.rows import from_rows, to_numpy_rows
from jina_cli.documents.standard import scan, write
from jina_cli.wire.bodies import read_body, write_body
from jina_cli.wire.messages import Body, Format

SIZES = (1, 100)
ENOUGH_S = 0.02
"""How long one round of a step takes at least."""


class BenchDoc(BaseDoc):
    text: str = ""
    tensor: NdArray | None = None
    embedding: NdArray | None = None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    for kind in ("text", "img"):
        for size in SIZES:
            for name, step in steps(kind, size):
                label = f"{kind}/{size} {name}"
                if options.only in label:
                    cost = min(seconds(step) for _ in range(options.rounds)) / size * 1e6
                    print(f"{label:32s} {cost:8.3f} us", flush=True)


def steps(kind: str, size: int) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield what is measured on one request, by name."""
    plain = documents(kind, size)
    proto = plain.to_protobuf().SerializeToString()
    batch = columns.decode(b"".join(columns.encode(scan(proto))))
    packed = b"".join(columns.encode(batch))
    rows = orjson.dumps(to_numpy_rows(batch), option=orjson.OPT_SERIALIZE_NUMPY)
    yield "scan", lambda: scan(proto)
    yield "write", lambda: write(batch)
    yield "encode", lambda: b"".join(columns.encode(batch))
    yield "decode", lambda: columns.decode(packed)
    yield "rows in", lambda: from_rows(orjson.loads(rows))
    yield "rows out", lambda: write_body(batch, Format.JSON)
    yield "proto body to columns", lambda: columns_of(Body(Format.PROTO, proto))
    yield "columns body to proto", lambda: proto_of(Body(Format.COLUMNS, packed))
    yield "echo", lambda: from_docs(to_docs(batch, BenchDoc), original=batch)
    yield "echo Document", lambda: from_docs(to_docs(batch, Document), original=batch)
    yield "loop", lambda: looped(batch, BenchDoc)
    yield "loop Document", lambda: looped(batch, Document)
    yield "columns", lambda: by_columns(batch)
    yield "gather", lambda: from_docs(plain)
    yield (
        "docarray in",
        lambda: DocList[BenchDoc].from_protobuf(DocListProto.FromString(proto)),
    )
    yield "docarray out", lambda: plain.to_protobuf().SerializeToString()


def documents(kind: str, size: int) -> DocList[BenchDoc]:
    rng = np.random.default_rng(0)
    return DocList[BenchDoc](
        BenchDoc(
            text=f"hello {place}",
            tensor=rng.random(784, np.float32) if kind == "img" else None,
            embedding=rng.random(64, np.float32) if kind == "img" else None,
        )
        for place in range(size)
    )


def columns_of(body: Body) -> Body:
    return write_body(read_body(body), Format.COLUMNS)


def proto_of(body: Body) -> Body:
    return write_body(read_body(body), Format.PROTO)


def looped(batch: DocumentBatch, doc_type: type[BaseDoc]) -> DocumentBatch:
    docs = to_docs(batch, doc_type)
    for doc in docs:
        doc.text = doc.text + "."
    return from_docs(docs, original=batch)


def by_columns(batch: DocumentBatch) -> DocumentBatch:
    docs = to_docs(batch, BenchDoc)
    docs.text = [text + "." for text in docs.text]
    docs.embedding = np.zeros((len(docs), 64), np.float32)
    return from_docs(docs, original=batch)


def seconds(step: Callable[[], object]) -> float:
    """Return the CPU time of one call, as the mean of enough of them."""
    count = 1
    while True:
        start = time.process_time()
        for _ in range(count):
            step()
        spent = time.process_time() - start
        if spent >= ENOUGH_S:
            return spent / count
        count *= 2 if spent < ENOUGH_S / 10 else 1 + int(ENOUGH_S / spent)


if __name__ == "__main__":
    main()
