"""The same encoder before an index in memory, for documents in bulk; run under both."""

import numpy as np
from docarray import DocList
from jina import Executor, requests
from knn import Encoder
from work import Item


class EncodeItems(Executor):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.encoder = Encoder()

    @requests
    def encode(self, docs: DocList[Item], **kwargs) -> DocList[Item]:
        docs.embedding = self.encoder.encode(docs.text)
        return docs


class Keep(Executor):
    """Keeps documents in a list of docarray, and their vectors beside it: the least there is.

    docarray's own `InMemoryExactNNIndex` stacks all vectors again at every request.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.kept = DocList[Item]()
        self.vectors = []

    @requests
    def keep(self, docs: DocList[Item], **kwargs) -> DocList[Item]:
        self.vectors.append(np.stack([doc.embedding for doc in docs]))
        for doc in docs:
            doc.embedding = None
        self.kept.extend(docs)
        return docs
