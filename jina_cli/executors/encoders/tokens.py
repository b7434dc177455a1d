"""What text networks read: the numbers of word pieces, as a model's tokenizer gives them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jina_cli.errors import InputMissing
from jina_cli.executors.encoders.onnx_session import BadModel
from jina_cli.extras import need
from jina_cli.resources import encoder_model

BERT_VOCABULARY = "bert-uncased-vocab.txt"
"""Of BERT base uncased, as `all-MiniLM-L6-v2` and many others use it; see `data/README.md`."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """One text, or a pair of texts, as a network reads it.

    Attributes:
        ids: Number of each word piece, special ones included.
        types: 0 for those of the first text, 1 for those of the second.
    """

    ids: list[int]
    types: list[int]

    def __len__(self) -> int:
        return len(self.ids)


class Tokenizer:
    """Cuts texts into word pieces, each text as if it were alone.

    Args:
        inner: A `tokenizers.Tokenizer`; belongs to this one from now on.
        max_length: Word pieces that are kept, special ones included; what is behind them is
            not read. Of a pair, the longer text is cut first.
    """

    def __init__(self, inner: Any, *, max_length: int) -> None:
        self.pad_id = int((inner.padding or {}).get("pad_id", 0))
        inner.no_padding()
        self._inner = inner
        self.cut(max_length)

    def cut(self, max_length: int) -> None:
        """Keep that many word pieces of each text from now on."""
        self._inner.enable_truncation(max_length)

    def sample(self, length: int) -> Tokens:
        """Return as many different word pieces from all over the vocabulary, special or not."""
        ids = sorted(self._inner.get_vocab().values())
        return Tokens([ids[n * len(ids) // length] for n in range(length)], [0] * length)

    def texts(self, texts: Sequence[str]) -> list[Tokens]:
        """Return the word pieces of each text."""
        found = self._inner.encode_batch_fast(list(texts))
        return [Tokens(one.ids, one.type_ids) for one in found]

    def spans(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """Return where the word pieces of each text stand: first character, and behind the last.

        Special ones, which stand nowhere, are left out.
        """
        found = self._inner.encode_batch(list(texts), add_special_tokens=False)
        return [[(a, b) for a, b in one.offsets if a < b] for one in found]

    def pairs(self, pairs: Sequence[tuple[str, str]]) -> list[Tokens]:
        """Return the word pieces of each pair of texts, one behind the other."""
        found = self._inner.encode_batch_fast(list(pairs))
        return [Tokens(one.ids, one.type_ids) for one in found]


def bundled_tokenizer(*, max_length: int, what: str) -> Tokenizer:
    """Return the tokenizer of BERT base uncased, whose vocabulary travels with the product.

    Raises:
        MissingExtra: The extra `neural` is not installed.
    """
    inner = _word_pieces(encoder_model(BERT_VOCABULARY), what=what, lowercase=True)
    return Tokenizer(inner, max_length=max_length)


def tokenizer_in(folder: Path, *, max_length: int, what: str) -> Tokenizer:
    """Return the tokenizer of a model: of its `tokenizer.json`, or its BERT `vocab.txt`.

    Raises:
        MissingExtra: The extra `neural` is not installed.
        InputMissing: The folder has neither file.
        BadModel: The file is none, or of another kind.
    """
    file = folder / "tokenizer.json"
    if file.is_file():
        library = need("tokenizers", "neural", what=what)
        try:
            inner = library.Tokenizer.from_file(str(file))
        except Exception as error:  # the library raises nothing narrower
            raise BadModel(f"{file} is no tokenizer: {error}") from error
        return Tokenizer(inner, max_length=max_length)
    vocabulary = folder / "vocab.txt"
    if not vocabulary.is_file():
        hint = "put the file that came with the model there"
        raise InputMissing(f"{folder} has no tokenizer.json and no vocab.txt", hint=hint)
    lowercase = bool(read_json(folder / "tokenizer_config.json").get("do_lower_case", True))
    inner = _word_pieces(vocabulary, what=what, lowercase=lowercase)
    return Tokenizer(inner, max_length=max_length)


def read_json(file: Path) -> dict[str, Any]:
    """Return what a file of settings says; nothing where there is none.

    Raises:
        BadModel: It is no JSON object.
    """
    if not file.is_file():
        return {}
    try:
        data = json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise BadModel(f"{file} is no JSON: {error}") from error
    if not isinstance(data, dict):
        raise BadModel(f"{file} must hold an object")
    return data


def _word_pieces(vocabulary: Path, *, what: str, lowercase: bool) -> Any:
    """Return BERT's tokenizer: words, then the longest pieces that the vocabulary has."""
    library = need("tokenizers", "neural", what=what)
    # Not `splitlines`: some vocabularies have U+2028 or U+0085 as a piece.
    lines = vocabulary.read_text("utf-8").removesuffix("\n").split("\n")
    ids = {line: n for n, line in enumerate(lines)}
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    missing = [token for token in special if token not in ids]
    if missing:
        raise BadModel(f"{vocabulary} is no vocabulary of BERT: it has no {missing[0]}")
    inner = library.Tokenizer(library.models.WordPiece(ids, unk_token="[UNK]"))
    inner.normalizer = library.normalizers.BertNormalizer(lowercase=lowercase)
    inner.pre_tokenizer = library.pre_tokenizers.BertPreTokenizer()
    inner.add_special_tokens(special)
    inner.post_processor = library.processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])],
    )
    return inner
