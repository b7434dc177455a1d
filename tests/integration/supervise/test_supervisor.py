"""The supervisor over real processes that do as they are told."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jina_cli.errors import PodFailed, TimedOut, Unreachable
from jina_cli.plan.models import Listener, Plan
from jina_cli.supervise.flow_machine import ExitOn
from jina_cli.supervise.loop import Supervisor
from jina_cli.supervise.options import Options
from jina_cli.supervise.procfs import is_same
from jina_cli.supervise.registry import read_record
from jina_cli.supervise.supervisor import supervised
from jina_cli.vocabulary import Protocol, Restart
from tests.testing.flows import RECIPE, Lines, a_pea, a_plan
from tests.testing.processes import is_alive

OPTIONS = Options(recipe=RECIPE)


def run(work: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(30):
            await work

    asyncio.run(bounded())


async def until(condition: Callable[[], bool], what: str = "") -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


def pids(folder: Path) -> dict[str, int]:
    """Return who is written down in the run dir; each of them must be alive."""
    found = {}
    for file in (folder / "run").glob("*.pid.json"):
        identity = json.loads(file.read_text())
        assert is_same(identity["pid"], identity["start"]), identity
        found[identity["name"]] = identity["pid"]
    return found


@pytest.mark.parametrize("forkable", [True, False], ids=["forked", "cold"])
def test_a_flow_is_ready_when_all_its_processes_are(folder: Path, forkable: bool) -> None:
    plan = a_plan(folder, a_pea(folder, "a", forkable=forkable), a_pea(folder, "b"))

    async def work() -> None:
        async with supervised(plan, options=OPTIONS) as flow:
            running = pids(folder)
            assert set(running) == {"gateway", "a", "b", "spawner"}
            assert all(os.getpgid(pid) == os.getsid(pid) == pid for pid in running.values())
            assert flow.addresses == {"fds": "http:0,native"}
            record = read_record(folder / "run")
            assert record is not None
            assert (record.state, record.pid) == ("ready", os.getpid())
        assert not any(is_alive(pid) for pid in running.values())
        assert not (folder / "run").exists()

    run(work())


def test_no_descriptor_is_left_open(folder: Path) -> None:
    async def once() -> None:
        async with supervised(a_plan(folder, a_pea(folder, "a")), options=OPTIONS):
            pass

    async def work() -> None:
        await once()
        before = os.listdir("/proc/self/fd")
        await once()
        assert len(os.listdir("/proc/self/fd")) == len(before)

    run(work())


def test_the_spawner_keeps_no_descriptor_of_a_pea_that_has_ended(folder: Path) -> None:
    cold = a_pea(folder, "a", forkable=False, max_restarts=20)
    plan, sink = a_plan(folder, cold, a_pea(folder, "b")), Lines()

    async def work() -> None:
        async with supervised(plan, sink=sink, options=OPTIONS):
            held = Path("/proc", str(pids(folder)["spawner"]), "fd")
            before = len(os.listdir(held))
            for restart in range(1, 4):
                os.kill(pids(folder)["a"], signal.SIGKILL)
                await until(lambda n=restart: sink.of("a").count("ready again") == n)  # type: ignore[misc]
            await until(lambda: len(os.listdir(held)) == before)

    run(work())


def test_a_child_has_its_own_descriptors_only(folder: Path) -> None:
    plan = a_plan(folder, a_pea(folder, "a"), a_pea(folder, "b", forkable=False))

    async def work() -> None:
        async with supervised(plan, options=OPTIONS):
            for name in ("a", "b"):
                open_files = os.listdir(f"/proc/{pids(folder)[name]}/fd")
                # Standard ones, control pipe, death pipe, listening socket.
                assert len(open_files) == 6, (name, open_files)

    run(work())


def test_what_a_pea_prints_is_heard_and_kept(folder: Path) -> None:
    steps = ["print hello", "stderr \x1b[31moops", "say ready", "serve"]
    plan, sink = a_plan(folder, a_pea(folder, "a/rep-0", steps)), Lines()

    async def work() -> None:
        async with supervised(plan, sink=sink, options=OPTIONS):
            await until(lambda: "oops" in sink.of("a/rep-0"))

    run(work())
    assert sink.of("a/rep-0", "stdout") == ["hello"]
    assert "oops" in (folder / "logs" / "a.rep-0.log").read_text()


def test_a_pea_that_was_killed_comes_back_and_the_others_stay(folder: Path) -> None:
    plan, sink = a_plan(folder, a_pea(folder, "a"), a_pea(folder, "b")), Lines()

    async def work() -> None:
        async with supervised(plan, sink=sink, options=OPTIONS):
            before = pids(folder)
            os.kill(before["a"], signal.SIGKILL)
            await until(lambda: "ready again" in sink.of("a"))
            after = pids(folder)
            assert after["a"] != before["a"]
            assert {**before, "a": 0} == {**after, "a": 0}

    run(work())
    assert "killed by SIGKILL; restart 1 of 5 in 0.1 s" in sink.of("a")


def test_a_socket_outlives_the_process_behind_it(folder: Path) -> None:
    plan, sink = a_plan(folder, a_pea(folder, "a")), Lines()

    async def work() -> None:
        async with supervised(plan, sink=sink, options=OPTIONS):
            os.kill(pids(folder)["a"], signal.SIGKILL)
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(f"{folder}/run/a.sock")
            await until(lambda: "ready again" in sink.of("a"))

    run(work())


@pytest.mark.parametrize("forkable", [True, False], ids=["forked", "cold"])
def test_the_reason_of_a_failure_comes_first(folder: Path, forkable: bool) -> None:
    steps = ["print loading", "say failed init ValueError: no model", "exit 1"]
    plan = a_plan(folder, a_pea(folder, "a"), a_pea(folder, "b/rep-0", steps, forkable=forkable))

    async def work() -> None:
        async with supervised(plan, options=OPTIONS):
            pytest.fail("it is never ready")

    with pytest.raises(PodFailed) as caught:
        run(work())
    assert str(caught.value) == "b/rep-0: ValueError: no model (executor.py:12)"
    assert caught.value.tail == ("loading",)


@pytest.mark.parametrize(
    ("step", "cause"),
    [("exit 3", "ended with exit code 3"), ("segfault", "killed by SIGSEGV")],
)
def test_a_crash_loop_ends_after_its_restarts(folder: Path, step: str, cause: str) -> None:
    plan = a_plan(folder, a_pea(folder, "a", ["print hi", step], max_restarts=2))

    async def work() -> None:
        async with supervised(plan, options=OPTIONS):
            pytest.fail("it is never ready")

    with pytest.raises(PodFailed) as caught:
        run(work())
    assert str(caught.value) == f"a: {cause}, after 2 restarts"
    assert caught.value.tail == ("hi",)


def test_a_pea_with_very_many_variables_is_forked_as_any_other(folder: Path) -> None:
    steps = ["env LONG", "say ready", "serve"]
    long = a_pea(folder, "a", steps, env={"LONG": "x" * 2**20})
    plan, sink = a_plan(folder, long, a_pea(folder, "b")), Lines()

    async def work() -> None:
        async with supervised(plan, sink=sink, options=OPTIONS):
            await until(lambda: sink.of("a", "stdout") == [str(2**20)])

    run(work())


@pytest.mark.parametrize("forkable", [True, False], ids=["forked", "cold"])
@pytest.mark.parametrize(
    ("env", "cause"),
    [
        ({"COLOUR": "re\0d"}, "the variable COLOUR has a NUL"),
        ({"A=B": "c"}, "'A=B' cannot be the name of a variable"),
    ],
)
def test_a_variable_that_cannot_be_fails_its_pea_alone(
    folder: Path, env: dict[str, str], cause: str, forkable: bool
) -> None:
    bad = a_pea(folder, "a", env=env, forkable=forkable, restart=Restart.NO)
    plan, sink = a_plan(folder, bad, a_pea(folder, "b")), Lines()

    async def work() -> None:
        flow = Supervisor(plan, sink=sink, options=Options(recipe=RECIPE, exit_on=ExitOn.NONE))
        flow.start()
        await until(lambda: f"failed: cannot be started: {cause}" in sink.of("a"))
        await until(lambda: any(text.startswith("started, pid") for text in sink.of("b")))
        await flow.stop()

    run(work())


def test_a_flow_that_is_not_ready_in_time_says_how_far_it_got(folder: Path) -> None:
    plan = a_plan(folder, a_pea(folder, "a", ["say phase init", "hang"]), a_pea(folder, "b"))
    options = Options(recipe=RECIPE, ready_within_s=1.0)

    async def work() -> None:
        async with supervised(plan, options=options):
            pytest.fail("it is never ready")

    with pytest.raises(TimedOut) as caught:
        run(work())
    assert str(caught.value) == ("not ready after 1 s: a is still in init: see --timeout-ready")


def test_a_pea_that_is_not_ready_in_time_is_killed(folder: Path) -> None:
    steps = ["ignore SIGTERM", "say phase init", "hang"]
    plan = a_plan(folder, a_pea(folder, "a", steps, ready_within_s=0.5))

    async def work() -> None:
        async with supervised(plan, options=OPTIONS):
            pytest.fail("it is never ready")

    with pytest.raises(TimedOut, match=r"^a: not ready after 0\.5 s, still in init: give it more"):
        run(work())


def test_a_failure_ends_the_block_that_uses_the_flow(folder: Path) -> None:
    plan = a_plan(folder, a_pea(folder, "a", restart=Restart.NO))

    async def work() -> None:
        async with supervised(plan, options=OPTIONS):
            os.kill(pids(folder)["a"], signal.SIGKILL)
            await asyncio.Event().wait()

    with pytest.raises(PodFailed, match=r"^a: killed by SIGKILL$"):
        run(work())


def test_with_keep_going_the_others_go_on(folder: Path) -> None:
    sink = Lines()
    plan = a_plan(folder, a_pea(folder, "a", restart=Restart.NO), a_pea(folder, "b"))

    async def work() -> None:
        options = Options(recipe=RECIPE, exit_on=ExitOn.NONE)
        flow = Supervisor(plan, sink=sink, options=options)
        flow.start()
        assert await flow.ready()
        os.kill(pids(folder)["a"], signal.SIGKILL)
        await until(lambda: "failed: killed by SIGKILL" in sink.of("a"))
        assert not flow.is_over
        await flow.stop()

    run(work())


@pytest.mark.parametrize(
    ("signum", "outcome"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)]
)
def test_a_signal_cancels_the_block_and_stops_the_flow(
    folder: Path, signum: int, outcome: type[BaseException]
) -> None:
    running: dict[str, int] = {}

    async def work() -> None:
        async with supervised(a_plan(folder, a_pea(folder, "a")), options=OPTIONS):
            running.update(pids(folder))
            os.kill(os.getpid(), signum)
            await asyncio.Event().wait()

    with pytest.raises(outcome):
        run(work())
    assert not any(is_alive(pid) for pid in running.values())


def stopping(plan: Plan, grace_s: float = 30.0) -> tuple[Lines, tuple[str, ...]]:
    """Run a plan, stop it as soon as it is ready, and return who had to be killed."""
    sink, killed = Lines(), []

    async def work() -> None:
        options = Options(recipe=RECIPE, grace_s=grace_s)
        flow = Supervisor(plan, sink=sink, options=options)
        flow.start()
        assert await flow.ready()
        flow.request_stop()
        killed.extend((await flow.wait()).killed)
        await flow.close()

    run(work())
    return sink, tuple(killed)


def test_the_gateway_goes_first_and_needs_go_last(folder: Path) -> None:
    order = folder / "order"

    def ends(name: str) -> list[str]:
        return ["say ready", "serve", f"write {order} {name}"]

    plan = a_plan(
        folder,
        a_pea(folder, "first", ends("first")),
        a_pea(folder, "second", ends("second"), needs=("first",)),
        a_pea(folder, "third", ends("third"), needs=("second",)),
        gateway_does=ends("gateway"),
    )

    assert stopping(plan)[1] == ()
    assert order.read_text().split() == ["gateway", "third", "second", "first"]


def test_one_that_ignores_sigterm_is_killed_at_its_time(folder: Path) -> None:
    steps = ["ignore SIGTERM", "say ready", "hang"]
    plan = a_plan(folder, a_pea(folder, "a", steps, stop_within_s=0.3))

    assert stopping(plan)[1] == ("a",)


def test_what_is_left_at_the_end_of_grace_is_killed(folder: Path) -> None:
    steps = ["ignore SIGTERM", "say ready", "hang"]
    plan = a_plan(folder, a_pea(folder, "a", steps), a_pea(folder, "b", steps))

    assert stopping(plan, grace_s=0.3)[1] == ("a", "b")


def test_a_port_that_is_taken_is_named_with_its_holder(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for protocol in (Protocol.HTTP, Protocol.GRPC):
            listener = Listener(protocol=protocol, host="127.0.0.1", port=port)
            plan = a_plan(folder, a_pea(folder, "a"), listeners=[listener])

            async def work(plan: Plan = plan) -> None:
                async with supervised(plan, options=OPTIONS):
                    pytest.fail("it is never ready")

            with pytest.raises(Unreachable) as caught:
                run(work())
            name = Path("/proc/self/comm").read_text().strip()
            assert str(caught.value) == (
                f"port {port} is taken by {name} (pid {os.getpid()}): "
                "stop it, or take another port with --port"
            )
    assert not (folder / "run").exists()


def test_the_same_flow_runs_once(folder: Path) -> None:
    plan = a_plan(folder, a_pea(folder, "a"))

    async def work() -> None:
        async with supervised(plan, options=OPTIONS):
            second = Supervisor(plan, sink=Lines(), options=OPTIONS)
            with pytest.raises(Unreachable, match=rf"already runs .* \(pid {os.getpid()}\)"):
                second.start()
            await second.close()
            assert set(pids(folder)) == {"gateway", "a", "spawner"}

    run(work())


def test_a_spawner_that_dies_is_replaced(folder: Path) -> None:
    plan, sink = a_plan(folder, a_pea(folder, "a"), a_pea(folder, "b")), Lines()

    async def work() -> None:
        async with supervised(plan, sink=sink, options=OPTIONS):
            before = pids(folder)
            os.kill(before["spawner"], signal.SIGKILL)
            await until(lambda: all("ready again" in sink.of(name) for name in "ab"))
            assert not any(is_alive(before[name]) for name in ("a", "b", "spawner"))
            assert is_alive(before["gateway"])

    run(work())


def test_peas_start_from_nothing_where_the_spawner_cannot(folder: Path) -> None:
    options = Options(recipe=replace(RECIPE, preload=("no_such_module",)))
    plan, sink = a_plan(folder, a_pea(folder, "a")), Lines()

    async def work() -> None:
        async with supervised(plan, sink=sink, options=options):
            assert (folder / "run" / "a.pid.json").exists()

    run(work())
    assert "ModuleNotFoundError: No module named 'no_such_module'" in sink.of("spawner")


def test_a_flood_neither_blocks_the_flow_nor_stays_in_memory(folder: Path) -> None:
    steps = ["flood 60000", "print done", "say ready", "serve"]
    plan, sink = a_plan(folder, a_pea(folder, "a", steps)), Lines()

    async def work() -> None:
        async with supervised(plan, sink=sink, options=OPTIONS):
            pass

    run(work())
    assert len(sink.of("a", "stdout")) <= 60001
