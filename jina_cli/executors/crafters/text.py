"""Crafters that bring text into one form."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from html.parser import HTMLParser
from typing import Any, Literal

from jina_cli.drivers.base import Driver
from jina_cli.drivers.transform import CraftDriver
from jina_cli.executors.base import Crafter
from jina_cli.executors.contents import texts_in

_NO_TAG = re.compile(r"<(?!!)(?=[^<>]*(?:<|\Z))")
"""The beginning of what would be a tag if it ended before the next one, or at all."""

_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u200b\u2060\ufeff]")
_ACCENTS = re.compile("[\u0300-\u036f]")
_SPACES = re.compile(r"[^\S\n]+")
_BLOCKS = re.compile(
    "address|article|aside|blockquote|br|d[dlt]|div|fig(caption|ure)|footer|form|h[1-6r]|header"
    "|li|main|nav|ol|p|pre|section|table|tr|ul"
)
_UNSEEN = frozenset(("script", "style", "template", "title"))
"""Not `head`, whose end may be left out, and which has no other text than these."""

_SERVED = ("/index", "/search", "/update")


class TextNormalizer(Crafter):
    """Bring text into one form, so that what reads the same is the same.

    Serves `/index`, `/update` and `/search`; documents without text pass. Characters that
    cannot be seen (control characters, soft hyphens, zero-width spaces) are dropped.

    Args:
        form: Unicode normalisation form, `none` for as it is.
        case: `keep` it, `lower`, or `fold`, which also makes ss of ß.
        whitespace: `collapse` makes one space of all between two words; `lines` keeps line
            breaks, two of several; `keep` changes nothing.
        html: Whether tags are taken out, and entities replaced by what they stand for.
        accents: Whether letters keep their accents.
        field: Where the text is.
        into: Where it goes; empty for the same.
    """

    def __init__(
        self,
        *,
        form: Literal["NFC", "NFD", "NFKC", "NFKD", "none"] = "NFKC",
        case: Literal["keep", "lower", "fold"] = "keep",
        whitespace: Literal["collapse", "lines", "keep"] = "collapse",
        html: bool = False,
        accents: bool = True,
        field: str = "text",
        into: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.field, self.into = field, into
        steps: list[Callable[[str], str] | None] = [
            text_of_html if html else None,
            None if form == "none" else lambda text: unicodedata.normalize(form, text),
            None if accents else without_accents,
            _CASES[case],
            lambda text: _INVISIBLE.sub("", text),
            _WHITESPACE[whitespace],
        ]
        self._steps = [step for step in steps if step is not None]

    def craft(self, content: Sequence[str]) -> list[str]:
        """Return `n` texts in that form.

        Raises:
            BadField: Some content is no text.
        """
        return [self._crafted(text) for text in texts_in(content, what="TextNormalizer")]

    def default_drivers(self) -> Mapping[str, Sequence[Driver]]:
        driver = CraftDriver(field=self.field, into=self.into, is_optional=True)
        return dict.fromkeys(_SERVED, (driver,))

    def _crafted(self, text: str) -> str:
        for step in self._steps:
            text = step(text)
        return text


def without_accents(text: str) -> str:
    """Return text without the accents of Latin, Greek and Cyrillic letters."""
    return unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", text)))


def text_of_html(text: str) -> str:
    """Return what a browser would show, a line for each block."""
    reader = _Shown()
    # The parser reads to the end for each tag that is never closed.
    reader.feed(_NO_TAG.sub("&lt;", text))
    reader.close()
    return "".join(reader.parts)


class _Shown(HTMLParser):
    """Collects the text of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if _BLOCKS.fullmatch(tag):
            self.parts.append("\n")
        self._hidden += tag in _UNSEEN

    def handle_endtag(self, tag: str) -> None:
        if _BLOCKS.fullmatch(tag):
            self.parts.append("\n")
        self._hidden = max(0, self._hidden - (tag in _UNSEEN))

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def _lines(text: str) -> str:
    lines = [_SPACES.sub(" ", line).strip() for line in text.splitlines()]
    return re.sub("\n{3,}", "\n\n", "\n".join(lines)).strip()


_CASES: Mapping[str, Callable[[str], str] | None] = {
    "keep": None,
    "lower": str.lower,
    "fold": str.casefold,
}
_WHITESPACE: Mapping[str, Callable[[str], str] | None] = {
    "collapse": lambda text: " ".join(text.split()),
    "lines": _lines,
    "keep": None,
}
