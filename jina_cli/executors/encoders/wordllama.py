"""Text by the vectors of its tokens alone: no network, a hundred times as fast as one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jina_cli.executors.contents import texts_in
from jina_cli.executors.encoders.text import AnyTextEncoder
from jina_cli.extras import bring


class WordLlamaEncoder(AnyTextEncoder):
    """Encode text as the mean of its tokens' vectors, by the package `wordllama`.

    Needs no file but those of the package, and never looks for others. Empty text has a vector
    of zeros. The package says MIT; its vectors were made of token embeddings of Llama 2 and
    Phi 3, whose licences may reach them.

    Args:
        dim: Length of the vectors: 64, 128 or 256.

    Raises:
        MissingLibrary: The package is not installed.
        ValueError: There are no vectors of that length.
    """

    def __init__(self, *, dim: int = 256, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        library = bring("wordllama", "wordllama", what="WordLlamaEncoder")
        if dim not in (64, 128, 256):
            raise ValueError(f"dim is {dim}, and must be 64, 128 or 256")
        # Without these two it asks a server for the tokenizer that it has in another folder.
        own = Path(str(library.__file__)).parent
        self._model = library.WordLlama.load(
            cache_dir=own, disable_download=True, dim=256, trunc_dim=dim if dim < 256 else None
        )

    def encode(self, content: Sequence[str]) -> NDArray[np.float32]:
        """Return vectors of texts, shape `(n, dim)`, of length 1; of empty text zeros.

        Raises:
            BadField: Some content is no text.
        """
        vectors = np.asarray(
            self._model.embed(list(texts_in(content, what="WordLlamaEncoder"))), np.float32
        )
        # Brought to length 1 here, row by row: the package divides by the length of nothing.
        lengths = np.array([np.sqrt(row @ row) for row in vectors], np.float32)[:, None]
        return np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)
