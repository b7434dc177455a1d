"""`schemas/*.json`, read and resolved into rules that `validate` walks and `build` asks.

The schemas keep to a small part of JSON Schema, which is all that a YAML file of ours needs;
a keyword that this module does not know is a bug in the schema. Of our own are:

* `x-refused`: why a key cannot be honoured. Values that the rest of the schema allows pass.
* `x-ignored`: why a key has no effect. It is accepted with a warning.
* `x-alias-of`: the key that this one is another spelling of. `x-synonym`: without a warning.
* `x-renamed-to`: the key that took its place.
* `x-applies-to`: what a key of a Flow's `with` is laid under: `flow`, `gateway`, `pods`.
* `x-builtin`: Executors and Drivers that come with us, by name. Each is one sentence, or has it
  as `description` beside the schema of its `with`, the `endpoints` it serves and an `example` of
  its `with`, with an `example_note` on what that needs.
"""

from __future__ import annotations

import copy
import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jina_cli.resources import schemas_dir

KINDS = ("flow", "pod", "gateway", "executor", "driver")
"""The schemas there are, outermost first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltIn:
    """An Executor or a Driver that comes with the product.

    Attributes:
        description: One sentence.
        arguments: What `with` may hold; None where that is not written down.
        endpoints: That it serves; empty for none of its own.
        example: What stands under `with` of one that runs.
        example_note: What that takes besides, one sentence; empty for nothing.
    """

    description: str
    arguments: Rule | None = None
    endpoints: tuple[str, ...] = ()
    example: Mapping[str, Any] = field(default_factory=dict)
    example_note: str = ""


@dataclass(slots=True, kw_only=True, eq=False)
class Rule:
    """What a schema says of one value. Shared and recursive, so never changed once loaded.

    Attributes:
        types: JSON types it may have; empty for any.
        never: Whether no value is allowed at all.
        additional: What a key that is none of `properties` may hold; None for no such key.
        notes: Beginnings of keys that are the author's own, and are not looked at.
        any_of: Rules of which one holds; no two share a type.
    """

    title: str = ""
    description: str = ""
    default: Any = None
    types: frozenset[str] = frozenset()
    enum: tuple[Any, ...] = ()
    never: bool = False
    pattern: re.Pattern[str] | None = None
    minimum: float | None = None
    maximum: float | None = None
    min_length: int = 0
    min_items: int = 0
    properties: Mapping[str, Rule] = field(default_factory=dict)
    additional: Rule | None = None
    notes: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    items: Rule | None = None
    any_of: tuple[Rule, ...] = ()
    refused: str = ""
    ignored: str = ""
    alias_of: str = ""
    is_synonym: bool = False
    renamed_to: str = ""
    applies_to: tuple[str, ...] = ()
    builtin: Mapping[str, BuiltIn] = field(default_factory=dict)

    @property
    def is_live(self) -> bool:
        """Whether the key has an effect, so that models have a field for it."""
        return not (self.refused or self.ignored or self.alias_of or self.renamed_to)

    def all_types(self) -> frozenset[str]:
        """Return the types of the rule and of its alternatives; empty for any."""
        return self.types.union(*(branch.types for branch in self.any_of))


def schema_text(kind: str) -> str:
    """Return the text of `schemas/<kind>.json`."""
    return (schemas_dir() / f"{kind}.json").read_text("utf-8")


@functools.cache
def rules() -> Mapping[str, Rule]:
    """Return the rule of each of `KINDS`."""
    compiler = _Compiler({kind: json.loads(schema_text(kind)) for kind in KINDS})
    return {kind: compiler.at(kind, "") for kind in KINDS}


_SIMPLE = {
    "title": "title",
    "description": "description",
    "default": "default",
    "minimum": "minimum",
    "maximum": "maximum",
    "minLength": "min_length",
    "minItems": "min_items",
    "x-refused": "refused",
    "x-ignored": "ignored",
    "x-alias-of": "alias_of",
    "x-synonym": "is_synonym",
    "x-renamed-to": "renamed_to",
}
"""Keyword → field that takes its value as it is."""

_SILENT = frozenset({"$schema", "$id", "deprecated", "examples"})
"""Keywords that say nothing about values."""


class _Compiler:
    def __init__(self, documents: Mapping[str, Any]) -> None:
        self._documents = documents
        self._made: dict[tuple[str, str], Rule] = {}

    def at(self, kind: str, pointer: str) -> Rule:
        """Return the rule at a JSON pointer of a schema."""
        place = (kind, pointer)
        if place not in self._made:
            schema = self._documents[kind]
            for step in pointer.split("/")[1:]:
                schema = schema[step]
            # Noted before it is filled, so that a schema may refer to itself.
            self._made[place] = rule = Rule()
            self._fill(rule, schema, kind)
        return self._made[place]

    def _rule(self, schema: Any, kind: str) -> Rule:
        if schema is True:
            return Rule()
        if "$ref" in schema:
            return self._referred(schema, kind)
        rule = Rule()
        self._fill(rule, schema, kind)
        return rule

    def _referred(self, schema: Mapping[str, Any], kind: str) -> Rule:
        document, _, pointer = schema["$ref"].partition("#")
        target = self.at(document.removesuffix(".json") or kind, pointer)
        if len(schema) == 1:
            return target
        rule = copy.copy(target)
        self._fill(rule, {k: v for k, v in schema.items() if k != "$ref"}, kind)
        return rule

    def _fill(self, rule: Rule, schema: Mapping[str, Any], kind: str) -> None:
        for keyword, value in schema.items():
            if keyword in _SIMPLE:
                setattr(rule, _SIMPLE[keyword], value)
            elif keyword == "x-builtin":
                rule.builtin = {k: self._builtin(v, kind) for k, v in value.items()}
            elif keyword == "patternProperties":
                # `^x-` and nothing else: a key is the author's own by how it begins.
                rule.notes = tuple(pattern.removeprefix("^") for pattern in value)
            elif keyword not in _SILENT:
                self._fill_one(rule, keyword, value, kind)

    def _fill_one(self, rule: Rule, keyword: str, value: Any, kind: str) -> None:
        match keyword:
            case "type":
                rule.types = frozenset([value] if isinstance(value, str) else value)
            case "enum":
                rule.enum = tuple(value)
            case "const":
                rule.enum = (value,)
            case "not" if value == {}:
                rule.never = True
            case "pattern":
                rule.pattern = re.compile(value)
            case "properties":
                rule.properties = {k: self._rule(v, kind) for k, v in value.items()}
            case "additionalProperties":
                rule.additional = None if value is False else self._rule(value, kind)
            case "required":
                rule.required = tuple(value)
            case "items":
                rule.items = self._rule(value, kind)
            case "anyOf":
                rule.any_of = tuple(self._rule(branch, kind) for branch in value)
            case "x-applies-to":
                rule.applies_to = tuple(value)
            case _:
                raise AssertionError(f"schemas/{kind}.json: unknown keyword {keyword!r}")

    def _builtin(self, value: Any, kind: str) -> BuiltIn:
        if isinstance(value, str):
            return BuiltIn(description=value)
        return BuiltIn(
            description=value["description"],
            arguments=self._rule(value["with"], kind),
            endpoints=tuple(value.get("endpoints", ())),
            example=value.get("example", {}),
            example_note=value.get("example_note", ""),
        )
