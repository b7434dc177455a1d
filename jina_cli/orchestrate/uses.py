"""What may stand under `uses` in Python: names, paths, dicts, YAML text, and classes."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from jina_cli.orchestrate.draft import NAMING, invalid
from jina_cli.orchestrate.places import name_of_class
from jina_cli.orchestrate.values import plain
from jina_cli.spec.nodes import to_data


def pod_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keywords of a Pod as plain data, classes as other processes can import them.

    Keywords that are None say nothing.

    Raises:
        NotImportable: A class is defined where no other process finds it.
        SpecInvalid: Text that should be YAML is none.
        TypeError: A value cannot reach another process.
    """
    return {
        key: _uses(value, key) if key in NAMING else plain(value, key)
        for key, value in values.items()
        if value is not None
    }


def _uses(value: Any, key: str) -> Any:
    if isinstance(value, type):
        return name_of_class(value)
    if isinstance(value, str) and ("\n" in value.strip() or value.startswith(("jtype:", "!"))):
        return _read(value)
    return plain(value, key)


def _read(text: str) -> Any:
    """Return what YAML text says of an Executor.

    Raises:
        SpecInvalid: It is not YAML.
    """
    from jina_cli.spec.source import load_bytes

    node, problems = load_bytes(text.encode(), "<uses>")
    if node is None:
        raise invalid(tuple(problems))
    return to_data(node)


def known_class(name: str) -> str | None:
    """Return what `uses` shall say for the bare name of a class that this program defines.

    Returns:
        None where it defines none, or where a built-in one has that name.

    Raises:
        NotImportable: It is defined where no other process finds it.
    """
    from jina_cli.spec.schemas import rules

    module = sys.modules.get("jina_cli.executors.executor")
    if module is None or name in rules()["executor"].properties["jtype"].builtin:
        return None
    found = next((cls for cls in _subclasses(module.Executor) if cls.__name__ == name), None)
    return None if found is None else name_of_class(found)


def _subclasses(cls: type) -> Iterator[type]:
    """Yield those below a class, of those with the same name the one made last first."""
    below: list[type] = cls.__subclasses__()
    for subclass in reversed(below):
        yield subclass
        yield from _subclasses(subclass)
