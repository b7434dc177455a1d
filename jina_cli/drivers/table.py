"""Drivers by the name that YAML gives them."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

from jina_cli.documents.condition import BadQuery, condition_of
from jina_cli.documents.traversal import BadPath, parse_paths
from jina_cli.drivers.base import BadParameter, Driver, Parameters
from jina_cli.drivers.cache import CacheDriver
from jina_cli.drivers.convert import ConvertDriver
from jina_cli.drivers.fuse import FuseDriver
from jina_cli.drivers.judge import EvaluateDriver
from jina_cli.drivers.keep import (
    CountDriver,
    DeleteDriver,
    DumpDriver,
    GetDriver,
    IndexDriver,
    StatusDriver,
    UpdateDriver,
)
from jina_cli.drivers.lookups import condition_of_lookups
from jina_cli.drivers.merge import ConcatDriver, ReduceDriver
from jina_cli.drivers.predict import PredictDriver
from jina_cli.drivers.rank import ChunkRankDriver, RankDriver
from jina_cli.drivers.retrieve import KeyValueSearchDriver, SearchDriver
from jina_cli.drivers.select import (
    ExcludeDriver,
    FilterDriver,
    ReverseDriver,
    SelectDriver,
    SliceDriver,
    SortDriver,
)
from jina_cli.drivers.transform import CraftDriver, EncodeDriver, SegmentDriver, TrainDriver
from jina_cli.drivers.whole import CraftDocumentsDriver
from jina_cli.nearest import nearest

DRIVERS: Mapping[str, type[Any]] = {
    driver.__name__: driver
    for driver in (
        CacheDriver,
        ChunkRankDriver,
        ConcatDriver,
        ConvertDriver,
        CountDriver,
        CraftDocumentsDriver,
        CraftDriver,
        DeleteDriver,
        DumpDriver,
        EncodeDriver,
        EvaluateDriver,
        ExcludeDriver,
        FilterDriver,
        FuseDriver,
        GetDriver,
        IndexDriver,
        KeyValueSearchDriver,
        PredictDriver,
        RankDriver,
        ReduceDriver,
        ReverseDriver,
        SearchDriver,
        SegmentDriver,
        SelectDriver,
        SliceDriver,
        SortDriver,
        StatusDriver,
        TrainDriver,
        UpdateDriver,
    )
}

OLD_NAMES: Mapping[str, str] = {
    "Chunk2DocRankDriver": "ChunkRankDriver",
    "ConcatEmbedDriver": "ConcatDriver",
    "ExcludeQL": "ExcludeDriver",
    "FilterQL": "FilterDriver",
    "KVSearchDriver": "KeyValueSearchDriver",
    "Matches2DocRankDriver": "RankDriver",
    "RankEvaluateDriver": "EvaluateDriver",
    "ReverseQL": "ReverseDriver",
    "SelectQL": "SelectDriver",
    "SliceQL": "SliceDriver",
    "SortQL": "SortDriver",
    "VectorSearchDriver": "SearchDriver",
}
"""Names that a `queryset` written for Jina 0.9 has for Drivers."""

_NOT_PER_REQUEST = frozenset({"executor", "priority", "files", "http"})
"""Options that are the Flow's alone: who asks must not choose what a process may read."""


class BadDriver(ValueError):
    """YAML names a Driver that does not exist, or gives it what it does not take."""


def build_driver(data: Any) -> Driver:
    """Return the Driver of one item of a list of Drivers.

    Args:
        data: A name, or `{driver: NAME, with: {…}}`.

    Raises:
        BadDriver: There is no such Driver, or it has no such option.
    """
    item: Any = {"driver": data} if isinstance(data, str) else data
    if not isinstance(item, Mapping) or not isinstance(item.get("driver"), str):
        raise BadDriver(f"{data!r} names no Driver; use {{driver: EncodeDriver, with: {{}}}}")
    name, options = item["driver"], dict(item.get("with") or {})
    if name not in DRIVERS:
        raise BadDriver(f"there is no Driver {name!r}{_nearest(name, list(DRIVERS))}")
    driver: Driver = DRIVERS[name](**_checked(name, options))
    return driver


def overridden(driver: Driver, parameters: Parameters) -> Driver:
    """Return a Driver with what the `queryset` of a request says of it.

    That is a list of `{name, parameters, priority}`, as Jina 0.9 has it: what an item says goes
    over the Driver's options if its priority, 0 where it has none, is above the Driver's; of
    several the first counts. Items that are `disabled` do nothing.

    Raises:
        BadParameter: It is no such list, names no Driver, or an option that it has not.
    """
    queryset = parameters.get("queryset")
    if not queryset:
        return driver
    if not isinstance(queryset, list | tuple):
        raise BadParameter("queryset must be a list of {name, parameters}", "parameters.queryset")
    options: dict[str, Any] = {}
    for place, item in enumerate(queryset):
        where = f"parameters.queryset.{place}"
        name, given, priority = _asked(item, where)
        if name == type(driver).__name__ and priority > driver.priority:
            try:
                known = _checked(name, given)
            except BadDriver as error:
                raise BadParameter(str(error), where) from error
            options = {**known, **options}
    if not options:
        return driver
    changed: Driver = dataclasses.replace(driver, **options)  # type: ignore[type-var]
    return changed


def _asked(item: Any, where: str) -> tuple[str, dict[str, Any], float]:
    """Return the Driver that an item of a queryset is for, its options and its priority."""
    if not isinstance(item, Mapping) or not isinstance(item.get("name"), str):
        raise BadParameter(f"{item!r} names no Driver", where)
    name = OLD_NAMES.get(item["name"], item["name"])
    if name not in DRIVERS:
        known = _nearest(name, [*DRIVERS, *OLD_NAMES])
        raise BadParameter(f"there is no Driver {name!r}{known}", where)
    given, priority = item.get("parameters") or {}, item.get("priority") or 0
    if not isinstance(given, Mapping) or not isinstance(priority, int | float):
        raise BadParameter(f"{item!r} needs parameters by name, and a number as priority", where)
    if item.get("disabled"):
        return name, {}, priority
    fixed = next((option for option in given if option in _NOT_PER_REQUEST), None)
    if fixed is not None:
        raise BadParameter(f"{fixed!r} of a Driver cannot be set by a request", where)
    return name, dict(given), priority


def _checked(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options as the Driver has them.

    Raises:
        BadDriver: It has no such option, or the value makes no sense.
    """
    kinds = _kinds(name)
    checked: dict[str, Any] = {}
    for option, value in options.items():
        if option not in kinds:
            raise BadDriver(f"{name} has no option {option!r}{_nearest(option, list(kinds))}")
        try:
            checked[option] = _value(option, value, kinds[option])
        except (BadPath, BadQuery) as error:
            raise BadDriver(f"{name}: {error}") from error
        except ValueError as error:
            raise BadDriver(f"{name}: {option} is {value!r}, and must be {error}") from None
    return checked


@cache
def _kinds(name: str) -> dict[str, Any]:
    """Return the types of a Driver's options."""
    cls = DRIVERS[name]
    hints = typing.get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls)}


def _value(option: str, value: Any, kind: Any) -> Any:
    if option == "traversal_paths":
        return parse_paths(value)
    if option == "filter":
        return condition_of(value)
    if option == "lookups":
        if value is not None:
            condition_of_lookups(value)
        return value
    if typing.get_origin(kind) is Literal:
        if value not in typing.get_args(kind):
            raise ValueError(" or ".join(map(repr, typing.get_args(kind))))
        return value
    if typing.get_origin(kind) is tuple:
        given = [value] if isinstance(value, str) else value
        if not isinstance(given, list | tuple) or not all(isinstance(one, str) for one in given):
            raise ValueError("a list of names")
        return tuple(given)
    if isinstance(value, float) and value.is_integer() and kind is not bool:
        value = int(value)  # JSON of Jina's clients has all numbers as floats
    wanted = typing.get_args(kind) or (kind,)
    if type(value) not in wanted:
        words = {int: "a whole number", bool: "true or false", str: "text", type(None): "nothing"}
        raise ValueError(" or ".join(words[one] for one in wanted))
    return value


def _nearest(name: str, known: list[str]) -> str:
    near = nearest(name, known)
    return f"; did you mean {near!r}?" if near else f"; there are {', '.join(known)}"
