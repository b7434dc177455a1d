"""Segmenters that split text into sentences, windows and sections."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from jina_cli.drivers.base import Driver
from jina_cli.drivers.transform import SegmentDriver
from jina_cli.executors.base import Segmenter
from jina_cli.executors.contents import texts_in
from jina_cli.executors.segmenters.lengths import fitted
from jina_cli.executors.segmenters.markdown import Section, sections_of
from jina_cli.executors.segmenters.sentences import Span, sentences_of, stripped
from jina_cli.executors.segmenters.windows import windows_over, words_of

Chunk = dict[str, Any]
"""Fields of a chunk: `text` and `location`, first character and the one behind the last."""


class TextSegmenter(Segmenter):
    """Splits the text of documents that are indexed or updated; queries pass as they are.

    A document without text has no chunks. `requests` in YAML adds endpoints:
    `{/search: segment}`.

    Args:
        context: A field or a key of `tags`, `title`, whose text each chunk of the document
            begins with, on a line of its own that `location` does not count. Empty for none.
    """

    field = "text"

    def __init__(self, *, context: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._context = context

    @abstractmethod
    def split(self, texts: Sequence[str]) -> list[list[Chunk]]:
        """Return the chunks of each text, in order; those of a text without a word are none."""

    def segment(self, content: Sequence[str], context: Sequence[Any] = ()) -> list[list[Chunk]]:
        """Return the chunks of each text, in order; those of a text without a word are none.

        Args:
            content: `n` texts.
            context: What stands before the chunks of each; no line where that is no text.

        Returns:
            `n` lists of chunks.

        Raises:
            BadField: Some content is no text.
        """
        rows = self.split(texts_in(content, what=type(self).__name__))
        for title, row in zip(context, rows, strict=False):
            if isinstance(title, str) and title.strip():
                for chunk in row:
                    chunk["text"] = f"{title.strip()}\n{chunk['text']}"
        return rows

    def default_drivers(self) -> Mapping[str, Sequence[Driver]]:
        driver = SegmentDriver(field=self.field, context=self._context, is_optional=True)
        return dict.fromkeys(("/index", "/update"), (driver,))


class Sentencizer(TextSegmenter):
    """Split text into sentences, of any language.

    The signs of Latin, Greek, Cyrillic, Arabic, Indic, Ethiopic and East Asian scripts end
    sentences; full stops in abbreviations, numbers and initials do not.

    Args:
        min_length: Characters; a shorter sentence is put together with the next. 0 keeps it.
        max_length: Characters; a longer one is cut at a pause or a space. 0 for no bound.
        abbreviations: Further words, without their stop, that end no sentence.
    """

    def __init__(
        self,
        *,
        min_length: int = 20,
        max_length: int = 1000,
        abbreviations: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if max_length and min_length > max_length:
            raise ValueError(f"min_length {min_length} is over max_length {max_length}")
        self._least = min_length
        self._most = max_length
        self._abbreviations = frozenset(a.casefold().rstrip(".") for a in abbreviations)

    def split(self, texts: Sequence[str]) -> list[list[Chunk]]:
        return [chunks_of(text, self._spans(text)) for text in texts]

    def _spans(self, text: str) -> list[Span]:
        found = sentences_of(text, abbreviations=self._abbreviations)
        return fitted(text, found, least=self._least, most=self._most)


class SlidingWindowSegmenter(TextSegmenter):
    """Split text into windows of as many words each, that may overlap.

    Args:
        unit: `words`: what is between spaces, and each character of Chinese and Japanese.
            `tokens`: the word pieces that a text encoder reads, which needs the extra `neural`.
        size: Words or tokens of a window; the last one may have fewer.
        stride: From the beginning of a window to that of the next; by default half the size.
            With `stride` equal to `size` none overlap.
        tokenizer: Folder of the model that tokens are those of, with its `tokenizer.json` or
            `vocab.txt`; by default they are BERT's, as `TextEncoder` reads them.
    """

    def __init__(
        self,
        *,
        unit: Literal["words", "tokens"] = "words",
        size: int = 128,
        stride: int | None = None,
        tokenizer: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if stride is not None and stride > size:
            raise ValueError(f"stride {stride} is over size {size}: text between windows is lost")
        self._size = size
        self._stride = stride or max(1, size // 2)
        self._units = _tokens_of(tokenizer) if unit == "tokens" else _words

    def split(self, texts: Sequence[str]) -> list[list[Chunk]]:
        windows = (
            windows_over(units, size=self._size, stride=self._stride)
            for units in self._units(texts)
        )
        return [chunks_of(text, spans) for text, spans in zip(texts, windows, strict=True)]


class MarkdownSegmenter(TextSegmenter):
    """Split Markdown into sections by its headings.

    A chunk begins with its heading. Its `tags.headings` are the titles of the headings that it
    stands under, the outermost first. A heading with nothing of its own under it makes no
    chunk where there are deeper ones, since their chunks name it.

    Args:
        max_level: Headings below this level, 1 to 6, begin no section.
        max_length: Characters; a longer section is cut between sentences. 0 for no bound.
    """

    def __init__(self, *, max_level: int = 6, max_length: int = 2000, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._max_level = max_level
        self._most = max_length

    def split(self, texts: Sequence[str]) -> list[list[Chunk]]:
        return [self._chunks(text) for text in texts]

    def _chunks(self, text: str) -> list[Chunk]:
        sections = sections_of(text, max_level=self._max_level)
        next_levels = [*(section.level for section in sections), 0][1:]
        return [
            {**chunk, "tags": {"headings": list(section.headings)}}
            for section, next_level in zip(sections, next_levels, strict=True)
            if text[section.body : section.end].strip() or next_level <= section.level
            for chunk in chunks_of(text, self._spans(text, section))
        ]

    def _spans(self, text: str, section: Section) -> list[Span]:
        start, end = stripped(text, section.start, section.end)
        if not self._most or end - start <= self._most:
            return [(start, end)] if start < end else []
        inside = [(start + a, start + b) for a, b in sentences_of(text[start:end])]
        return fitted(text, inside, least=self._most, most=self._most)


def _tokens_of(folder: str) -> Callable[[Sequence[str]], list[list[Span]]]:
    from jina_cli.executors.encoders.tokens import bundled_tokenizer, tokenizer_in

    what, no_end = "windows of tokens", 2**31 - 1
    if not folder:
        return bundled_tokenizer(max_length=no_end, what=what).spans
    return tokenizer_in(Path(folder), max_length=no_end, what=what).spans


def _words(texts: Sequence[str]) -> list[list[Span]]:
    return [words_of(text) for text in texts]


def chunks_of(text: str, spans: Sequence[Span]) -> list[Chunk]:
    """Return the chunks that stand at `spans` of a text."""
    return [{"text": text[start:end], "location": [start, end]} for start, end in spans]
