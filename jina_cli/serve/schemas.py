"""Whether the documents of chained Executors fit, judged by their JSON schemas alone.

Only what is sure to fail is a misfit. Documents keep fields that a Pod does not know, so one
that a Pod needs may come from any Pod before it. Who takes or gives columns, or our own
Document, or does not say, fits everything; so does a type that has no name here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from jina_cli.plan.models import Route
from jina_cli.vocabulary import DEFAULT_ENDPOINT
from jina_cli.wire.messages import EndpointInfo

Schema = Mapping[str, Any]

_ANYTHING = frozenset({"Document", "LegacyDocument"})
"""Titles of documents whose fields may all be left out, and that may have any others."""

_SHAPE = "tensor/array shape"
_LEVELS = 16
_NUMBERS = frozenset({"a number", "true or false"})
_KINDS: Mapping[str, str] = {
    "string": "a string",
    "integer": "a number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}


def misfit(
    routes: Sequence[Route], endpoints: Mapping[str, Mapping[str, EndpointInfo]]
) -> str | None:
    """Return the first two Pods whose documents cannot fit, as one line; None if all may.

    An endpoint is looked at where both Pods serve it by its name.

    Args:
        routes: In an order in which needs come first.
        endpoints: What each Pod serves, by its name.
    """
    by_name = {route.pod: route for route in routes}
    for route in routes:
        for endpoint, follower in endpoints.get(route.pod, {}).items():
            before = list(_before(route, endpoint, by_name, endpoints))
            nearest = [giver for giver in before if giver.is_next]
            if not nearest or route.no_reduce:
                continue
            if len(nearest) == 1:
                problem = differences(nearest[0].info, follower, _fields_of(before))
            elif any(need not in by_name for need in route.needs):
                continue  # what the client sent is among what is merged
            else:
                problem = _missing(nearest, follower, _fields_of(before))
            if problem is not None:
                pods = ", ".join(sorted(giver.pod for giver in nearest))
                return f"{pods} and {route.pod} do not fit on {endpoint}: {problem}"
    return None


def differences(
    leader: EndpointInfo, follower: EndpointInfo, kept: Collection[str] | None = ()
) -> str | None:
    """Return why what `leader` returns cannot be what `follower` takes; None if it may be.

    Args:
        kept: Further fields that documents may have by then; None for any.
    """
    given, taken = leader.output, follower.input
    if _is_anything(given) or _is_anything(taken):
        return None
    has, wants = _properties(given), _properties(taken)
    one, other = given.get("title", "what it returns"), taken.get("title", "what it takes")
    for name in taken.get("required", ()):
        is_kept = kept is None or name in kept or name in _properties(leader.input)
        if name != "id" and name not in has and not is_kept:
            return f"{other} needs the field {name!r}, and {one} has none"
    for name in has.keys() & wants.keys() - {"id"}:
        problem = _difference(has[name], wants[name], given, taken)
        if problem is not None:
            return f"{name!r} is {problem[0]} in {one}, and {problem[1]} in {other}"
    return None


@dataclass(frozen=True, slots=True)
class _Giver:
    """A Pod that has a part in what a later one is given.

    Attributes:
        info: Of the endpoint; without anything where it serves it as `/default`.
        is_next: Whether none comes after it that serves the endpoint.
    """

    pod: str
    info: EndpointInfo
    is_next: bool


def _before(
    route: Route,
    endpoint: str,
    routes: Mapping[str, Route],
    endpoints: Mapping[str, Mapping[str, EndpointInfo]],
) -> Iterator[_Giver]:
    """Yield the Pods before a route that see requests to an endpoint, the nearest first."""
    seen: set[str] = set()
    waiting = [(need, True) for need in route.needs]
    while waiting:
        pod, is_next = waiting.pop(0)
        if pod in seen or pod not in routes:
            continue
        seen.add(pod)
        serves = endpoints.get(pod, {})
        info = serves.get(endpoint)
        if info is None and DEFAULT_ENDPOINT in serves:
            info = EndpointInfo()
        if info is not None:
            yield _Giver(pod, info, is_next)
            is_next = False
        waiting.extend((need, is_next) for need in routes[pod].needs)


def _missing(
    leaders: Sequence[_Giver], follower: EndpointInfo, kept: Collection[str] | None
) -> str | None:
    """Return which field of merged documents nobody brings; of several, one may bring it."""
    taken = follower.input
    if kept is None or _is_anything(taken):
        return None
    for name in taken.get("required", ()):
        if name != "id" and name not in kept:
            given = sorted({leader.info.output.get("title", leader.pod) for leader in leaders})
            title = taken.get("title", "what it takes")
            return f"{title} needs the field {name!r}, and none of {', '.join(given)} has it"
    return None


def _fields_of(givers: Sequence[_Giver]) -> Collection[str] | None:
    """Return the fields that documents may have after these Pods; None for any."""
    schemas = [schema for giver in givers for schema in (giver.info.input, giver.info.output)]
    if any(_is_anything(schema) for schema in schemas):
        return None
    return {name for schema in schemas for name in _properties(schema)}


def _is_anything(schema: Schema) -> bool:
    return (
        not _properties(schema)
        or schema.get("title") in _ANYTHING
        or schema.get("additionalProperties", False) is not False
    )


def _properties(schema: Schema) -> Schema:
    found = schema.get("properties")
    return found if isinstance(found, Mapping) else {}


def _difference(one: Schema, other: Schema, given: Schema, taken: Schema) -> tuple[str, str] | None:
    """Return what the same field is on either side, where it cannot be both."""
    left = list(_alternatives(one, given, _LEVELS))
    right = list(_alternatives(other, taken, _LEVELS))
    if None in left or None in right:
        return None
    for x in left:
        for y in right:
            if x is not None and y is not None and _may_be(x, y, given, taken):
                return None
    return _named(left), _named(right)


def _alternatives(schema: Schema, root: Schema, levels: int) -> Iterator[Schema | None]:
    """Yield the schemas of which a value may meet any, save null; None for an unknown one."""
    reference = schema.get("$ref")
    choices = schema.get("anyOf") or schema.get("oneOf")
    if levels == 0 or "allOf" in schema:
        yield None
    elif isinstance(reference, str):
        target = _resolved(reference, root)
        if target is None:
            yield None
        else:
            yield from _alternatives(target, root, levels - 1)
    elif isinstance(choices, Sequence):
        for choice in choices:
            yield from _alternatives(choice, root, levels - 1)
    elif schema.get("type") != "null":
        yield schema if schema.get("type") in _KINDS else None


def _resolved(reference: str, root: Schema) -> Schema | None:
    found: Any = root
    for part in reference.removeprefix("#/").split("/"):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else None


def _may_be(one: Schema, other: Schema, given: Schema, taken: Schema) -> bool:
    kinds = {_KINDS[one["type"]], _KINDS[other["type"]]}
    if len(kinds) > 1:
        return kinds <= _NUMBERS
    if one["type"] != "array":
        return True
    sizes = _size(one), _size(other)
    if None not in sizes and sizes[0] != sizes[1]:
        return False
    items, others = one.get("items"), other.get("items")
    if not isinstance(items, Mapping) or not isinstance(others, Mapping):
        return True
    # A tensor of any shape is said to be a list of numbers: only objects are told apart.
    inner = [_is_object(items, given), _is_object(others, taken)]
    return None in inner or inner[0] == inner[1]


def _is_object(schema: Schema, root: Schema) -> bool | None:
    found = list(_alternatives(schema, root, _LEVELS))
    if not found or None in found:
        return None
    kinds = {one["type"] == "object" for one in found if one is not None}
    return kinds.pop() if len(kinds) == 1 else None


def _size(schema: Schema) -> int | None:
    """Return how many numbers a tensor has; None where it does not say."""
    shape = schema.get(_SHAPE)
    if (
        not isinstance(shape, str)
        or re.fullmatch(r"[\[(]\s*\d+(\s*,\s*\d+)*,?\s*[\])]", shape) is None
    ):
        return None
    return prod(int(number) for number in re.findall(r"\d+", shape))


def _named(schemas: Sequence[Schema | None]) -> str:
    names = [_name(schema) for schema in schemas if schema is not None]
    return " or ".join(dict.fromkeys(names)) or "null"


def _name(schema: Schema) -> str:
    kind = _KINDS[schema["type"]]
    if schema["type"] == "object" and "title" in schema:
        return f"an object ({schema['title']})"
    if schema["type"] != "array":
        return kind
    size = _size(schema)
    items = schema.get("items")
    if size is not None:
        return f"a tensor of shape {schema[_SHAPE]}"
    of = _KINDS.get(items.get("type", "object"), "") if isinstance(items, Mapping) else ""
    return {"a number": "a list of numbers", "an object": "a list of objects"}.get(of, kind)
