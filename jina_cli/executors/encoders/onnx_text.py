"""Texts to vectors by an ONNX network on the disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from jina_cli.executors.encoders.text_model import MINILM, Pooling, TextModelFiles, files_of
from jina_cli.executors.encoders.token_network import SAMPLE_TOKENS, TokenNetwork
from jina_cli.executors.encoders.tokens import Tokenizer, bundled_tokenizer, tokenizer_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a user says of a model, over what the model says of itself.

    Attributes:
        max_length: Word pieces that are read; 0 for what the model says.
        pooling: `mean` or `cls`; empty for what the model says.
        normalize: Whether vectors are brought to length 1.
        output: Of the network; empty for the one that is known to be meant.
        query_prefix: None for what the model says.
        passage_prefix: None for what the model says.
        batch_size: Texts of one run, at most.
    """

    max_length: int = 0
    pooling: str = ""
    normalize: bool = True
    output: str = ""
    query_prefix: str | None = None
    passage_prefix: str | None = None
    batch_size: int = 64

    def over(self, files: TextModelFiles) -> TextModelFiles:
        """Return a model's own word with this over it."""
        said: dict[str, Any] = {
            "max_length": self.max_length or None,
            "pooling": Pooling(self.pooling) if self.pooling else None,
            "query_prefix": self.query_prefix,
            "passage_prefix": self.passage_prefix,
        }
        return replace(files, **{name: value for name, value in said.items() if value is not None})


class TextModel:
    """Turns texts into vectors: the same text into the same bits, whatever is beside it.

    Attributes:
        dim: Length of the vectors.
        query_prefix: What `encode_queries` puts before each text.
        passage_prefix: What `encode` puts before each text.
    """

    def __init__(
        self, network: TokenNetwork, tokenizer: Tokenizer, files: TextModelFiles, *, normalize: bool
    ) -> None:
        self._network = network
        self._tokenizer = tokenizer
        self._is_first = files.pooling is Pooling.CLS
        self._normalize = normalize
        self.query_prefix = files.query_prefix
        self.passage_prefix = files.passage_prefix
        self.dim = network.warm_up(tokenizer.sample(SAMPLE_TOKENS), self._pooled)

    @classmethod
    def load(
        cls,
        model: str = MINILM,
        threads: int = 1,
        *,
        options: Options | None = None,
        what: str = "TextModel",
    ) -> Self:
        """Return a model that is warm: its first call is as fast as those after it.

        Args:
            model: As of `text_model.files_of`.
            threads: That work on one call.
            options: Over what the model says.
            what: Who needs it, for errors.

        Raises:
            MissingExtra: The extra `neural` is not installed.
            InputMissing: A file is not there.
            BadModel: A file is not of the kind that is needed.
        """
        options = options or Options()
        files = options.over(files_of(model, what=what))
        if files.tokenizer is None:
            tokenizer = bundled_tokenizer(max_length=files.max_length, what=what)
        else:
            tokenizer = tokenizer_in(files.tokenizer, max_length=files.max_length, what=what)
        network = TokenNetwork(
            files.network,
            threads=threads,
            output=options.output,
            pad_id=tokenizer.pad_id,
            batch_size=options.batch_size,
            what=what,
        )
        if network.fixed_length:
            tokenizer.cut(min(files.max_length, network.fixed_length))
        return cls(network, tokenizer, files, normalize=options.normalize)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return vectors of texts that are to be found, shape `(n, dim)`, of length 1.

        A text of which nothing is left for the network has a vector of zeros.
        """
        return self._vectors(texts, self.passage_prefix)

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return vectors of queries; as `encode`."""
        return self._vectors(texts, self.query_prefix)

    def close(self) -> None:
        """Let go of the threads."""
        self._network.close()

    def _vectors(self, texts: Sequence[str], prefix: str) -> NDArray[np.float32]:
        tokens = self._tokenizer.texts([prefix + text for text in texts] if prefix else texts)
        out = np.zeros((len(texts), self.dim), np.float32)
        there = [place for place, one in enumerate(tokens) if len(one)]
        if there:
            out[there] = self._network([tokens[place] for place in there], self._pooled)
        return out

    def _pooled(self, said: NDArray[np.float32]) -> NDArray[np.float32]:
        if said.ndim == 2:
            said = said[0] if self._is_first else said.mean(0)
        if not self._normalize:
            return said
        length = np.sqrt(said @ said)
        return said / length if length > 0 else np.zeros_like(said)
