"""A page of queries beside what was found for them; one file, nothing to load."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from string import Template

from jina_cli.resources import page_template


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """An image with a caption.

    Attributes:
        address: What `<img src>` takes; a `data:` address keeps the page whole.
        label: Its class, in words.
        score: How alike it is to the query; None for a query.
    """

    address: str
    label: str
    score: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A query and its matches, best first."""

    query: Picture
    matches: Sequence[Picture]

    @property
    def precision(self) -> float:
        """The share of matches of the query's own label; 0 where there are none."""
        same = sum(match.label == self.query.label for match in self.matches)
        return same / len(self.matches) if self.matches else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number worth reading first: `87.1 %`, `precision@10`."""

    value: str
    name: str


def gallery(*, title: str, lead: str, figures: Sequence[Figure], rows: Sequence[Row]) -> str:
    """Return the page as HTML.

    Matches of the query's label have a solid green frame, others a dashed red one and their
    own label under them, so that colour is not the only sign.
    """
    labels = sorted({row.query.label for row in rows})
    return Template(page_template("gallery.html")).substitute(
        title=escape(title),
        lead=escape(lead),
        figures="".join(_figure(figure) for figure in figures),
        labels="".join(f'<option value="{escape(label)}">{escape(label)}' for label in labels),
        rows="".join(_row(row) for row in rows),
    )


def _figure(figure: Figure) -> str:
    return f"<div><b>{escape(figure.value)}</b><span>{escape(figure.name)}</span></div>"


def _row(row: Row) -> str:
    matches = "".join(_match(match, same=match.label == row.query.label) for match in row.matches)
    label = escape(row.query.label)
    return (
        f'<section data-label="{label}" data-precision="{row.precision:.4f}">'
        f'<figure class="query"><img src="{row.query.address}" alt="{label}">'
        f"<figcaption>{label}<i>{row.precision:.0%}</i></figcaption></figure>"
        f'<div class="matches">{matches}</div></section>\n'
    )


def _match(match: Picture, *, same: bool) -> str:
    label = escape(match.label)
    score = "" if match.score is None else f" {match.score:.3f}"
    caption = "" if same else f"<figcaption>{label}</figcaption>"
    return (
        f'<figure class="{"same" if same else "other"}" title="{label}{score}">'
        f'<img src="{match.address}" alt="{label}">{caption}</figure>'
    )
