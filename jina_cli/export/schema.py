"""The schemas as one document that needs no other, for editors and other validators."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from jina_cli.spec.arguments import CONTEXT
from jina_cli.spec.schemas import KINDS, schema_text

Draft = Literal["2020-12", "7"]

_META = {
    "2020-12": "https://json-schema.org/draft/2020-12/schema",
    "7": "http://json-schema.org/draft-07/schema#",
}


def bundle(kind: str = "flow", draft: Draft = "2020-12") -> dict[str, Any]:
    """Return the schema of one of `KINDS` with all that it refers to inside.

    In draft 7, which ignores what stands beside `$ref`, that goes into `allOf`; keys that have
    no effect or are not supported say so in `deprecationMessage`, which editors show. What a
    built-in Executor or a Driver takes is tied to its name.
    """
    documents = {name: json.loads(schema_text(name)) for name in KINDS}
    built_in = documents["executor"]["properties"]["jtype"]["x-builtin"]
    documents["executor"]["allOf"] = [*_ties(built_in, "jtype", "with")]
    documents["pod"]["allOf"] = [*_ties(built_in, "uses", "uses_with")]
    drivers = documents["driver"]["properties"]["driver"]["x-builtin"]
    documents["driver"]["allOf"] = [*_ties_of_drivers(drivers)]
    holder = "$defs" if draft == "2020-12" else "definitions"
    root = _converted(documents[kind], kind, kind, draft)
    others = {
        name: _converted(_without_head(documents[name]), name, kind, draft)
        for name in KINDS
        if name != kind
    }
    return {**root, "$schema": _META[draft], holder: others}


def _ties(built_in: Mapping[str, Any], named: str, given: str) -> Iterator[dict[str, Any]]:
    """Yield, for each built-in Executor, what it takes: where `named` names it, under `given`.

    Python of one's own may define a class of the same name: then anything goes.
    """
    inside = {"properties": {"metas": {"required": ["py_modules"]}}, "required": ["metas"]}
    own = [{"required": ["py_modules"]}, {"required": ["components"]}, inside]
    for name, known in built_in.items():
        arguments = known["with"]
        taken = {**dict.fromkeys(CONTEXT, True), **arguments["properties"]}
        tied = {**arguments, "type": ["object", "null"], "properties": taken}
        is_it = {"properties": {named: {"const": name}}, "required": [named], "not": {"anyOf": own}}
        yield {"if": is_it, "then": {"properties": {given: tied}}}


def _ties_of_drivers(built_in: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield, for each Driver, what it takes under `with`."""
    for name, known in built_in.items():
        is_it = {"properties": {"driver": {"const": name}}, "required": ["driver"]}
        taken = {**known["with"], "type": ["object", "null"]}
        yield {"if": is_it, "then": {"properties": {"with": taken}}}


def _without_head(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in ("$schema", "$id")}


def _converted(value: Any, home: str, root: str, draft: Draft) -> Any:
    if isinstance(value, list):
        return [_converted(item, home, root, draft) for item in value]
    if not isinstance(value, dict):
        return value
    made = {
        key: _reference(inner, home, root, draft)
        if key == "$ref"
        else _converted(inner, home, root, draft)
        for key, inner in value.items()
    }
    return made if draft == "2020-12" else _draft_7(made)


def _reference(target: str, home: str, root: str, draft: Draft) -> str:
    document, _, pointer = target.partition("#")
    name = document.removesuffix(".json") or home
    if name == root:
        return f"#{pointer}"
    return f"#/{'$defs' if draft == '2020-12' else 'definitions'}/{name}{pointer}"


def _draft_7(schema: dict[str, Any]) -> dict[str, Any]:
    reason = schema.get("x-refused") or schema.get("x-ignored")
    if isinstance(schema.get("x-renamed-to"), str):
        reason = f"now called {schema['x-renamed-to']}"
    kept = {key: value for key, value in schema.items() if not key.startswith("x-")}
    if isinstance(reason, str):
        kept["deprecationMessage"] = reason
    if isinstance(kept.get("$ref"), str) and len(kept) > 1:
        kept["allOf"] = [{"$ref": kept.pop("$ref")}]
    return kept
