"""Executors that tests run in real Peas, written as a user would."""

import asyncio
import os
import sys
import threading
import time

from jina import (
    BaseDoc,
    DocList,
    Document,
    DocumentBatch,
    Executor,
    Indexer,
    dynamic_batching,
    requests,
)


class Echo(Executor):
    @requests
    def go(self, docs: DocList[Document], **kwargs):
        return docs


class Trials(Executor):
    """Goes well, or wrong, in each way that there is."""

    @requests(on="/upper")
    def upper(self, docs: DocList[Document], **kwargs):
        for doc in docs:
            doc.text = doc.text.upper()

    @requests(on="/async")
    async def together(self, docs: DocList[Document], **kwargs):
        await asyncio.sleep(0.2)
        return docs

    @requests(on="/raise")
    def fails(self, docs: DocumentBatch):
        raise LookupError("no such thing")

    @requests(on="/hang")
    def hangs(self, docs: DocumentBatch):
        print("hangs", flush=True)
        threading.Event().wait()

    @requests(on="/nap")
    def nap(self, docs: DocumentBatch, parameters: dict):
        time.sleep(parameters["seconds"])

    @requests(on="/spin")
    def spin(self, parameters: dict):
        if parameters.get("forever"):
            print("hangs", flush=True)
        while parameters.get("forever"):
            pass

    @requests(on="/dict")
    def says(self, parameters: dict):
        return {"got": parameters, "thread": threading.current_thread().name}

    @requests(on="/exit")
    def leaves(self, docs: DocumentBatch):
        sys.exit(7)

    @requests(on="/exit-later")
    async def leaves_later(self, docs: DocumentBatch):
        await asyncio.sleep(0)
        sys.exit(8)

    @requests(on="/vanish")
    def vanishes(self, docs: DocumentBatch):
        os._exit(9)

    @requests(on="/grouped")
    @dynamic_batching(preferred_batch_size=4, timeout=60_000)
    def grouped(self, docs: DocumentBatch):
        return docs.with_texts([str(len(docs))] * len(docs))

    def close(self):
        print("closed", flush=True)


class Stubborn(Executor):
    def close(self):
        threading.Event().wait()


class Broken(Executor):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        raise ValueError("no such model\nand more")


class Needy(Executor):
    def __init__(self, dim: int, **kwargs):
        super().__init__(**kwargs)


class Memory(Indexer):
    """Keeps documents of one shard in memory; the score is the length of the text."""

    def __init__(self, fails_on: int = -1):
        self.docs = DocumentBatch([])
        self.fails_on = fails_on
        self.taught = 0

    def index(self, docs, **parameters):
        self.docs = DocumentBatch.concat([self.docs, docs.only("text")])

    def search(self, docs, *, top_k, **parameters):
        import numpy as np

        from jina_cli.documents.column import DocsColumn, ValuesColumn

        if self.runtime_args.shard_id == self.fails_on:
            raise LookupError("this shard is sick")
        texts = self.docs.values("text")
        best = sorted(range(len(texts)), key=lambda i: (-len(texts[i]), self.docs.ids[i]))[:top_k]
        found = self.docs.take(best)
        found = found.with_columns(
            score=ValuesColumn([float(len(t)) for t in found.values("text")])
        )
        offsets = np.arange(len(docs) + 1) * len(best)
        return DocsColumn(offsets, DocumentBatch.concat([found] * len(docs)))

    def delete(self, ids):
        return len(ids)

    def count(self):
        return len(self.docs)

    @requests(on="/train")
    def learn(self, parameters: dict):
        self.taught += 1
        return {"taught": self.taught}


class Stamp(Executor):
    """Adds a letter to the text; stands before or after the shards."""

    def __init__(self, letter: str = "x", **kwargs):
        super().__init__(**kwargs)
        self.letter = letter

    @requests
    def go(self, docs: DocumentBatch):
        return docs.with_texts([(text or "") + self.letter for text in docs.values("text")])


class Asked(BaseDoc):
    words: str = ""


class Found(BaseDoc):
    words: str = ""
    place: int = 0


class Framing(Executor):
    """Takes one type of documents and gives another; stands before or after the shards."""

    @requests
    def go(self, docs: DocList[Asked]) -> DocList[Found]: ...
