"""Drivers by the name that YAML gives them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from jina_cli.documents.traversal import BadPath, parse_paths
from jina_cli.drivers.base import Driver
from jina_cli.drivers.keep import (
    CountDriver,
    DeleteDriver,
    DumpDriver,
    GetDriver,
    IndexDriver,
    StatusDriver,
)
from jina_cli.drivers.retrieve import EvaluateDriver, RankDriver, SearchDriver
from jina_cli.drivers.transform import CraftDriver, EncodeDriver, SegmentDriver, TrainDriver
from jina_cli.nearest import nearest

DRIVERS: Mapping[str, type[Any]] = {
    driver.__name__: driver
    for driver in (
        CountDriver,
        CraftDriver,
        DeleteDriver,
        DumpDriver,
        EncodeDriver,
        EvaluateDriver,
        GetDriver,
        IndexDriver,
        RankDriver,
        SearchDriver,
        SegmentDriver,
        StatusDriver,
        TrainDriver,
    )
}


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
    cls = DRIVERS[name]
    known = [field.name for field in dataclasses.fields(cls)]
    for option in options:
        if option not in known:
            raise BadDriver(f"{name} has no option {option!r}{_nearest(option, known)}")
    if "traversal_paths" in options:
        try:
            options["traversal_paths"] = parse_paths(options["traversal_paths"])
        except BadPath as error:
            raise BadDriver(f"{name}: {error}") from error
    driver: Driver = cls(**options)
    return driver


def _nearest(name: str, known: list[str]) -> str:
    near = nearest(name, known)
    return f"; did you mean {near!r}?" if near else f"; there are {', '.join(known)}"
