"""Matches in the order of an encoder that is stronger than the one they were found by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jina_cli.executors.encoders.onnx_session import threads_for
from jina_cli.executors.encoders.onnx_text import Options, TextModel
from jina_cli.executors.encoders.text_model import MINILM
from jina_cli.executors.rankers.reranking import Pair, TextReranker


class EmbeddingReranker(TextReranker):
    """Order the first matches by the cosine similarity of their text to that of the query.

    Args:
        model: As of `TextEncoder`.
        rerank: Matches of each query that are looked at.
        max_length: Word pieces of a text that are read; 0 for what the model says.
        pooling: `mean` or `cls`; empty for what the model says.
        query_prefix: Put before queries; None for what the model says.
        passage_prefix: Put before the text of matches; None for what the model says.
        threads: Runs of the network at a time; 0 for the cores there are, shared among the
            replicas.

    Raises:
        MissingExtra: The extra `neural` is not installed.
        InputMissing: The model is not there.
        BadModel: It is none.
    """

    def __init__(
        self,
        *,
        model: str = MINILM,
        rerank: int = 50,
        max_length: int = 0,
        pooling: str = "",
        query_prefix: str | None = None,
        passage_prefix: str | None = None,
        threads: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(rerank=rerank, **kwargs)
        options = Options(
            max_length=max_length,
            pooling=pooling,
            query_prefix=query_prefix,
            passage_prefix=passage_prefix,
        )
        count = threads_for(self.runtime_args, threads)
        self._model = TextModel.load(model, count, options=options, what="EmbeddingReranker")

    def judge(self, pairs: Sequence[Pair]) -> NDArray[np.float64]:
        """Return the cosine similarity of each pair, shape `(n,)`."""
        queries = {text: n for n, text in enumerate(dict.fromkeys(query for query, _ in pairs))}
        passages = {text: n for n, text in enumerate(dict.fromkeys(text for _, text in pairs))}
        asked = self._model.encode_queries(list(queries)).astype(np.float64)
        found = self._model.encode(list(passages)).astype(np.float64)
        left = asked[[queries[query] for query, _ in pairs]]
        right = found[[passages[text] for _, text in pairs]]
        return np.asarray((left * right).sum(1))

    def close(self) -> None:
        """Let go of the threads."""
        self._model.close()
