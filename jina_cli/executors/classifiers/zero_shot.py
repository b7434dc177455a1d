"""Labels of text that nothing was learnt for: by what the labels themselves say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jina_cli.executors.base import Classifier
from jina_cli.executors.contents import texts_in
from jina_cli.executors.encoders.onnx_session import threads_for
from jina_cli.executors.encoders.onnx_text import TextModel
from jina_cli.executors.encoders.text_model import MINILM
from jina_cli.executors.endpoints import Batching
from jina_cli.executors.families import ZERO_WAIT


class ZeroShotClassifier(Classifier):
    """Label text by the label whose own text is most similar to it.

    The confidence of a label is the cosine similarity of the two texts, -1 to 1.

    Args:
        labels: Texts of the labels; or label → text that says what is meant by it.
        template: What a label's text is put into, at `{}`.
        threshold: A text that is less similar than this to all labels gets none.
        model: As of `TextEncoder`.
        field: Where the text is.
        into: Key of `tags` for the label.
        threads: Runs of the network at a time; 0 for the cores there are, shared among the
            replicas.

    Raises:
        ValueError: There are no labels, or the template has no place for one.
        MissingExtra: The extra `neural` is not installed.
        InputMissing: The model is not there.
        BadModel: It is none.
    """

    def __init__(
        self,
        *,
        labels: Sequence[str] | Mapping[str, str],
        template: str = "{}",
        threshold: float = -1.0,
        model: str = MINILM,
        field: str = "text",
        into: str = "label",
        threads: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not labels or "{}" not in template:
            raise ValueError("there must be labels, and '{}' for one in the template")
        said = labels if isinstance(labels, Mapping) else {label: label for label in labels}
        self.field, self.into = field, into
        self._labels = list(said)
        self._threshold = threshold
        count = threads_for(self.runtime_args, threads)
        self._model = TextModel.load(model, count, what="ZeroShotClassifier")
        texts = [template.replace("{}", text) for text in said.values()]
        self._vectors = self._model.encode_queries(texts).astype(np.float64)

    def predict(self, content: Sequence[str], **_: Any) -> list[dict[str, float] | None]:
        """Return, for each text, every label with its similarity.

        Text that says nothing, or that is too far from all labels, gets None.
        """
        texts = texts_in(content, what="ZeroShotClassifier")
        vectors = self._model.encode(texts).astype(np.float64)
        rows = zip(texts, vectors, strict=True)
        return [self._said(vector) if text.strip() else None for text, vector in rows]

    def close(self) -> None:
        """Let go of the threads."""
        self._model.close()

    def default_batching(self) -> Mapping[str, Batching]:
        return dict.fromkeys(("/index", "/predict", "/search", "/update"), ZERO_WAIT)

    def _said(self, vector: NDArray[np.float64]) -> dict[str, float] | None:
        # A sum of its own for each pair: products of matrices round by their shape.
        similarities = (self._vectors * vector).sum(1)
        if similarities.max() < self._threshold:
            return None
        return dict(zip(self._labels, similarities.tolist(), strict=True))
