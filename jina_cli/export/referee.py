"""A second opinion on a Flow: the published schema, as any JSON Schema validator reads it.

Starting a Flow checks it with a walk of our own over the same schemas, which knows places and
what was meant, and costs a few milliseconds. `jina validate` asks the reference validator as
well, about the Flow with all its defaults: so what we accept is what editors and other tools
accept.
"""

from __future__ import annotations

from collections.abc import Iterator

from jina_cli.diagnostics import Diagnostic
from jina_cli.export.schema import bundle
from jina_cli.spec.dump import to_document
from jina_cli.spec.models import FlowSpec


def disagreements(flow: FlowSpec) -> Iterator[Diagnostic]:
    """Yield what the published schema holds against a Flow that our own checks let pass."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    validator = Draft202012Validator(bundle("flow"))
    for outer in validator.iter_errors(to_document(flow)):
        error = best_match([outer])  # of several alternatives, the one that nearly fits
        pointer = "".join(f"/{key}" for key in error.absolute_path)
        yield Diagnostic(
            code="JNA112",
            message=f"the published schema refuses it: {error.message.partition(chr(10))[0]}",
            span=flow.span_of(pointer),
            hint="this is a fault of jina's own checks; please report it with this file",
            path=error.json_path.removeprefix("$."),
        )
