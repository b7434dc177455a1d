"""Encoders of text."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jina_cli.drivers.base import Driver, MaybeAwaitable
from jina_cli.drivers.transform import EncodeDriver
from jina_cli.executors.base import Encoder
from jina_cli.executors.contents import texts_in
from jina_cli.executors.encoders.onnx_session import threads_for
from jina_cli.executors.encoders.onnx_text import Options, TextModel
from jina_cli.executors.encoders.text_model import MINILM
from jina_cli.executors.endpoints import Batching
from jina_cli.executors.families import ZERO_WAIT


class AnyTextEncoder(Encoder):
    """Turns text into vectors, that of queries perhaps in another way than that of documents."""

    field = "text"

    @abstractmethod
    def encode(self, content: Sequence[str]) -> MaybeAwaitable[NDArray[np.float32]]:
        """Return vectors of texts that are to be found, shape `(n, dim)`."""

    def encode_query(self, content: Sequence[str]) -> MaybeAwaitable[NDArray[np.float32]]:
        """Return vectors of queries; called for `/search`."""
        return self.encode(content)

    def default_drivers(self) -> Mapping[str, Sequence[Driver]]:
        asked = (EncodeDriver(field=self.field, into=self.into, as_query=True),)
        return {**super().default_drivers(), "/search": asked}

    def default_batching(self) -> Mapping[str, Batching]:
        return dict.fromkeys(("/index", "/search", "/update"), ZERO_WAIT)


class TextEncoder(AnyTextEncoder):
    """Encode text by a neural network: all-MiniLM-L6-v2, or any ONNX model on the disk.

    The same text gives the same vector, bit by bit, whatever is encoded with it. Text that is
    longer than the model reads is cut; empty text has a vector as well.

    Args:
        model: `minilm`, which the extra `neural` brings (384 numbers); or a folder with
            `model.onnx` (or `onnx/model.onnx`) and `tokenizer.json` or `vocab.txt`, or the
            `.onnx` file itself. Sentence transformers and the text towers of CLIP are such.
        max_length: Word pieces of a text that are read; 0 for what the model says. MiniLM reads
            256 by its model card.
        pooling: `mean` or `cls`, for models that give a vector for each word piece; empty for
            what the model says.
        normalize: Whether vectors are brought to length 1.
        query_prefix: Put before each text on `/search`, `"query: "` for E5; None for what the
            model says.
        passage_prefix: Put before each text elsewhere.
        output: Of the network; empty for the one that is known to be meant.
        threads: Runs of the network at a time; 0 for the cores there are, shared among the
            replicas.
        batch_size: Texts of one run, at most.

    Raises:
        MissingExtra: The extra `neural` is not installed.
        InputMissing: The model is not there.
        BadModel: It is none.
    """

    def __init__(  # noqa: PLR0913 - an option is an argument
        self,
        *,
        model: str = MINILM,
        max_length: int = 0,
        pooling: str = "",
        normalize: bool = True,
        query_prefix: str | None = None,
        passage_prefix: str | None = None,
        output: str = "",
        threads: int = 0,
        batch_size: int = 64,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        options = Options(
            max_length=max_length,
            pooling=pooling,
            normalize=normalize,
            output=output,
            query_prefix=query_prefix,
            passage_prefix=passage_prefix,
            batch_size=batch_size,
        )
        self._model = TextModel.load(
            model, threads_for(self.runtime_args, threads), options=options, what="TextEncoder"
        )

    def encode(self, content: Sequence[str]) -> NDArray[np.float32]:
        """Return vectors of texts, shape `(n, dim)`, of length 1 unless `normalize` is off.

        Raises:
            BadField: Some content is no text.
        """
        return self._model.encode(texts_in(content, what="TextEncoder"))

    def encode_query(self, content: Sequence[str]) -> NDArray[np.float32]:
        """Return vectors of queries; as `encode`."""
        return self._model.encode_queries(texts_in(content, what="TextEncoder"))

    def close(self) -> None:
        """Let go of the threads."""
        self._model.close()
