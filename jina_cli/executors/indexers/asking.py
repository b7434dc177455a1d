"""What a search of the HybridIndexer is asked for, by its constructor and by each request."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from jina_cli.drivers.base import BadParameter
from jina_cli.executors.indexers.fusion import RRF_K
from jina_cli.vocabulary import MAX_TOP_K

DEPTH = 1000
"""Documents of each ranking that are fused: the length of the runs that Cormack et al. fuse."""


class Mode(enum.Enum):
    """What finds documents."""

    AUTO = "auto"  # what the query has: words, a vector, or both
    HYBRID = "hybrid"  # both, which the query must have
    LEXICAL = "lexical"
    VECTOR = "vector"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How to search.

    Attributes:
        rrf_k: Of reciprocal rank fusion.
        depth: Documents of each ranking that are fused, at least as many as are returned.
        rerank: How many of the best are ordered by their vectors alone; 0 for none.
        explain: Whether matches say why they are where they are.
    """

    mode: Mode = Mode.AUTO
    rrf_k: float = RRF_K
    depth: int = DEPTH
    rerank: int = 0
    explain: bool = False

    def over(self, given: Mapping[str, Any]) -> Asked:
        """Return this with what is given in its place; None leaves it.

        Raises:
            BadParameter: A value makes no sense; its place is that of a request's parameter.
        """
        told = {name: value for name, value in given.items() if value is not None}
        return replace(self, **{name: _READ[name](name, value) for name, value in told.items()})


def _mode(name: str, value: Any) -> Mode:
    try:
        return Mode(value)
    except ValueError:
        known = ", ".join(mode.value for mode in Mode)
        raise _bad(name, value, f"one of {known}") from None


def _number(name: str, value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value < float("inf"):
        raise _bad(name, value, "a number from 0")
    return float(value)


def _depth(name: str, value: Any) -> int:
    return _whole(name, value, 1)


def _rerank(name: str, value: Any) -> int:
    return _whole(name, value, 0)


def _whole(name: str, value: Any, least: int) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # JSON of Jina's clients has all numbers as floats
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if not is_whole or not least <= value <= MAX_TOP_K:
        raise _bad(name, value, f"a number from {least} to {MAX_TOP_K}")
    return int(value)


def _whether(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _bad(name, value, "true or false")
    return value


def _bad(name: str, value: Any, must: str) -> BadParameter:
    return BadParameter(f"{name} is {value!r}, and must be {must}", f"parameters.{name}")


_READ: Mapping[str, Callable[[str, Any], Any]] = {
    "mode": _mode,
    "rrf_k": _number,
    "depth": _depth,
    "rerank": _rerank,
    "explain": _whether,
}
