"""Inputs read lazily into batches of documents: files, patterns, folders, streams."""

from jina_cli.documents.readers.batches import INDEX_CHARS, ReadBatch, read_batches
from jina_cli.documents.readers.inputs import Format, Source, find_sources, read_sources
from jina_cli.documents.readers.row import Row, RowError, Skipped

__all__ = [
    "INDEX_CHARS",
    "Format",
    "ReadBatch",
    "Row",
    "RowError",
    "Skipped",
    "Source",
    "find_sources",
    "read_batches",
    "read_sources",
]
