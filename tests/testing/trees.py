"""Documents as one line of text, so that what a Driver makes of them can be read.

    q:0.5{lang=en}(c1 c2[m1 m2])[m3]

is a document `q` with a score and a tag, two chunks, of which the second has two matches, and a
match. Every document has its id as `text`; a mark behind an id, `q!`, stands for a text that is
longer by one for each mark.
"""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import DocsColumn, TextColumn, ValuesColumn

_HEAD = re.compile(r"([\w#]+)(?::(-?[\d.]+))?(?:\{([^}]*)\})?")
_LISTS = {"(": ("chunks", ")"), "[": ("matches", "]")}


def docs_of(text: str) -> DocumentBatch:
    """Return the documents that a line of text describes."""
    batch, rest = _list(text.strip(), "")
    assert not rest, f"left over: {rest!r}"
    return batch


def text_of(docs: DocumentBatch) -> str:
    """Return the line that describes documents."""
    texts, tags, scores = docs.values("text"), docs.values("tags"), docs.values("score")
    chunks, matches = docs.values("chunks"), docs.values("matches")
    lines = []
    for place, id_ in enumerate(docs.ids):
        line = id_ + "!" * ((texts[place] or "").count("!"))
        line += "" if scores[place] is None else f":{scores[place]:.4g}"
        if tags[place]:
            line += "{" + ",".join(f"{k}={v}" for k, v in tags[place].items()) + "}"
        for inner, (start, end) in ((chunks[place], "()"), (matches[place], "[]")):
            line += f"{start}{text_of(inner)}{end}" if inner is not None and len(inner) else ""
        lines.append(line)
    return " ".join(lines)


def _list(text: str, end: str) -> tuple[DocumentBatch, str]:
    """Return the documents up to `end`, and the text behind it."""
    rows: list[dict[str, Any]] = []
    while text and not (end and text.startswith(end)):
        head = _HEAD.match(text)
        assert head, f"no document: {text!r}"
        row: dict[str, Any] = {"id": head[1], "score": head[2] and float(head[2])}
        pairs = (pair.partition("=") for pair in (head[3] or "").split(",") if pair)
        row["tags"] = {name: _value(value) for name, _, value in pairs}
        text = text[head.end() :]
        while text[:1] in _LISTS:
            name, close = _LISTS[text[0]]
            row[name], text = _list(text[1:], close)
        rows.append(row)
        text = text.lstrip()
    return _batch(rows), text[len(end) :]


def _batch(rows: list[dict[str, Any]]) -> DocumentBatch:
    ids = [row["id"] for row in rows]
    docs = DocumentBatch(ids, {"text": TextColumn(ids)})
    for name in ("score", "tags"):
        if any(row[name] for row in rows):
            docs = docs.with_columns(**{name: ValuesColumn([row[name] or None for row in rows])})
    for name in ("chunks", "matches"):
        if any(name in row for row in rows):
            lists = [row.get(name, DocumentBatch([])) for row in rows]
            present = np.array([name in row for row in rows])
            held = DocsColumn.of(lists)
            docs = docs.with_columns(**{name: DocsColumn(held.offsets, held.docs, present)})
    return docs


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
