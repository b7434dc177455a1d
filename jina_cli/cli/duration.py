"""Lengths of time, as users write them."""

from __future__ import annotations

import math
import re

from jina_cli.errors import UsageError

_UNITS = {"": 1.0, "s": 1.0, "ms": 0.001, "m": 60.0, "h": 3600.0}


def seconds_of(text: str, option: str) -> float:
    """Return the seconds of `90`, `90s`, `1.5m`, `200ms` or `1h`.

    Raises:
        UsageError: It is none of these; the message names `option`.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|)\s*", text)
    value = float(match[1]) * _UNITS[match[2]] if match else math.inf
    if not math.isfinite(value):
        raise UsageError(f"{option} is {text!r}, not a time", hint="write it as 90s or 2m")
    return value
