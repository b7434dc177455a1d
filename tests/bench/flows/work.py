"""Executors of the benchmarks. They use Jina 3's API alone, and run under both."""

from docarray import BaseDoc, DocList
from docarray.typing import NdArray
from jina import Executor, requests


class Item(BaseDoc):
    text: str = ""
    tensor: NdArray | None = None
    embedding: NdArray | None = None


class Pass(Executor):
    """Does nothing: what is measured is the framework."""

    @requests
    def hand_on(self, docs: DocList[Item], **kwargs) -> DocList[Item]:
        return docs


class Touch(Executor):
    """Writes a field of each document, one after the other."""

    @requests
    def touch(self, docs: DocList[Item], **kwargs) -> DocList[Item]:
        for doc in docs:
            doc.text = doc.text + "."
        return docs


class TouchColumn(Executor):
    """Writes the same field of all documents at once."""

    @requests
    def touch(self, docs: DocList[Item], **kwargs) -> DocList[Item]:
        docs.text = [text + "." for text in docs.text]
        return docs
