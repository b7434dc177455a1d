"""From an exception to the status of a request."""

from __future__ import annotations

import traceback

from jina_cli.documents.batch import BadField
from jina_cli.drivers.base import BadParameter
from jina_cli.errors import StorageFailed
from jina_cli.executors.calls import BadDocuments
from jina_cli.lifeline import place_of
from jina_cli.wire.bodies import BadBody
from jina_cli.wire.messages import Status, StatusCode

_STACK_LINES = 200
"""Lines of a traceback that travel at most; endless recursion has more."""

_INVALID = (BadField, BadBody, BadParameter, BadDocuments)


def status_of(error: Exception, pod: str, executor: str = "") -> Status:
    """Return the status of a request that ended with `error`.

    What is wrong with the request itself is INVALID, what is wrong with the disk STORAGE,
    all else the Executor's.

    Args:
        error: What was raised.
        pod: Name of the Pod, with its shard if it has several.
        executor: Class of the Executor that was called.
    """
    lines = "".join(traceback.format_exception(error)).splitlines()
    return Status(
        code=_code_of(error),
        description=described(error, pod, executor),
        exception=type(error).__name__,
        arguments=tuple(str(argument) for argument in error.args),
        stacks=tuple(lines[-_STACK_LINES:]),
        executor=executor,
        pod=pod.partition("/")[0],
    )


def described(error: Exception, pod: str, executor: str) -> str:
    """Return one line: `index (VectorIndexer): ValueError: no such metric (index.py:12)`."""
    text = str(error).strip().partition("\n")[0]
    name = type(error).__name__
    cause = f"{name}: {text}" if text else name
    where = f"{pod} ({executor})" if executor else pod
    place = place_of(error) if _code_of(error) is StatusCode.EXECUTOR else ""
    file = place.rpartition("/")[2]
    return f"{where}: {cause} ({file})" if file else f"{where}: {cause}"


def _code_of(error: Exception) -> StatusCode:
    if isinstance(error, _INVALID):
        return StatusCode.INVALID
    return StatusCode.STORAGE if isinstance(error, StorageFailed) else StatusCode.EXECUTOR
