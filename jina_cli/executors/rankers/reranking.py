"""What rankers share that look at the text of a query and of its first matches."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import DocsColumn, ValuesColumn
from jina_cli.drivers.base import whole_number
from jina_cli.executors.base import Ranker
from jina_cli.executors.endpoints import Batching
from jina_cli.executors.families import ZERO_WAIT
from jina_cli.vocabulary import MAX_TOP_K

Pair = tuple[str, str]
"""Text of a query, text of a match."""


class TextReranker(Ranker):
    """Puts the first matches of each query into the order of what their text says.

    A match is as good as the best of its chunks (MaxP: Z. Dai and J. Callan, "Deeper Text
    Understanding for IR with Contextual Neural Language Modeling", SIGIR 2019), or as its own
    text where it has no chunks with text. Those that are looked at come first; then those
    without any text and those that are not looked at, in their order. Of equal ones the
    earlier stays before. Scores fall along each list.

    There can be no more of them than were found: a search that shows ten and has fifty looked
    at asks the Indexer's Pod for fifty, `--top-k 10 --param index__top_k=50`.

    Args:
        rerank: Matches of each query that are looked at; a request may say otherwise by its
            parameter `rerank`.
        field: Where the text is.
    """

    def __init__(self, *, rerank: int = 50, field: str = "text", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._rerank = rerank
        self._field = field

    @abstractmethod
    def judge(self, pairs: Sequence[Pair]) -> NDArray[np.float64]:
        """Return how well each of at least one pair fits, shape `(n,)`; higher is better."""

    def rank(
        self,
        queries: DocumentBatch,
        matches: DocsColumn,
        *,
        top_k: int,
        rerank: int | None = None,
        **_: Any,
    ) -> DocsColumn:
        """Return the matches of each query in their new order, at most `top_k` of each.

        A query without text keeps its order.

        Raises:
            BadParameter: `rerank` is no number of matches.
        """
        depth = whole_number({"rerank": rerank or self._rerank}, "rerank", 0, most=MAX_TOP_K)
        pairs, owners = self._pairs(queries, matches, depth)
        best: dict[int, float] = {}
        if pairs:
            for owner, score in zip(owners, self.judge(pairs).tolist(), strict=True):
                best[owner] = max(score, best.get(owner, score))
        old = matches.docs.values("score")
        order: list[int] = []
        scores: list[float | None] = []
        offsets = [0]
        for start, end in pairwise(matches.offsets.tolist()):
            judged = sorted((at for at in range(start, end) if at in best), key=lambda a: -best[a])
            behind = [at for at in range(start, end) if at not in best]
            kept = (judged + behind)[:top_k]
            order += kept
            scores += _falling([best.get(at, old[at]) for at in kept])
            offsets.append(len(order))
        docs = matches.docs.take(order).with_columns(score=ValuesColumn(scores))
        return DocsColumn(np.array(offsets, np.int64), docs)

    def default_batching(self) -> Mapping[str, Batching]:
        return {"/search": ZERO_WAIT}

    def _pairs(
        self, queries: DocumentBatch, matches: DocsColumn, depth: int
    ) -> tuple[list[Pair], list[int]]:
        """Return pairs of texts, and the place of the match that each is about."""
        asked = queries.values(self._field)
        texts = matches.docs.values(self._field)
        chunks = matches.docs.values("chunks")
        pairs: list[Pair] = []
        owners: list[int] = []
        for row, query in enumerate(asked):
            start, end = int(matches.offsets[row]), int(matches.offsets[row + 1])
            if not isinstance(query, str) or not query:
                continue
            for at in range(start, min(end, start + depth)):
                inner = chunks[at].values(self._field) if chunks[at] is not None else ()
                passages = [text for text in inner if text] or ([texts[at]] if texts[at] else [])
                pairs += [(query, str(text)) for text in passages]
                owners += [at] * len(passages)
        return pairs, owners


def _falling(scores: Sequence[float | None]) -> list[float | None]:
    """Return scores so that none is above the one before it."""
    out: list[float | None] = []
    least: float | None = None
    for score in scores:
        least = score if least is None or (score is not None and score < least) else least
        out.append(least)
    return out
