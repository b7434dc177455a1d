"""What a request is meant for: parameters of one Pod, and a target that names some of them.

Used where Pods are told apart: in the Gateway, and in a process that several Pods share.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from jina_cli.vocabulary import RESULTS
from jina_cli.wire.messages import Status, StatusCode

_TARGET_LENGTH = 256
_TARGET_REPEATS = 4
_REPEAT = re.compile(r"(?<![\\(])[*+?{]")
_REPEATED_GROUP = re.compile(r"(?<!\\)\)[*+?{]")


def parameters_of(
    pod: str, parameters: Mapping[str, Any], pods: Collection[str]
) -> Mapping[str, Any]:
    """Return the parameters that are meant for `pod`, out of all that a request has.

    `pod__key` goes to that Pod alone, as `key`; so does what a dict under the Pod's name
    holds. The more special wins: `pod__key`, then `{pod: {key: …}}`, then plain `key`.
    """
    if not any(_is_special(key, value, pods) for key, value in parameters.items()):
        return parameters
    plain: dict[str, Any] = {}
    grouped: dict[str, Any] = {}
    special: dict[str, Any] = {}
    for key, value in parameters.items():
        owner, _, name = key.partition("__")
        if name and owner in pods:
            if owner == pod:
                special[name] = value
        elif key in pods and isinstance(value, Mapping):
            if key == pod:
                grouped.update(value)
        elif key != RESULTS or value:
            plain[key] = value
    return {**plain, **grouped, **special}


def parameters_among(
    own: Collection[str], parameters: Mapping[str, Any], pods: Collection[str]
) -> Mapping[str, Any]:
    """Return the parameters without those that are meant for Pods other than `own` alone.

    What is meant for one of `own` stays as it is, for `parameters_of` to sort out later.
    """
    return {
        key: value
        for key, value in parameters.items()
        if (owner := _owner(key, value, pods)) is None or owner in own
    }


def _owner(key: str, value: object, pods: Collection[str]) -> str | None:
    """Return the one Pod that a parameter is for; None where it is for all."""
    owner, _, name = key.partition("__")
    if name and owner in pods:
        return owner
    return key if key in pods and isinstance(value, Mapping) else None


def _is_special(key: str, value: object, pods: Collection[str]) -> bool:
    if "__" in key:
        return key.partition("__")[0] in pods or key == RESULTS
    return isinstance(value, Mapping) and key in pods


def target_of(target: str) -> Callable[[str], bool] | Status:
    """Return whether a Pod's name matches `target`, as a function; INVALID if it is no regex.

    It is matched from the start, as Jina does. Expressions that could take exponential time
    are refused: nobody needs more than a few repetitions to name Pods.
    """
    if not target:
        return _anything
    repeats = len(_REPEAT.findall(target))
    if len(target) > _TARGET_LENGTH or repeats > _TARGET_REPEATS or _REPEATED_GROUP.search(target):
        return _invalid(f"target {target[:80]!r} is too complex")
    try:
        pattern = re.compile(target)
    except (re.error, OverflowError, RecursionError) as error:
        return _invalid(f"target {target[:80]!r} is no expression: {error}")
    return lambda pod: pattern.match(pod) is not None


def _anything(pod: str) -> bool:
    return True


def _invalid(description: str) -> Status:
    return Status(code=StatusCode.INVALID, description=description)
