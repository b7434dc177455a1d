"""What is left of forgotten texts in the words of an index, and how it goes.

FTS5 takes a text out by writing that it is gone; both go when the segments are merged that have
them. It does that with segments of about the same size, so an index that is deleted from, and
not added to, would stay as large as it ever was. So once as many texts were forgotten as there
are, all segments are merged, a few pages at a time: between groups of changes, and while there
are none.
"""

from __future__ import annotations

import sqlite3

from jina_cli.store.schema import Meta

_FEWEST = 1000
"""Fewer forgotten texts than these are left alone, however few there are."""

_PAGES_AT_ONCE = 256
_MERGE = "INSERT INTO terms(terms, rank) VALUES ('merge', ?)"
_CHANGES_OF_NOTHING = 2
"""A merge changes fewer rows than these if there was nothing left to merge, as FTS5 has it."""


class Tidying:
    """The merging of the words, as far as it has come.

    Args:
        connection: Of the writer.
    """

    def __init__(self, connection: sqlite3.Connection, meta: Meta) -> None:
        self._connection = connection
        self._has_begun = False
        self.is_due = False
        self.note(meta)

    def note(self, meta: Meta) -> None:
        """Find out whether it is due, by what the index says of itself."""
        self.is_due = meta.forgotten >= max(_FEWEST, meta.documents)

    def step(self) -> None:
        """Merge a few pages, in a transaction of its own.

        Raises:
            sqlite3.Error: It failed, and is not due until more changes.
        """
        self.is_due = False
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        before = connection.total_changes
        # A negative number says: all segments, not only those of about the same size.
        connection.execute(_MERGE, (_PAGES_AT_ONCE * (1 if self._has_begun else -1),))
        is_done = connection.total_changes - before < _CHANGES_OF_NOTHING
        if is_done:
            connection.execute("UPDATE meta SET value = 0 WHERE key = 'forgotten'")
        connection.execute("COMMIT")
        self._has_begun = self.is_due = not is_done
