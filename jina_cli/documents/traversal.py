"""Traversal paths: which documents of a batch a step works on, and how its result goes back.

    r           the documents themselves
    c   m       their chunks, their matches
    cm  mc      letters are followed left to right: the matches of the chunks
    r,c         two paths, taken in order
    c[0]  m[-3:]  r[::2]    of each list only these, as Python has it; a place there is not in a
                            list names nothing in it

A path may begin with `@`, as Jina 3 and docarray have it, or not, as Jina 0.9; `r` may be left
out before other letters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from jina_cli.documents.batch import EMPTY_BATCH, DocumentBatch
from jina_cli.documents.column import DocsColumn, Indices


@dataclass(frozen=True, slots=True)
class Places:
    """Which documents of each list, as the slice `[start:stop:step]` of Python."""

    start: int | None = None
    stop: int | None = None
    step: int = 1


Path: TypeAlias = tuple[str | Places, ...]
"""Names of the fields to follow, and places in their lists; empty for the documents themselves."""

_FIELDS = {"c": "chunks", "m": "matches"}
_SLICE = re.compile(r"\s*(-?\d+)?\s*(?:(:)\s*(-?\d+)?\s*(?::\s*(-?\d+)?\s*)?)?")


class BadPath(ValueError):
    """Text that is no traversal path; the message names the column, from 1."""


def parse_paths(text: str | Iterable[str]) -> tuple[Path, ...]:
    """Return the paths of `@r,cm` (the `@` may be left out), or of a list of such texts.

    Raises:
        BadPath: It holds something else than the letters `r`, `c` and `m` and places in
            brackets, or nothing.
    """
    texts = [text] if isinstance(text, str) else list(text)
    if not texts:
        raise BadPath("a traversal path names no documents")
    return tuple(path for one in texts for path in _paths(one))


def documents_at(batch: DocumentBatch, path: Path) -> DocumentBatch:
    """Return all documents at `path` as one batch, in order; it may be empty."""
    offsets: Indices | None = None
    for step in path:
        if isinstance(step, str):
            column = batch.docs(step)
            if column is None:
                return DocumentBatch([])
            offsets, batch = column.offsets, column.docs
        else:
            chosen, offsets = _chosen(_whole(batch) if offsets is None else offsets, step)
            batch = batch.take(chosen)
    return batch


def put_at(batch: DocumentBatch, path: Path, found: DocumentBatch) -> DocumentBatch:
    """Return `batch` with `found` in place of what `documents_at` gave for the same path.

    Documents that places in the path passed by stay as they are.

    Raises:
        ValueError: It is another number of documents.
    """
    if not path:
        return _same_number(found, batch)
    return _put(DocsColumn(_whole(batch), batch), path, found)


def lists_at(batch: DocumentBatch, path: Path) -> DocsColumn:
    """Return the lists that the last letter of `path` names, one for each parent, in order.

    `r` names one list: the batch itself. A parent without the field has an empty list. With
    places behind the last letter they are the parts of the lists that those name.
    """
    lists = DocsColumn(_whole(batch), batch)
    for step in path:
        if isinstance(step, str):
            column = lists.docs.docs(step)
            lists = _no_lists(len(lists.docs)) if column is None else column
        else:
            chosen, offsets = _chosen(lists.offsets, step)
            lists = DocsColumn(offsets, lists.docs.take(chosen), lists.present)
    return lists


def put_lists_at(batch: DocumentBatch, path: Path, lists: DocsColumn) -> DocumentBatch:
    """Return `batch` with other lists in place of those that `lists_at` gave for `path`.

    They may have become shorter or longer, or have other documents. A part of a list that
    places named is replaced as a whole: the new part stands where its first document stood,
    or at the end of the list if it had none.

    Raises:
        ValueError: It is another number of lists.
    """
    return _put_lists(DocsColumn(_whole(batch), batch), path, lists).docs


def _paths(text: str) -> list[Path]:
    """Return the paths of one text, read letter by letter."""
    place = len(text) - len(text.lstrip())
    place += text.startswith("@", place)
    paths: list[Path] = []
    while True:
        path, place = _path(text, place)
        paths.append(path)
        if place == len(text):
            return paths
        place += 1  # behind the comma


def _path(text: str, place: int) -> tuple[Path, int]:
    """Return the path that begins at `place`, and where it ends: at a comma or the end."""
    steps: list[str | Places] = []
    letters = 0
    while place < len(text) and text[place] != ",":
        character = text[place]
        if character == "[" and letters:
            places, place = _places(text, place)
            steps.append(places)
            continue
        if character in _FIELDS:
            steps.append(_FIELDS[character])
            letters += 1
        elif character == "r" and not letters:
            letters += 1
        elif not character.isspace():
            where = "r stands only at its beginning" if character == "r" else _expected(character)
            raise _bad(text, place, where)
        place += 1
    if not letters:
        raise _bad(text, place, "it is made of r, c and m, as in '@c', and here is none")
    return tuple(steps), place


def _places(text: str, place: int) -> tuple[Places, int]:
    found = _SLICE.match(text, place + 1)
    end = place + 1 if found is None else found.end()
    if found is None or text[end : end + 1] != "]":
        raise _bad(text, end, "expected a place such as [0] or [-3:]")
    start, colon, stop, step = found.groups()
    if colon is None:
        if start is None:
            raise _bad(text, end, "expected a place such as [0] or [-3:]")
        first = int(start)
        return Places(first, first + 1 or None), end + 1
    if step is not None and int(step) == 0:
        raise _bad(text, found.start(4), "a step of 0 goes nowhere")
    bounds = slice(*(None if bound is None else int(bound) for bound in (start, stop)))
    return Places(bounds.start, bounds.stop, int(step or 1)), end + 1


def _expected(character: str) -> str:
    return f"it is made of r, c and m, not of {character!r}"


def _bad(text: str, place: int, problem: str) -> BadPath:
    return BadPath(f"{text!r} is no traversal path: column {place + 1}: {problem}")


def _whole(batch: DocumentBatch) -> Indices:
    """Return the offsets of the one list that a batch is."""
    return np.array([0, len(batch)], np.int64)


def _no_lists(count: int) -> DocsColumn:
    return DocsColumn(np.zeros(count + 1, np.int64), EMPTY_BATCH, np.zeros(count, np.bool_))


def _chosen(offsets: Indices, places: Places) -> tuple[Indices, Indices]:
    """Return which documents of all lists the places name, and the offsets of what they leave."""
    lengths, kinds = np.unique(np.diff(offsets), return_inverse=True)
    cut = slice(places.start, places.stop, places.step)
    ranges = [range(*cut.indices(length)) for length in lengths.tolist()]
    firsts = np.array([one.start for one in ranges], np.int64)[kinds]
    counts = np.array([len(one) for one in ranges], np.int64)[kinds]
    ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    within = np.arange(int(ends[-1])) - np.repeat(ends[:-1], counts)
    return np.repeat(offsets[:-1] + firsts, counts) + places.step * within, ends


def _put(lists: DocsColumn, path: Path, found: DocumentBatch) -> DocumentBatch:
    """Return the documents of `lists` with `found` in place of those at `path`."""
    docs = lists.docs
    if not path:
        return _same_number(found, docs)
    step, rest = path[0], path[1:]
    if isinstance(step, str):
        column = docs.docs(step)
        if column is None:
            return docs
        inner = replace(column, docs=_put(column, rest, found))
        return docs.with_columns(**{step: inner})
    chosen, offsets = _chosen(lists.offsets, step)
    return _scattered(docs, chosen, _put(DocsColumn(offsets, docs.take(chosen)), rest, found))


def _scattered(docs: DocumentBatch, places: Indices, others: DocumentBatch) -> DocumentBatch:
    """Return `docs` with `others` in their places."""
    order = np.arange(len(docs))
    order[places] = np.arange(len(docs), len(docs) + len(others))
    return DocumentBatch.concat([docs, others]).take(order)


def _put_lists(lists: DocsColumn, path: Path, given: DocsColumn) -> DocsColumn:
    """Return `lists` with `given` in place of what `path` names from there."""
    if not path:
        if len(given) != len(lists):
            raise ValueError(f"{len(given)} lists cannot take the place of {len(lists)}")
        return given
    step, rest = path[0], path[1:]
    if isinstance(step, str):
        column = lists.docs.docs(step)
        if column is None and not len(given.docs):
            return lists
        before = _no_lists(len(lists.docs)) if column is None else column
        after = _put_lists(before, rest, given)
        present = before.present
        if present is not None:
            present = present | (np.diff(after.offsets) > 0)
        after = DocsColumn(after.offsets, after.docs, present)
        return replace(lists, docs=lists.docs.with_columns(**{step: after}))
    chosen, offsets = _chosen(lists.offsets, step)
    part = _put_lists(DocsColumn(offsets, lists.docs.take(chosen)), rest, given)
    return _spliced(lists, chosen, offsets, part)


def _spliced(lists: DocsColumn, chosen: Indices, offsets: Indices, part: DocsColumn) -> DocsColumn:
    """Return `lists` with the lists of `part` in place of the documents that were chosen.

    Args:
        offsets: Of the chosen documents, as `_chosen` gives them.
    """
    if np.array_equal(offsets, part.offsets):
        return replace(lists, docs=_scattered(lists.docs, chosen, part.docs))
    count = len(lists.docs)
    kept = np.ones(count, np.bool_)
    kept[chosen] = False
    had = np.diff(offsets) > 0
    # Where the new part stands: at the first of its documents, or behind the whole list.
    stands = lists.offsets[1:].copy()
    if had.any():
        stands[had] = np.minimum.reduceat(chosen, offsets[:-1][had])
    owners = np.repeat(np.arange(len(lists)), np.diff(lists.offsets))
    owners = np.concatenate([owners[kept], np.repeat(np.arange(len(lists)), np.diff(part.offsets))])
    keys = np.concatenate([np.flatnonzero(kept), np.repeat(stands, np.diff(part.offsets))])
    new = np.arange(count, count + len(part.docs))
    order = np.concatenate([np.flatnonzero(kept), new])[np.lexsort((keys, owners))]
    lengths = np.bincount(owners, minlength=len(lists))
    ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)]).astype(np.int64)
    docs = DocumentBatch.concat([lists.docs, part.docs])
    return DocsColumn(ends, docs.take(order) if len(order) else docs.slice(0, 0), lists.present)


def _same_number(found: DocumentBatch, batch: DocumentBatch) -> DocumentBatch:
    if len(found) != len(batch):
        raise ValueError(f"{len(found)} documents cannot take the place of {len(batch)}")
    return found
