"""Which replica sees which GPU: `CUDA_VISIBLE_DEVICES: RR` and its kin, read as Jina does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

VISIBLE = "CUDA_VISIBLE_DEVICES"
_TOTAL = "CUDA_TOTAL_DEVICES"
_DRIVER = Path("/proc/driver/nvidia/gpus")
_ROUND_ROBIN = "RR"


def count_devices(environ: Mapping[str, str], driver: Path = _DRIVER) -> int:
    """Return how many GPUs there are: `CUDA_TOTAL_DEVICES` if set, else what the driver lists."""
    told = environ.get(_TOTAL, "")
    if told.isdecimal():
        return int(told)
    return len(list(driver.iterdir())) if driver.is_dir() else 0


def is_round_robin(value: str) -> bool:
    """Whether `value` asks for GPUs to be dealt out rather than naming them."""
    return value.startswith(_ROUND_ROBIN)


def deal(value: str, replicas: int, devices: int) -> tuple[str, ...]:
    """Return what each replica may see, one GPU each, over again where there are too few.

    Args:
        value: `RR` (all), `RR0:2` (a slice), `RR1,3` (some), `RRGPU-ab,GPU-cd` (by UUID);
            the part behind `RR` may stand in brackets.
        replicas: How many to deal to.
        devices: How many GPUs there are. Where a choice depends on it and there is none,
            every replica gets the empty value and sees no GPU.

    Raises:
        ValueError: `value` is malformed, or chooses none of the GPUs there are.
    """
    choice = value.removeprefix(_ROUND_ROBIN).strip().removeprefix("[").removesuffix("]")
    chosen = [one for part in choice.split(",") for one in _devices(part.strip(), devices)]
    if not chosen and devices:
        raise ValueError(f"{value!r} chooses none of the {devices} GPUs")
    return tuple(chosen[r % len(chosen)] if chosen else "" for r in range(replicas))


def _devices(part: str, devices: int) -> tuple[str, ...]:
    """Return the GPUs that one part between commas chooses; an empty part is a full slice."""
    if part and ":" not in part:
        return (part,)
    try:
        bounds = [int(bound) if bound.strip() else None for bound in part.split(":")]
        wanted = slice(*bounds) if len(bounds) > 1 else slice(None)
        stop = wanted.stop
        # Without a driver to ask, a slice with an end names its GPUs by itself.
        count = devices or (stop if stop is not None and stop > 0 else 0)
        return tuple(str(number) for number in range(*wanted.indices(count)))
    except (TypeError, ValueError):
        raise ValueError(f"{part!r} is no slice such as 0:2") from None
