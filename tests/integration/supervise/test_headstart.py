"""The spawner that `jina flow` starts before it becomes the keeper: used, or surely ended."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from jina_cli.lifeline import WarmSaid, unpack
from jina_cli.supervise.running import Recipe
from jina_cli.supervise.spawn import Adopted, warm_up
from tests.testing.faulty import started, write_flow
from tests.testing.processes import Jinas

RECIPE = Recipe(preload=("json",), entry="json:loads")


def test_it_says_that_it_is_warm_to_whoever_has_its_descriptors() -> None:
    child, warming = warm_up(RECIPE, 3, os.environ)
    try:
        said = os.read(warming.ends.orders_fd, 4096)
    finally:
        warming.abandon(child)

    assert unpack(said) == WarmSaid()


def test_abandoned_it_is_gone_and_leaves_no_descriptor() -> None:
    before = set(os.listdir("/proc/self/fd"))
    child, warming = warm_up(RECIPE, 3, os.environ)

    warming.abandon(child)

    assert not psutil.pid_exists(warming.ends.pid)
    assert set(os.listdir("/proc/self/fd")) == before


def test_one_that_was_reaped_by_somebody_else_counts_as_killed() -> None:
    child, warming = warm_up(RECIPE, 3, os.environ)
    os.kill(warming.ends.pid, signal.SIGKILL)
    os.waitpid(warming.ends.pid, 0)

    assert Adopted(warming.ends.pid).poll() == -signal.SIGKILL
    warming.abandon(child)
    assert child.poll() is not None


@pytest.mark.parametrize("wrong", [["--attach", "nobody"], ["--ready-fd", "77"]])
def test_a_wrong_option_leaves_no_process(tmp_path: Path, wrong: list[str]) -> None:
    with Jinas(tmp_path) as jina:
        done = jina.start("flow", "--uses", write_flow(tmp_path), *wrong)

        assert done.wait() == 2
        assert not done.family()


def test_the_keeper_has_one_spawner_and_its_peas_are_that_ones_children(tmp_path: Path) -> None:
    with Jinas(tmp_path) as jina:
        process, _ = started(jina, write_flow(tmp_path, replicas=2))

        below = psutil.Process(process.pid).children()

        gateway, spawner = sorted(below, key=lambda child: len(child.children()))
        assert not gateway.children()
        assert len(spawner.children()) >= 2
        assert process.stop() == 0


def test_ctrl_c_does_not_wait_for_load_balancers_as_sigterm_does(tmp_path: Path) -> None:
    took = {}
    for signum in (signal.SIGINT, signal.SIGTERM):
        with Jinas(tmp_path) as jina:
            process, _ = started(jina, write_flow(tmp_path))
            began = time.monotonic()
            process.stop(signum)
            took[signum] = time.monotonic() - began

    assert took[signal.SIGINT] < 1.0 <= took[signal.SIGTERM]
