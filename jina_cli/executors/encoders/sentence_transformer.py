"""Text by any model of the library sentence-transformers, from a folder on the disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jina_cli.errors import InputMissing
from jina_cli.executors.contents import texts_in
from jina_cli.executors.encoders.onnx_session import threads_for
from jina_cli.executors.encoders.text import AnyTextEncoder
from jina_cli.extras import bring


class SentenceTransformerEncoder(AnyTextEncoder):
    """Encode text by a model in a folder, with the library `sentence-transformers`.

    The library is yours to install, since it brings PyTorch. Nothing is downloaded. A model
    that was exported to ONNX is better off with `TextEncoder`.

    Args:
        model: The folder, as `SentenceTransformer.save` writes it.
        device: `cpu`, `cuda`, `mps`.
        batch_size: Texts of one run. With 1 the same text has the same vector, bit by bit,
            whatever is encoded with it; more is faster, and rounds otherwise.
        normalize: Whether vectors are brought to length 1.
        query_prefix: Put before each text on `/search`; None for what the model says.
        passage_prefix: Put before each text elsewhere; None for what the model says.
        threads: That work on one run; 0 for the cores there are, shared among the replicas.

    Raises:
        MissingLibrary: The library is not installed.
        InputMissing: There is no such folder.
    """

    def __init__(
        self,
        *,
        model: str,
        device: str = "cpu",
        batch_size: int = 1,
        normalize: bool = True,
        query_prefix: str | None = None,
        passage_prefix: str | None = None,
        threads: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        what = "SentenceTransformerEncoder"
        library = bring("sentence_transformers", "sentence-transformers", what=what)
        folder = Path(model).expanduser()
        if not folder.is_dir():
            raise InputMissing(f"the model {model!r} of {what} is no folder")
        bring("torch", "torch", what=what).set_num_threads(threads_for(self.runtime_args, threads))
        self._model = library.SentenceTransformer(str(folder), device=device, local_files_only=True)
        said = getattr(self._model, "prompts", None) or {}
        self._query = _prefix(query_prefix, said, "query")
        self._passage = _prefix(passage_prefix, said, "document", "passage")
        self._batch_size, self._normalize = batch_size, normalize
        self.encode(["ready"])

    def encode(self, content: Sequence[str]) -> NDArray[np.float32]:
        """Return vectors of texts that are to be found, shape `(n, dim)`."""
        return self._vectors(content, self._passage)

    def encode_query(self, content: Sequence[str]) -> NDArray[np.float32]:
        """Return vectors of queries; as `encode`."""
        return self._vectors(content, self._query)

    def _vectors(self, content: Sequence[str], prefix: str) -> NDArray[np.float32]:
        texts = texts_in(content, what="SentenceTransformerEncoder")
        vectors = self._model.encode(
            [prefix + text for text in texts],
            prompt="",
            batch_size=self._batch_size,
            normalize_embeddings=self._normalize,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return np.nan_to_num(np.asarray(vectors, np.float32))


def _prefix(given: str | None, said: dict[str, str], *names: str) -> str:
    if given is not None:
        return given
    return next((said[name] for name in names if said.get(name)), "")
