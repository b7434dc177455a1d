"""Where the tokens of a text stand, as a tokenizer cuts it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jina_cli.errors import InputMissing
from jina_cli.executors.segmenters.sentences import Span
from jina_cli.extras import need


class Tokens:
    """Finds the tokens of texts.

    Args:
        file: A `tokenizer.json`, as sentence encoders have it.

    Raises:
        MissingExtra: `tokenizers` is not installed.
        InputMissing: There is no such file.
    """

    def __init__(self, file: Path) -> None:
        library = need("tokenizers", "neural", what="windows of tokens")
        if not file.is_file():
            raise InputMissing(f"there is no {file}", hint="name the tokenizer.json of a model")
        self._tokenizer = library.Tokenizer.from_file(str(file))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    def __call__(self, texts: Sequence[str]) -> list[list[Span]]:
        """Return where the tokens of each text stand, in order; special ones are left out."""
        found = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [[(a, b) for a, b in encoding.offsets if a < b] for encoding in found]
