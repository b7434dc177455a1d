"""Executors with generators that tests run in real Peas, written as a user would."""

import asyncio
import os
import threading
import time

from jina import BaseDoc, DocumentBatch, Executor, dynamic_batching, requests


class Count(BaseDoc):
    text: str = ""


class Speaker(Executor):
    """Counts, well or wrong, in each way that there is."""

    @requests(on="/count")
    async def count(self, doc: Count, parameters: dict) -> Count:
        try:
            for n in range(parameters.get("to", 3)):
                await asyncio.sleep(parameters.get("pause", 0))
                yield Count(text=str(n))
        finally:
            print("count closed", flush=True)

    @requests(on="/slow")
    def slow(self, doc: Count, parameters: dict) -> Count:
        try:
            for n in range(parameters.get("to", 3)):
                time.sleep(parameters.get("pause", 0))
                print(f"slow {n}", flush=True)
                yield Count(text=f"{n} {threading.current_thread().name}")
        finally:
            print("slow closed", flush=True)

    @requests(on="/raise")
    def raises(self, doc: Count) -> Count:
        yield Count(text="first")
        raise LookupError("no second")

    @requests(on="/vanish")
    async def vanishes(self, doc: Count) -> Count:
        yield Count(text="first")
        os._exit(9)

    @requests(on="/whole")
    def whole(self, docs: DocumentBatch):
        return docs.with_texts(["whole"] * len(docs))

    @requests(on="/exit")
    def fails(self, docs: DocumentBatch):
        raise MemoryError("no more")

    @requests(on="/busy")
    @dynamic_batching(preferred_batch_size=8, timeout=0)
    def busy(self, docs: DocumentBatch):
        time.sleep(0.1)
        return docs.with_texts([str(len(docs))] * len(docs))

    def close(self):
        print("closed", flush=True)
