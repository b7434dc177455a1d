"""An encoder and an exact index as Jina 3 users write them; run under both."""

import numpy as np
from docarray import BaseDoc, DocList
from docarray.typing import NdArray
from jina import Executor, requests
from knn import Encoder, Index


class Query(BaseDoc):
    text: str = ""
    embedding: NdArray | None = None
    # Documents in documents would be the natural thing; over HTTP Jina 3.34 does not start then.
    found: list[str] | None = None
    scores: list[float] | None = None


class Encode(Executor):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.encoder = Encoder()

    @requests
    def encode(self, docs: DocList[Query], **kwargs) -> DocList[Query]:
        docs.embedding = self.encoder.encode(docs.text)
        return docs


class Find(Executor):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.index = Index()

    @requests
    def find(self, docs: DocList[Query], **kwargs) -> DocList[Query]:
        places, scores = self.index.search(np.stack([doc.embedding for doc in docs]))
        for doc, row, found in zip(docs, places.tolist(), scores.tolist(), strict=True):
            doc.embedding = None
            doc.found = [str(place) for place in row]
            doc.scores = found
        return docs
