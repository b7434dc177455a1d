"""The Driver that brings contents into another form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from jina_cli.documents.batch import BadField, DocumentBatch
from jina_cli.documents.contents import Reading, converted
from jina_cli.documents.traversal import Path
from jina_cli.drivers.base import ROOT, Done, Ordered, Parameters, at_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertDriver(Ordered):
    """Make one field of another: a blob of what a URI names, a tensor of an image's bytes.

    Documents without the one stay as they are.

    Attributes:
        source: What there is.
        target: What is made of it; `uri` makes a `data:` URI.
        files: Whether URIs of files are read. Whoever may ask can then read what this process
            can read.
        http: Whether `http:` and `https:` are read.
        traversal_paths: Documents it is done for.
    """

    method: ClassVar[str] = ""
    source: Literal["uri", "blob", "text", "tensor"] = "uri"
    target: Literal["uri", "blob", "text", "tensor"] = "blob"
    files: bool = False
    http: bool = False
    traversal_paths: tuple[Path, ...] = ROOT

    async def __call__(self, executor: Any, docs: DocumentBatch, parameters: Parameters) -> Done:
        reading = Reading(http=self.http, files=self.files)

        async def step(found: DocumentBatch) -> DocumentBatch:
            try:
                return converted(found, self.source, self.target, reading)
            except BadField:
                raise
            except ValueError as error:
                raise BadField(str(error)) from error

        return Done(docs=await at_paths(docs, self.traversal_paths, step))
