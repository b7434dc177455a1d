"""Matches in the order of a network that reads query and match together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jina_cli.executors.encoders.onnx_session import BadModel, threads_for
from jina_cli.executors.encoders.text_model import files_of
from jina_cli.executors.encoders.token_network import SAMPLE_TOKENS, Floats, TokenNetwork
from jina_cli.executors.encoders.tokens import tokenizer_in
from jina_cli.executors.rankers.reranking import Pair, TextReranker


class CrossEncoderRanker(TextReranker):
    """Order the first matches by a local ONNX cross-encoder, such as those for MS MARCO.

    The same pair has the same score, whatever is judged with it.

    Args:
        model: A folder with `model.onnx` (or `onnx/model.onnx`) and `tokenizer.json` or
            `vocab.txt`, or the `.onnx` file.
        rerank: Matches of each query that are looked at.
        max_length: Word pieces of a pair that are read; 0 for what the model says.
        sigmoid: Whether scores are brought to 0 … 1; their order stays.
        threads: Runs of the network at a time; 0 for the cores there are, shared among the
            replicas.

    Raises:
        MissingExtra: The extra `neural` is not installed.
        InputMissing: The model is not there.
        BadModel: It gives something other than one score for a pair, or two of which the
            second is for "fits".
    """

    def __init__(
        self,
        *,
        model: str,
        rerank: int = 50,
        max_length: int = 0,
        sigmoid: bool = False,
        threads: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(rerank=rerank, **kwargs)
        what = "CrossEncoderRanker"
        files = files_of(model, what=what)
        if files.tokenizer is None:
            raise BadModel(f"{model} is an encoder, and no cross-encoder: name the folder of one")
        length = max_length or files.max_length
        self._tokenizer = tokenizer_in(files.tokenizer, max_length=length, what=what)
        count = threads_for(self.runtime_args, threads)
        self._network = TokenNetwork(
            files.network, threads=count, pad_id=self._tokenizer.pad_id, what=what
        )
        if self._network.fixed_length:
            self._tokenizer.cut(min(length, self._network.fixed_length))
        self._sigmoid = sigmoid
        dim = self._network.warm_up(self._tokenizer.sample(SAMPLE_TOKENS), _as_it_is)
        if dim not in (1, 2):
            raise BadModel(f"{files.network} gives {dim} numbers for a pair, and must give 1 or 2")

    def judge(self, pairs: Sequence[Pair]) -> NDArray[np.float64]:
        """Return the score of each pair, shape `(n,)`; of two numbers the second less the first."""
        said = self._network(self._tokenizer.pairs(pairs), _as_it_is).astype(np.float64)
        scores = said[:, 0] if said.shape[1] == 1 else said[:, 1] - said[:, 0]
        return np.asarray(1 / (1 + np.exp(-scores)) if self._sigmoid else scores)

    def close(self) -> None:
        """Let go of the threads."""
        self._network.close()


def _as_it_is(said: Floats) -> Floats:
    return said.reshape(-1)
