"""A request on its way through the Executors of one worker, and the body it leaves with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.schema import blanks_of
from jina_cli.drivers.base import Done
from jina_cli.runtime.gather import union
from jina_cli.runtime.steps import Stop
from jina_cli.wire.bodies import hold, kept, read_body, write_body
from jina_cli.wire.messages import Body, Format


@dataclass(slots=True)
class Course:
    """A request on its way through the steps.

    Attributes:
        bodies: As they came in.
        docs: What they are now; None while nobody has looked.
        parts: The same, as they came from each Pod.
        changed: Whether `docs` are other than what `bodies` hold.
        results: What Executors returned besides documents.
        at: The stop that is called now.
        taken: How many documents were read that no answer tells of yet.
    """

    bodies: tuple[Body, ...]
    docs: DocumentBatch | None = None
    parts: tuple[DocumentBatch, ...] = ()
    changed: bool = False
    results: dict[str, Any] = field(default_factory=dict)
    at: Stop | None = None
    taken: int = 0

    def read(self) -> DocumentBatch:
        """Raises: BadBody."""
        if self.docs is None:
            self.parts = tuple(map(read_body, self.bodies))
            self.docs = self.parts[0] if len(self.parts) == 1 else union(self.parts)
            self.taken = sum(map(len, self.parts))
        return self.docs

    def put(self, docs: DocumentBatch) -> None:
        """Go on with other documents."""
        self.docs, self.parts, self.changed = docs, (docs,), True

    def branch(self, done: Done) -> Course:
        """Return the course that one part of an answer takes from here on."""
        course = Course(self.bodies, results=dict(self.results), at=self.at)
        course.put(done.docs)
        return course


def written(course: Course, wanted: Format) -> Body:
    """Return the documents in the format that is wanted; untouched ones as they came in."""
    if not course.changed and len(course.bodies) == 1:
        body = kept(course.bodies[0], wanted, course.docs)
        if body is not None:
            return body
    if wanted is Format.HELD:
        return hold(course.read(), course.bodies)
    return write(course.read(), wanted, course.at)


def write(docs: DocumentBatch, wanted: Format, at: Stop | None) -> Body:
    """Return documents in the format that is wanted; JSON has all fields of a user's class."""
    if wanted is Format.JSON and at is not None and at.handler.output_type is not None:
        return write_body(docs, wanted, blanks_of(at.handler.output_type))
    return write_body(docs, wanted)
