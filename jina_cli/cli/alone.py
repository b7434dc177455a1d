"""One Executor, served alone: what `jina executor` and `jina deployment` are told, as a Flow."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jina_cli.diagnostics import Span
from jina_cli.errors import UsageError
from jina_cli.spec.nodes import MapNode

if TYPE_CHECKING:
    from jina_cli.orchestrate.draft import Draft
    from jina_cli.spec.load import Loaded

_YAML = (".yml", ".yaml", ".jaml")


def one_executor(
    uses: str, said: Mapping[str, Any], *, lenient: bool, from_file: Collection[str] = ()
) -> Loaded:
    """Return a Flow of one Pod.

    Args:
        uses: A class, `file.py:Class`, `module:Class` or a name; or a YAML file that describes
            an Executor or a Deployment.
        said: What options say, by the key of the YAML; what is None or empty says nothing.
        from_file: Names of options that a file gives; they yield to the YAML.

    Raises:
        InputMissing: There is no such file.
        SpecInvalid: With all that is wrong.
        UsageError: The file describes a Flow.
    """
    draft = _draft_of(uses)
    own = draft.root.get("with")
    written = own.entries if isinstance(own, MapNode) else {}
    yields = {key for key in from_file if key in written}
    heard = {key: value for key, value in said.items() if key not in yields}
    return laid_over(draft, heard).checked(os.environ, lenient=lenient)


def laid_over(draft: Draft, said: Mapping[str, Any]) -> Draft:
    """Return a draft with what options say over its `with`.

    Args:
        said: By the key of the YAML; what is None or empty says nothing.
    """
    for key, value in said.items():
        if value not in (None, "", [], {}, ()):
            span = Span(f"--{key.replace('_', '-')}", 1, 1, 2)
            draft = draft.with_values("with", {key: value}, span)
    return draft


def _draft_of(uses: str) -> Draft:
    from jina_cli.orchestrate.draft import Reading, new_draft, read_draft
    from jina_cli.spec.dialect import kind_of

    span = Span("--uses", 1, 1, 2)
    if uses.endswith(_YAML):
        draft = read_draft(Path(uses), Reading(env=os.environ), span)
        kind = kind_of(draft.root)
        if kind == "deployment":
            return draft
        if kind == "flow":
            raise UsageError(f"{uses} describes a Flow", hint=f"jina flow --uses {uses}")
    draft = new_draft("Deployment", {"uses": uses}, span)
    # It is named after the class.
    return replace(draft, source=Path(os.path.abspath(uses.rpartition(":")[2])))


def keyed(texts: Sequence[str], option: str) -> dict[str, Any]:
    """Return `KEY=VALUE` or `KEY: VALUE` texts, or JSON objects, as one mapping.

    Values are read as YAML reads them: `4` is a number, `'4'` a text.

    Raises:
        UsageError: A text is none of these.
    """
    import json

    from jina_cli.spec.source import core_scalar

    found: dict[str, Any] = {}
    for text in texts:
        if text.lstrip().startswith("{"):
            found |= _mapping(text, option)
            continue
        places = [at for at in (text.find("="), text.find(":")) if at > 0]
        if not places:
            raise UsageError(f"{option} is {text!r}, not KEY=VALUE")
        key, value = text[: min(places)].strip(), text[min(places) + 1 :].strip()
        if value[:1] in ("[", "{", '"'):
            try:
                found[key] = json.loads(value)
                continue
            except ValueError:
                pass  # it is a text that begins so
        quoted = len(value) > 1 and value[0] == value[-1] == "'"
        found[key] = value[1:-1] if quoted else core_scalar(value)
    return found


def json_of(text: str, option: str, kind: type) -> Any:
    """Return a JSON value of that kind.

    Raises:
        UsageError: It is none.
    """
    import json

    try:
        value = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{option} is no JSON: {error}") from error
    if not isinstance(value, kind):
        what = "object" if kind is dict else "array"
        raise UsageError(f"{option} is no JSON {what}: {text}")
    return value


def _mapping(text: str, option: str) -> dict[str, Any]:
    found: dict[str, Any] = json_of(text, option, dict)
    return found
