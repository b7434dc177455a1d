"""The spawner of a Flow, started as soon as its YAML is known to be good.

What it imports takes longer than all that this command has left to do.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from jina_cli.plan.check import problems_of
from jina_cli.spec.models import FlowSpec, PodSpec
from jina_cli.supervise.running import Recipe
from jina_cli.supervise.spawn import Warming, warm_up


@contextmanager
def headstart(spec: FlowSpec) -> Iterator[Warming | None]:
    """Start the spawner; leaving the block, other than by an exec, ends it.

    Gives None where none is of use: nothing can be forked, or there are problems which the
    plan will tell.
    """
    peas = sum(_peas_of(pod) for pod in spec.executors)
    if sys.platform != "linux" or not peas or problems_of(spec, os.environ):
        yield None
        return
    try:
        child, warming = warm_up(Recipe(), peas, os.environ)
    except OSError:
        yield None  # the keeper will try again, and say what is wrong
        return
    try:
        yield warming
    finally:
        warming.abandon(child)


def _peas_of(pod: PodSpec) -> int:
    if pod.external:
        return 0
    has_head = pod.shards > 1 or pod.uses_before is not None or pod.uses_after is not None
    return pod.shards * pod.replicas + has_head
