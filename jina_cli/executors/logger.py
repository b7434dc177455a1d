"""The logger of an Executor."""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from typing import Any


class ExecutorLogger(logging.LoggerAdapter[logging.Logger]):
    """A logger of Python's, with the one more level that Executors are written with.

    Also what `JinaLogger` stands for: its further options are not needed here.
    """

    def __init__(self, name: str, **_: Any) -> None:
        super().__init__(logging.getLogger(name), {})

    def process(
        self, msg: Any, kwargs: MutableMapping[str, Any]
    ) -> tuple[Any, MutableMapping[str, Any]]:
        return msg, kwargs

    def success(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Say that something went well: information, as far as levels go."""
        self.info(msg, *args, **kwargs)


default_logger = ExecutorLogger("jina")
"""Jina's, of the name that users' code takes it by."""
