"""What the schemas say of a key or a built-in Executor, as values for `jina explain`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import yaml

from jina_cli.spec.schemas import BuiltIn, Rule, rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One key of the YAML.

    Attributes:
        key: Where it stands, `executors.replicas`.
        types: What it may hold, in words.
        choices: All values it may have; empty for any.
        note: Why it has no effect or is not supported, or what it is called now.
        keys: The keys under it, each with the first sentence on it; no deprecated ones.
        built_in: Names that come with the product, for keys that name a class.
        arguments: What a built-in Executor takes under `with`, each with its default.
        endpoints: That a built-in Executor serves; `/default` stands for all.
        example: YAML of it; empty where there is none.
    """

    key: str
    description: str
    types: tuple[str, ...]
    default: Any
    choices: tuple[str, ...] = ()
    note: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    built_in: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, str] = field(default_factory=dict)
    endpoints: tuple[str, ...] = ()
    example: str = ""


_ROOTS = {
    "executors": "pod",
    "pods": "pod",
    "deployments": "pod",
    "pod": "pod",
    "deployment": "pod",
    "executor": "executor",
    "driver": "driver",
    "gateway": "gateway",
    "flow": "flow",
}
"""First step of a key → the schema it leads into."""


def explain(key: str) -> list[Explanation]:
    """Return what is known of a key: one for each place where it may stand.

    `executors.replicas` names one place; `replicas` alone is looked for everywhere. So are
    built-in Executors, `VectorIndexer`, and their arguments, `metric` or `VectorIndexer.metric`;
    so are Drivers, and their options with the Driver's name before them.
    """
    return [*_keys(key), *_of_executors(key.strip()), *_of_drivers(key.strip())]


def _keys(key: str) -> list[Explanation]:
    steps = [step.partition("[")[0] for step in key.strip().split(".")]
    if steps[0] in _ROOTS:
        rule = _down(rules()[_ROOTS[steps[0]]], steps[1:])
        return [_explanation(".".join(steps), rule)] if rule else []
    found: list[Explanation] = []
    for root, kind in (
        ("flow", "flow"),
        ("gateway", "gateway"),
        ("executors", "pod"),
        ("executor", "executor"),
        ("driver", "driver"),
    ):
        rule = _down(rules()[kind], steps)
        if rule is not None:
            place = key if root == "flow" else f"{root}.{key}"
            found.append(_explanation(place, rule))
    return _without_repeats(found)


def nearest_keys(key: str) -> list[str]:
    """Return the known keys most like `key`, the nearest first."""
    names = {name.casefold(): name for name in _all_keys()}
    return [names[near] for near in get_close_matches(key.casefold(), names, n=3, cutoff=0.6)]


def _all_keys() -> Iterator[str]:
    for root in ("executors", "gateway", "executor", "driver", "flow"):
        yield root
        for name, rule in rules()[_ROOTS[root]].properties.items():
            if rule.is_live:
                yield name
                yield f"{root}.{name}"
    for name, known in _executors().items():
        yield name
        yield from _arguments(known)
    yield from _drivers()


def _executors() -> Mapping[str, BuiltIn]:
    return rules()["executor"].properties["jtype"].builtin


def _arguments(known: BuiltIn) -> Mapping[str, Rule]:
    return known.arguments.properties if known.arguments else {}


def _of_executors(key: str) -> list[Explanation]:
    """Return a built-in Executor of this name, or the arguments of this name."""
    if key in _executors():
        return [_executor(key, _executors()[key])]
    owner, _, argument = key.rpartition(".")
    return [
        _explanation(f"{name}.{argument}", _arguments(known)[argument])
        for name, known in _executors().items()
        if argument in _arguments(known) and owner in ("", name)
    ]


def _drivers() -> Mapping[str, BuiltIn]:
    return rules()["driver"].properties["driver"].builtin


def _of_drivers(key: str) -> list[Explanation]:
    """Return a Driver of this name, or the option that `key` names of one."""
    name, _, option = key.partition(".")
    if name not in _drivers():
        return _of_any_driver(key)
    known = _drivers()[name]
    if option:
        rule = _arguments(known).get(option)
        return [] if rule is None else [_explanation(key, rule)]
    return [
        Explanation(
            key=name,
            description=known.description,
            types=("Driver",),
            default=None,
            arguments={key: _argument(rule) for key, rule in _arguments(known).items()},
            example=_driver_example(name, known),
        )
    ]


def _of_any_driver(option: str) -> list[Explanation]:
    """Return what an option of this name means, one for all Drivers that it means the same for."""
    found = {
        rule.description: _explanation(f"{name}.{option}", rule)
        for name, known in reversed(list(_drivers().items()))
        for key, rule in _arguments(known).items()
        if key == option
    }
    return list(found.values())[::-1]


_SERVED = {
    **dict.fromkeys(("CacheDriver", "CraftDriver", "EncodeDriver", "SegmentDriver"), "/index"),
    **{f"{name}Driver": f"/{name.lower()}" for name in ("Index", "Update", "Delete", "Get")},
    **{f"{name}Driver": f"/{name.lower()}" for name in ("Dump", "Count", "Status", "Train")},
}
"""Endpoint that the example of a Driver shows, where that is not `/search`."""


def _driver_example(name: str, known: BuiltIn) -> str:
    lines = ["uses_requests:", f"  {_SERVED.get(name, '/search')}:", f"    - driver: {name}"]
    if "traversal_paths" in _arguments(known):
        lines.append('      with: {traversal_paths: "@c"}')
    return "\n".join(lines)


def _executor(name: str, known: BuiltIn) -> Explanation:
    return Explanation(
        key=name,
        description=known.description,
        types=("Executor",),
        default=None,
        arguments={key: _argument(rule) for key, rule in _arguments(known).items()},
        endpoints=known.endpoints,
        example=_example(name, known),
    )


def _argument(rule: Rule) -> str:
    said = " or ".join(_inline(choice) for choice in rule.enum if choice is not None)
    default = "" if rule.default in (None, "") else f"Default {_inline(rule.default)}."
    return " ".join(filter(None, (rule.description, f"One of {said}." if said else "", default)))


def _example(name: str, known: BuiltIn) -> str:
    return "\n".join([*_noted(known), "jtype: Flow", "executors:", *_pod(name, known.example)])


def _noted(known: BuiltIn) -> list[str]:
    return [f"# {known.example_note}"] if known.example_note else []


def _pod(name: str, given: Mapping[str, Any]) -> list[str]:
    lines = ["  - name: mine", f"    uses: {name}"]
    if given:
        inside = yaml.safe_dump(dict(given), sort_keys=False, allow_unicode=True)
        lines += ["    uses_with:", *(f"      {line}" for line in inside.splitlines())]
    return lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A built-in Executor or Driver, in a list of all.

    Attributes:
        endpoints: That an Executor serves; `/default` stands for all.
        example: YAML of an item of `executors` or of a list of Drivers.
    """

    name: str
    description: str
    endpoints: tuple[str, ...] = ()
    example: str = ""


def listed_executors() -> list[Listed]:
    """Return all built-in Executors, by name."""
    return [
        Listed(
            name=name,
            description=known.description,
            endpoints=known.endpoints,
            example="\n".join([*_noted(known), *(line[2:] for line in _pod(name, known.example))]),
        )
        for name, known in sorted(_executors().items())
    ]


def listed_drivers() -> list[Listed]:
    """Return all Drivers, by name."""
    return [
        Listed(name=name, description=known.description)
        for name, known in sorted(_drivers().items())
    ]


def _inline(value: Any) -> str:
    """Return a value as YAML on one line."""
    if isinstance(value, list):
        return f"[{', '.join(map(_inline, value))}]"
    return json.dumps(value) if isinstance(value, bool | dict) or value == "" else str(value)


def _without_repeats(found: list[Explanation]) -> list[Explanation]:
    """Drop places where a key does nothing, if there are some where it does."""
    useful = [each for each in found if not each.note]
    return useful or found


def _down(rule: Rule, steps: list[str]) -> Rule | None:
    """Return the rule that `steps` lead to, through lists and alternatives."""
    for step in steps:
        known = [r.properties[step] for r in _inside(rule) if step in r.properties]
        if not known:
            return None
        rule = known[0]
    return rule


def _inside(rule: Rule) -> list[Rule]:
    """Return the rules whose keys may stand under a value: its own, or its items'."""
    here = [rule, *rule.any_of]
    here += [r.items for r in here if r.items is not None]
    here += [branch for r in here for branch in r.any_of]
    here += [r.additional for r in here if r.additional is not None]
    return [r for r in here if r.properties]


def _explanation(key: str, rule: Rule) -> Explanation:
    keys = {
        name: _first_sentence(inner.description)
        for holder in _inside(rule)[:1]
        for name, inner in holder.properties.items()
        if inner.is_live
    }
    choices = {
        str(c).lower(): str(c) for r in (rule, *rule.any_of) for c in r.enum if c is not None
    }
    holders = [r.properties["jtype"] for r in _inside(rule) if "jtype" in r.properties]
    if rule is rules()["pod"]:
        holders = [rules()["executor"].properties["jtype"]]
    held = [rule, *holders]
    return Explanation(
        key=key,
        description=rule.description,
        types=tuple(_types(rule)),
        default=rule.default,
        choices=tuple(choices.values()),
        note=_note(rule),
        keys=keys,
        built_in={
            name: known.description
            for name, known in sorted(next((r.builtin for r in held if r.builtin), {}).items())
        },
    )


def _types(rule: Rule) -> Iterator[str]:
    words = {
        "string": "text",
        "integer": "whole number",
        "number": "number",
        "boolean": "true or false",
        "array": "list",
        "object": "mapping",
    }
    return (word for kind, word in words.items() if kind in rule.all_types())


def _note(rule: Rule) -> str:
    if rule.refused:
        return f"Not supported: {rule.refused}."
    if rule.ignored:
        return f"Accepted without effect: {rule.ignored}."
    if rule.renamed_to:
        return f"Now called {rule.renamed_to}."
    if rule.alias_of:
        return f"Another spelling of {rule.alias_of}."
    return ""


def _first_sentence(text: str) -> str:
    first = text.partition(". ")[0]
    return first if first.endswith(".") else f"{first}."
