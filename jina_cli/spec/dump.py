"""A `FlowSpec` → YAML or plain data: every key that has an effect, defaults filled in.

What is written can be read again and gives the same Flow.
"""

from __future__ import annotations

import dataclasses
import enum
import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from jina_cli.spec.external import AWAY, HERE
from jina_cli.spec.models import DriverSpec, ExecutorSpec, FlowSpec, GatewaySpec, PodSpec
from jina_cli.spec.source import core_scalar

_INTERNAL = frozenset({"span", "spans", "source", "source_dir"})
_LAID_IN = frozenset(
    {
        "uses_with",
        "uses_metas",
        "uses_requests",
        "uses_dynamic_batching",
        "py_modules",
        "extra_search_paths",
    }
)
"""Keys of a Pod whose values `uses` already holds."""

_DOLLAR = re.compile(r"\$(?=[$A-Za-z_{])")


def to_document(flow: FlowSpec) -> dict[str, Any]:
    """Return a Flow as plain data, keys in the order of the models."""
    return _plain(flow)  # type: ignore[no-any-return]


def to_yaml(document: Mapping[str, Any]) -> str:
    """Return plain data as YAML 1.2 that reads back as the same data.

    A dollar sign that would begin a variable is doubled.
    """
    return yaml.dump(
        _escaped(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100
    )


def redacted(data: Any, is_secret: Callable[[str], bool], mark: str = "***") -> Any:
    """Return `data` with the value of each key that is a secret replaced by `mark`."""
    if isinstance(data, Mapping):
        return {
            key: mark
            if is_secret(key) and value not in (None, "", {}) and _is_leaf(value)
            else redacted(value, is_secret, mark)
            for key, value in data.items()
        }
    if isinstance(data, list):
        return [redacted(item, is_secret, mark) for item in data]
    return data


def _is_leaf(value: Any) -> bool:
    return not isinstance(value, Mapping | list)


def _plain(value: Any) -> Any:
    match value:
        case FlowSpec() | GatewaySpec() | PodSpec() | ExecutorSpec() | DriverSpec():
            left_out = _INTERNAL
            if isinstance(value, PodSpec):
                left_out |= _LAID_IN.union(HERE if value.external else AWAY)
            return {
                field.name.rstrip("_"): _plain(getattr(value, field.name))
                for field in dataclasses.fields(value)
                if field.name not in left_out
            }
        case enum.Enum():
            return value.value
        case Mapping():
            return {key: _plain(inner) for key, inner in value.items()}
        case tuple() | list():
            return [_plain(inner) for inner in value]
    return value


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        return _DOLLAR.sub("$$", value)
    if isinstance(value, Mapping):
        return {key: _escaped(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_escaped(inner) for inner in value]
    return value


class _Dumper(yaml.SafeDumper):
    """Writes no aliases, and quotes what YAML 1.2 would not read as text."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None if isinstance(core_scalar(text), str) else "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
