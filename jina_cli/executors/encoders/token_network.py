"""ONNX networks that read word pieces, run so that what is beside a text makes no difference."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from jina_cli.executors.encoders.onnx_session import BadModel, open_session
from jina_cli.executors.encoders.tokens import Tokens

Floats: TypeAlias = NDArray[np.float32]

Reduce: TypeAlias = Callable[[Floats], Floats]
"""From what a network says of one text, `(tokens, dim)` or `(dim,)`, to `(dim,)`."""

RUN_TOKENS = 512
"""Word pieces of one run, at most (if it is of more than one text). More were no faster, and
their intermediate results do not stay in the processor's cache."""

_FEW_TOKENS = 128
"""Runs of fewer are not split further to keep all threads at work."""

_TRIES = ((3, 5), (8, 7), (25, 20))
"""Lengths of texts, and how many of them: what is tried before texts share runs."""

SAMPLE_TOKENS = 64
"""Word pieces that `TokenNetwork.warm_up` makes texts of."""

_INPUTS = {
    "input_ids": "ids",
    "attention_mask": "mask",
    "token_type_ids": "types",
    "position_ids": "positions",
}
_OUTPUTS = ("sentence_embedding", "text_embeds", "logits", "last_hidden_state", "token_embeddings")
"""Outputs that are taken if they are there, in this order; of the common exporters."""

_INTEGERS: dict[str, type[np.signedinteger[Any]]] = {
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
}


class TokenNetwork:
    """An ONNX network from word pieces to numbers; the same for the same text, bit by bit.

    Only texts of equal length go through the network together, so that none is padded, and
    each run has one thread; several runs go side by side. Matrix products of most networks
    then give each text the same bits as alone. Those that are quantised while they run do
    not, since their scale depends on all numbers of a run: so it is tried out when the
    network is opened, and where there is any difference each text gets a run of its own.

    Args:
        path: The `.onnx` file.
        threads: Runs at the same time.
        output: Name of the output; empty for the one that is known to be meant, else the first.
        pad_id: What networks of one fixed length get behind a text.
        batch_size: Texts of one run, at most.
        what: Who needs it, for errors.

    Attributes:
        is_together: Whether texts share runs.

    Raises:
        MissingExtra: The extra `neural` is not installed.
        InputMissing: There is no such file.
        BadModel: It is no ONNX network, or takes or gives something else.
    """

    def __init__(
        self,
        path: Path,
        *,
        threads: int,
        output: str = "",
        pad_id: int = 0,
        batch_size: int = 64,
        what: str,
    ) -> None:
        self._session = open_session(path, threads=1, arena=False, what=what)
        self._path = path
        self._output = self._output_of(output)
        self._dtype, fixed = self._inputs()
        self._rows, self.fixed_length = fixed
        self._pad_id = pad_id
        self._batch_size = batch_size
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, "encode") if threads > 1 else None
        self.is_together = self._rows == 0

    def close(self) -> None:
        """Let go of the threads."""
        if self._pool is not None:
            self._pool.shutdown()

    def warm_up(self, sample: Tokens, reduce: Reduce) -> int:
        """Run it, find out whether texts can share runs, and return `dim`.

        Args:
            sample: Different word pieces, of which texts of several lengths are made.
        """
        return max(self._tried(sample, length, rows, reduce) for length, rows in _TRIES)

    def _tried(self, sample: Tokens, length: int, rows: int, reduce: Reduce) -> int:
        """Try a run of several texts against runs of one, and return `dim`."""
        length = min(length, self.fixed_length or length)
        texts = [
            Tokens(np.roll(sample.ids, n).tolist()[:length], sample.types[:length])
            for n in range(rows)
        ]
        some = [0, rows // 2, rows - 1]
        alone = np.concatenate([self._run([texts[row]], reduce) for row in some])
        if self.is_together:
            self.is_together = np.array_equal(alone, self._run(texts, reduce)[some])
        return int(alone.shape[1])

    def __call__(self, tokens: Sequence[Tokens], reduce: Reduce) -> Floats:
        """Return one vector for each of at least one text, shape `(n, dim)`.

        Raises:
            BadModel: The network gives none.
        """
        groups = self._groups([len(one) for one in tokens])

        def run(group: Sequence[int]) -> Floats:
            return self._run([tokens[place] for place in group], reduce)

        done: Iterable[Floats] = map(run, groups)
        if self._pool is not None and len(groups) > 1:
            done = self._pool.map(run, groups)
        out: Floats | None = None
        for group, vectors in zip(groups, done, strict=True):
            if out is None:
                out = np.empty((len(tokens), vectors.shape[1]), np.float32)
            out[group] = vectors
        assert out is not None, "there is at least one text"
        return out

    def _groups(self, lengths: Sequence[int]) -> list[list[int]]:
        """Return the places of the texts of each run, the longest run first."""
        if not self.is_together:
            return sorted(([place] for place in range(len(lengths))), key=lambda g: -lengths[g[0]])
        by_length: dict[int, list[int]] = {}
        for place, length in enumerate(lengths):
            by_length.setdefault(self.fixed_length or length, []).append(place)
        share = -(-sum(lengths) // (2 * self._threads))
        most = RUN_TOKENS if self._threads == 1 else min(RUN_TOKENS, max(_FEW_TOKENS, share))
        groups: list[tuple[int, list[int]]] = []
        for length, places in by_length.items():
            size = min(self._batch_size, max(1, most // max(1, length)))
            for start in range(0, len(places), size):
                group = places[start : start + size]
                groups.append((length * len(group), group))
        return [group for _, group in sorted(groups, key=lambda pair: -pair[0])]

    def _run(self, tokens: Sequence[Tokens], reduce: Reduce) -> Floats:
        """Return what becomes of texts, all of one length unless the network has a fixed one."""
        count, length = len(tokens), self.fixed_length or len(tokens[0])
        shape = (max(count, self._rows), length)
        ids = np.full(shape, self._pad_id, self._dtype)
        mask, types = np.zeros(shape, self._dtype), np.zeros(shape, self._dtype)
        for row, one in enumerate(tokens):
            ids[row, : len(one)], types[row, : len(one)] = one.ids, one.types
            mask[row, : len(one)] = 1
        positions = np.broadcast_to(np.arange(length, dtype=self._dtype), shape)
        feeds = {"ids": ids, "mask": mask, "types": types, "positions": positions}
        feed = {name: feeds[_INPUTS[name]] for name in self._names}
        (out,) = self._session.run([self._output], feed)
        if out.ndim not in (2, 3):
            raise BadModel(f"{self._path} gives {self._output} of shape {out.shape}")
        # Row by row: a reduction over several rows may add in another order.
        parts = [
            out[row, : len(one)] if out.ndim == 3 else out[row] for row, one in enumerate(tokens)
        ]
        return np.stack([reduce(np.asarray(part, np.float32)) for part in parts])

    def _inputs(self) -> tuple[type[np.signedinteger[Any]], tuple[int, int]]:
        """Return the type of the inputs, and how many rows and columns they must have; 0: any."""
        inputs = self._session.get_inputs()
        for one in inputs:
            if one.name not in _INPUTS or one.type not in _INTEGERS or len(one.shape) != 2:
                raise BadModel(
                    f"{self._path} takes {one.name} {one.type} {one.shape}, and must take word"
                    f" pieces: {', '.join(_INPUTS)}"
                )
        if not inputs:
            raise BadModel(f"{self._path} takes nothing")
        self._names = [one.name for one in inputs]
        rows, columns = (side if isinstance(side, int) else 0 for side in inputs[0].shape)
        return _INTEGERS[inputs[0].type], (rows, columns)

    def _output_of(self, wanted: str) -> str:
        names = [str(one.name) for one in self._session.get_outputs()]
        if wanted and wanted not in names:
            there = ", ".join(names)
            raise BadModel(f"{self._path} has no output {wanted!r}: its outputs are {there}")
        return wanted or next((name for name in _OUTPUTS if name in names), names[0])
