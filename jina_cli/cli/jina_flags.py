"""Command lines as Jina's manifests and images have them, as command lines of ours.

Jina takes several words after one option, and every key of the YAML as an option. Here an option
takes one word and may be repeated, and a key that has no option of its own becomes
`--key NAME=JSON`, which is hidden from help.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jina_cli.spec.schemas import Rule

VERBS: Mapping[str, tuple[str, ...]] = {
    "executor": ("pod", "gateway"),
    "deployment": ("pod", "gateway"),
    "gateway": ("gateway", "pod"),
}
"""Commands that Jina's manifests call, and the schemas whose keys are options of theirs."""

ELSEWHERE: Mapping[str, str] = {
    "auth": "there is nothing to log in to: Flows run on this machine",
    "client": "use 'jina post', or jina_cli.Client in Python",
    "cloud": "there is no cloud service: 'jina flow --uses FILE' runs it on this machine",
    "commands": "use 'jina --help'",
    "completions": "use 'jina completion SHELL'",
    "dryrun": "use 'jina ping flow HOST:PORT', or 'jina flow --dry-run' before it runs",
    "export docker-compose": "a container runs a Flow by 'jina flow --uses FILE'",
    "export kubernetes": "a container runs a Flow by 'jina flow --uses FILE'",
    "help": "use 'jina explain KEY', or 'jina COMMAND --help'",
    "hub": "Executors are not fetched from a hub: install its package, or say file.py:Class",
    "new": "begin with a 'jtype: Flow' file: 'jina explain executors' tells its keys",
    "pod": "use 'jina executor --uses'",
}
"""Commands of Jina that there are none of here, and what to do instead."""


def as_ours(verb: str, arguments: Sequence[str], options: Iterable[Any]) -> list[str]:
    """Return the arguments of a command with each option as we have it.

    What is neither an option nor a key stays as it is; parsing will say so.

    Args:
        verb: One of `VERBS`.
        options: Of the command, as click has them.
    """
    own = {flag: option for option in options for flag in option.opts}
    found: list[str] = []
    place = 0
    while place < len(arguments):
        flag, equals, value = arguments[place].partition("=")
        place += 1
        if not flag.startswith("--"):
            found.append(arguments[place - 1])
        elif flag in own:
            found.append(arguments[place - 1])
            if own[flag].multiple and not equals:
                words = _words(arguments, place)
                found[-1:] = [each for word in words for each in (flag, word)] or [flag]
                place += len(words)
        elif (rule := _rule(verb, flag)) is None:
            found.append(arguments[place - 1])
        else:
            words = [value] if equals else _words(arguments, place)[: _most(rule)]
            # A negative number is no option.
            if not words and not equals and _most(rule) == 1:
                words = list(arguments[place : place + 1])
            place += 0 if equals else len(words)
            found += ["--key", f"{_key(flag)}={json.dumps(_value(flag, words, rule))}"]
    return found


def keys_of(texts: Sequence[str]) -> dict[str, Any]:
    """Return what `--key` options say, by key."""
    pairs = (text.partition("=") for text in texts)
    return {key: json.loads(value) for key, _, value in pairs}


def _key(flag: str) -> str:
    return flag.removeprefix("--").replace("-", "_")


def _words(arguments: Sequence[str], place: int) -> list[str]:
    """Return the words from a place to the next option."""
    found: list[str] = []
    for word in arguments[place:]:
        if word.startswith("--"):
            break
        found.append(word)
    return found


def _rule(verb: str, flag: str) -> Rule | None:
    from jina_cli.spec.schemas import rules

    found = (rules()[kind].properties.get(_key(flag)) for kind in VERBS[verb])
    return next((rule for rule in found if rule is not None), None)


def _most(rule: Rule) -> int | None:
    """Return how many words a key takes at most; None for any number."""
    types = rule.all_types() - {"null"}
    if types == {"boolean"}:
        return 0
    return None if not types or types & {"array", "object"} else 1


def _value(flag: str, words: Sequence[str], rule: Rule) -> Any:
    from jina_cli.cli.alone import json_of, keyed
    from jina_cli.spec.source import core_scalar

    if not words:
        return True
    types = rule.all_types()
    if len(words) == 1 and words[0][:1] in ("{", "["):
        return json_of(words[0], flag, dict if words[0][0] == "{" else list)
    if "object" in types and not types & {"string", "array"}:
        return keyed(words, flag)
    values = [core_scalar(word) for word in words]
    return values if len(values) > 1 or types == {"array"} else values[0]
