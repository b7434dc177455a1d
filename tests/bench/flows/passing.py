"""An Executor that does nothing; runs under Jina 3.34 as under us."""

from docarray import BaseDoc, DocList
from jina import Executor, requests


class Note(BaseDoc):
    text: str = ""


class Pass(Executor):
    @requests
    def hand_on(self, docs: DocList[Note], **kwargs) -> DocList[Note]:
        return docs
