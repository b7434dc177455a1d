"""Processors are shared out among Peas."""

from __future__ import annotations

import os

from jina_cli.supervise.threads import VARIABLES, thread_limits


def test_a_pea_alone_may_use_all_processors() -> None:
    processors = len(os.sched_getaffinity(0))

    assert thread_limits(1, {}) == dict.fromkeys(VARIABLES, str(processors))


def test_more_peas_than_processors_get_one_thread_each() -> None:
    assert set(thread_limits(10_000, {}).values()) == {"1"}


def test_what_the_user_set_is_left_alone() -> None:
    limits = thread_limits(10_000, {"OMP_NUM_THREADS": "7"})

    assert "OMP_NUM_THREADS" not in limits
    assert limits["OPENBLAS_NUM_THREADS"] == "1"
