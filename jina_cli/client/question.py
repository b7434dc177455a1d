"""A question to a Flow and its answer, with documents as columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jina_cli.documents.batch import DocumentBatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One request, before it is written for a protocol.

    Attributes:
        docs: None sends a request without documents.
        target: Regular expression of Pod names; empty for all.
        timeout_s: How long it may take in all, waiting for a busy Flow included; None leaves
            it to the Flow.
        metadata: Headers, names in lower case.
    """

    endpoint: str
    docs: DocumentBatch | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    target: str = ""
    timeout_s: float | None = 120.0
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a Flow said.

    Attributes:
        docs: In the order of the request, where the Flow keeps it.
        parameters: `__results__` holds what Executors returned that were no documents.
        seconds: From sending to the answer.
    """

    docs: DocumentBatch
    parameters: Mapping[str, Any]
    seconds: float
