"""Text by an embeddings service over HTTP, where one is named."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jina_cli.errors import UsageError
from jina_cli.executors.contents import texts_in
from jina_cli.executors.encoders.embeddings_api import Embeddings, Service
from jina_cli.executors.encoders.text import AnyTextEncoder


class OpenAIEncoder(AnyTextEncoder):
    """Encode text by any service that has the embeddings endpoint of OpenAI.

    Text leaves this machine for the URL that is given, and for nowhere else. Empty text is not
    sent, and has a vector of zeros.

    Args:
        url: `https://api.openai.com/v1`, `http://localhost:11434/v1`; or the endpoint itself.
        model: Name of the model there.
        api_key_env: Environment variable that holds the key; empty for none. A key is given in
            no other way, so that it stands in no file.
        dimensions: Length of the vectors, for models that can shorten them; 0 for theirs.
        query_prefix: Put before each text on `/search`.
        passage_prefix: Put before each text elsewhere.
        batch_size: Texts of one request, at most.
        concurrency: Requests at the same time.
        timeout: Seconds that one request may take.
        retries: More tries where trying again may help.

    Raises:
        UsageError: The URL is none, or the variable is not set.
    """

    def __init__(  # noqa: PLR0913 - an option is an argument
        self,
        *,
        url: str,
        model: str,
        api_key_env: str = "",
        dimensions: int = 0,
        query_prefix: str = "",
        passage_prefix: str = "",
        batch_size: int = 64,
        concurrency: int = 4,
        timeout: float = 60.0,
        retries: int = 5,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        key = os.environ.get(api_key_env, "") if api_key_env else ""
        if api_key_env and not key:
            raise UsageError(f"the variable {api_key_env} is not set", hint="it holds the key")
        service = Service(
            url=url,
            model=model,
            key=key,
            dimensions=dimensions,
            timeout_s=timeout,
            retries=retries,
        )
        self._ask = Embeddings(service)
        self._query, self._passage = query_prefix, passage_prefix
        self._batch_size = batch_size
        self._pool = ThreadPoolExecutor(concurrency, "embeddings")
        self._dim = dimensions

    def encode(self, content: Sequence[str]) -> NDArray[np.float32]:
        """Return vectors of texts that are to be found, shape `(n, dim)`, of length 1.

        Raises:
            ServiceFailed: The service does not answer, refuses, or answers with something else.
        """
        return self._vectors(content, self._passage)

    def encode_query(self, content: Sequence[str]) -> NDArray[np.float32]:
        """Return vectors of queries; as `encode`."""
        return self._vectors(content, self._query)

    def close(self) -> None:
        """Give up what was not answered yet."""
        self._ask.close()
        self._pool.shutdown(cancel_futures=True)

    def _vectors(self, content: Sequence[str], prefix: str) -> NDArray[np.float32]:
        texts = texts_in(content, what="OpenAIEncoder")
        there = [place for place, text in enumerate(texts) if text.strip()]
        parts = self._parts([prefix + texts[place] for place in there]) if there else []
        if texts and not self._dim:
            self._dim = (parts[0] if parts else self._ask(["how long"])).shape[1]
        out = np.zeros((len(texts), self._dim), np.float32)
        if parts:
            vectors = np.concatenate(parts)
            lengths = np.sqrt(np.square(vectors, dtype=np.float64).sum(1))[:, None]
            out[there] = vectors / np.where(lengths > 0, lengths, 1)
        return out

    def _parts(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        size = self._batch_size
        batches = [texts[start : start + size] for start in range(0, len(texts), size)]
        if len(batches) == 1:
            return [self._ask(batches[0])]
        return list(self._pool.map(self._ask, batches))
