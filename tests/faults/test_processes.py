"""What may happen to the processes of a Flow; the numbers are those of the fault catalogue."""

from __future__ import annotations

import os
import random
import re
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from tests.testing.faulty import can_bind, free_port, post, started, write_flow
from tests.testing.processes import Jinas, Started, is_alive, wait_until

MOMENTS = 20
LANES = 4


def named(process: Started, name: str) -> list[int]:
    """Return the pids that the log gives for a Pea, the latest last."""
    found = re.findall(rf"^{name} *\| started, pid (\d+)$", process.stdout, re.M)
    return [int(pid) for pid in found]


def is_gone(process: Started) -> bool:
    return not process.family()


def last_line(process: Started) -> str:
    return process.stderr.strip().splitlines()[-1]


def test_02_nothing_outlives_a_flow_that_is_killed_at_any_moment(
    jina: Jinas, tmp_path: Path
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")

    def lane(number: int) -> None:
        """Start one Flow again and again, each time after it was killed."""
        dice = random.Random(seed + number)
        folder = tmp_path / str(number)
        folder.mkdir()
        flow, port = write_flow(folder), free_port()
        for moment in range(MOMENTS // LANES):
            phase = ("starting", "starting", "ready", "draining")[(number + moment) % 4]
            process = jina.start("flow", "--uses", flow, "--port", str(port), cwd=folder)
            kill_in(phase, process, dice)
            wait_until(lambda p=process: is_gone(p), 2.0, f"all gone, {number}.{moment}: {phase}")
            assert can_bind(port), (number, moment, phase)

    with ThreadPoolExecutor(LANES) as lanes:
        list(lanes.map(lane, range(LANES)))


def kill_in(phase: str, process: Started, dice: random.Random) -> None:
    """Kill a Flow somewhere in a phase."""
    if phase != "starting":
        wait_until(lambda: "ready" in process.stderr or process.code is not None, 20)
        assert process.code is None, process.stderr
    if phase == "draining":
        process.send(signal.SIGTERM)
    # The wait is the fault itself: a moment that nobody chose.
    threading.Event().wait(dice.uniform(0, 0.8 if phase == "starting" else 0.1))
    process.send(signal.SIGKILL)
    process.wait(5)


def test_03_sigterm_under_load_fails_no_accepted_request(jina: Jinas, tmp_path: Path) -> None:
    process, address = started(jina, write_flow(tmp_path, replicas=2))
    asked = threading.Event()
    results: list[object] = []
    enough = threading.Semaphore(0)

    def client() -> None:
        while True:
            try:
                results.append(post(address, "time.sleep(0.02)")["status"])
            except ConnectionRefusedError:
                return
            except OSError as error:
                # urllib wraps what refused the connection; what broke it later is a failure.
                if not isinstance(getattr(error, "reason", None), ConnectionRefusedError):
                    results.append(error)
                return
            finally:
                enough.release()
                if asked.is_set():
                    threading.Event().wait(0.01)

    clients = [threading.Thread(target=client) for _ in range(4)]
    for each in clients:
        each.start()
    for _ in range(20):
        enough.acquire()
    asked.set()
    began = time.monotonic()
    code = process.stop(signal.SIGTERM)
    took_s = time.monotonic() - began
    for each in clients:
        each.join(10)

    assert set(results) == {200}, results
    assert (code, is_gone(process)) == (0, True)
    assert took_s < 5
    assert "stopping" in last_line(process) or "draining" in last_line(process)


@pytest.mark.parametrize("presses", [2, 3])
def test_04_ctrl_c_again_ends_it_in_any_phase(jina: Jinas, tmp_path: Path, presses: int) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    # Without more presses it would take its time: nobody can hurry these Executors.
    stubborn = "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"

    def press(number: int) -> None:
        dice = random.Random(seed + number)
        folder = tmp_path / str(number)
        folder.mkdir()
        flow = write_flow(folder, init=stubborn)
        process = jina.start("flow", "--uses", flow, cwd=folder)
        wait_until(lambda: named(process, "faulty/rep-0"), 20)
        threading.Event().wait(dice.uniform(0, 0.3))
        for _ in range(presses - 1):
            process.send(signal.SIGINT)
            threading.Event().wait(0.05)
        process.send(signal.SIGINT)
        began = time.monotonic()
        code = process.wait(5)
        took_s = time.monotonic() - began

        assert code == 130, process.stderr
        assert took_s < (0.5 if presses == 3 else 3.0)
        wait_until(lambda: is_gone(process), 1.0)
        assert "Traceback" not in process.stderr

    # The second press gives them time, the third none: that one is measured undisturbed.
    with ThreadPoolExecutor(2 if presses == 2 else 1) as hands:
        list(hands.map(press, range(2)))


def test_04_the_third_ctrl_c_of_a_flow_that_serves_ends_it_at_once(
    jina: Jinas, tmp_path: Path
) -> None:
    # Other work on the machine may delay any one of them: the quickest tells what we do.
    quickest_s = float("inf")
    for number in range(3):
        folder = tmp_path / str(number)
        folder.mkdir()
        quickest_s = min(quickest_s, _third_press_s(jina, folder))
        if quickest_s <= 0.1:
            break

    print(f"gone after {quickest_s * 1000:.0f} ms")
    assert quickest_s <= 0.1


def _third_press_s(jina: Jinas, folder: Path) -> float:
    process, address = started(jina, write_flow(folder))
    mark = folder / "asked"
    hang = f"open({str(mark)!r}, 'w'); time.sleep(60)"
    hanging = threading.Thread(target=_post_quietly, args=(address, hang))
    hanging.start()
    wait_until(mark.exists)
    began = 0.0
    for press in range(3):
        began = time.monotonic()
        process.send(signal.SIGINT)
        if press < 2:
            wait_until(lambda p=press: len(process.stderr.splitlines()) >= p + 2, 5)
    code = process.wait(5)
    took_s = time.monotonic() - began

    assert code == 130
    wait_until(lambda: is_gone(process), 1.0)
    assert process.stderr.splitlines()[1:] == [
        "draining 1 request, Ctrl-C again to stop now (30 s)",
        "stopping now, Ctrl-C again to kill (2 s)",
    ]
    hanging.join(5)
    return took_s


def _post_quietly(address: str, do: str) -> None:
    try:
        post(address, do)
    except OSError:
        return


def test_05_a_child_that_ignores_sigterm_is_gone_with_its_pea(jina: Jinas, tmp_path: Path) -> None:
    child = "subprocess.Popen(['sh', '-c', 'trap \"\" TERM; while :; do sleep 1; done'])"
    process, _ = started(jina, write_flow(tmp_path, init=child))
    wait_until(lambda: [p for p in process.family() if p.name() == "sh"])

    code = process.stop(signal.SIGTERM)

    assert code == 0
    assert is_gone(process)


def test_06_grandchildren_are_gone_too_wherever_they_went(jina: Jinas, tmp_path: Path) -> None:
    init = "; ".join(
        [
            "[subprocess.Popen(['sleep', '300']) for _ in range(10)]",
            "subprocess.run('for i in 1 2 3; do (sleep 301 &) ; done', shell=True)",
            "subprocess.run('for i in 1 2 3; do (setsid sleep 302 &) ; done', shell=True)",
        ]
    )
    process, _ = started(jina, write_flow(tmp_path, init=init))
    wait_until(lambda: len([p for p in process.family() if p.name() == "sleep"]) == 16)

    code = process.stop(signal.SIGTERM)

    assert code == 0
    assert is_gone(process)


def test_07_a_pea_killed_by_hand_comes_back_while_requests_go_on(
    jina: Jinas, tmp_path: Path
) -> None:
    process, address = started(jina, write_flow(tmp_path))
    first = named(process, "faulty/rep-0")[0]
    statuses: list[int] = []

    os.kill(first, signal.SIGKILL)
    # /search is safe to send twice, so no client notices.
    statuses.extend(post(address, endpoint="/search")["status"] for _ in range(20))
    wait_until(lambda: "faulty/rep-0 | ready again" in process.stdout)

    assert set(statuses) == {200}
    assert named(process, "faulty/rep-0")[1] != first
    assert "faulty/rep-0 | WARNING: killed by SIGKILL; restart 1 of 2 in 0.1 s" in process.stdout
    assert process.stop() == 0


@pytest.mark.parametrize(
    ("broken", "cause"),
    [
        ({"at_import": "1/0"}, r"ZeroDivisionError: division by zero \(.*/executor\.py:9\)"),
        ({"init": "1/0"}, r"ZeroDivisionError: division by zero \(.*/executor\.py:16\)"),
        ({"init": "os._exit(3)"}, r"ended with exit code 3, after 2 restarts"),
        ({"init": "os.kill(os.getpid(), 11)"}, r"killed by SIGSEGV, after 2 restarts"),
    ],
    ids=["raises at import", "raises in init", "exits", "segfaults"],
)
def test_08_09_one_that_cannot_start_is_named_with_its_cause(
    jina: Jinas, tmp_path: Path, broken: dict[str, str], cause: str
) -> None:
    process = jina.start("flow", "--uses", write_flow(tmp_path, **broken))

    code = process.wait(20)

    lines = process.stderr.splitlines()
    assert code == 1
    assert re.fullmatch(rf"jina: error: (faulty|sound)/rep-0: {cause}", lines[0]), lines
    assert lines[0] == lines[-1]
    assert is_gone(process)


@pytest.mark.parametrize(
    "do", ["os._exit(3)", "os.kill(os.getpid(), 11)"], ids=["exits", "segfaults"]
)
def test_09_one_that_dies_of_a_request_takes_no_other_along(
    jina: Jinas, tmp_path: Path, do: str
) -> None:
    process, address = started(jina, write_flow(tmp_path, replicas=2))

    answer = post(address, do)
    after = [post(address)["status"] for _ in range(10)]

    assert answer["status"] == 503
    assert answer["pod"] == "faulty"
    assert after == [200] * 10
    wait_until(lambda: "ready again" in process.stdout)
    assert process.stop() == 0


def test_09_an_error_in_a_request_is_told_and_changes_nothing(jina: Jinas, tmp_path: Path) -> None:
    process, address = started(jina, write_flow(tmp_path))

    answer = post(address, "raise ValueError('boom')")

    assert answer["status"] == 500
    assert "faulty" in answer["detail"]
    assert "ValueError: boom" in answer["detail"]
    assert post(address)["status"] == 200
    assert len(named(process, "faulty/rep-0")) == 1
    assert process.stop() == 0


def test_10_one_that_hangs_while_it_starts_is_given_up(jina: Jinas, tmp_path: Path) -> None:
    flow = write_flow(tmp_path, init="time.sleep(3600)")
    process = jina.start("flow", "--uses", flow, "--timeout-ready", "2s")

    code = process.wait(10)

    assert code == 75
    assert "not ready after 2 s: " in last_line(process)
    assert "faulty/rep-0 is still in init" in last_line(process)
    assert is_gone(process)


@pytest.mark.parametrize("where", ["a request", "close"])
def test_10_one_that_hangs_is_killed_at_the_end_of_grace(
    jina: Jinas, tmp_path: Path, where: str
) -> None:
    mark = tmp_path / "asked"
    hang = f"open({str(mark)!r}, 'w'); time.sleep(3600)"
    flow = write_flow(tmp_path, close=hang if where == "close" else "")
    process, address = started(jina, flow, "--grace", "1s")
    client = threading.Thread(target=_post_quietly, args=(address, hang))
    if where == "a request":
        client.start()
        wait_until(mark.exists)
    began = time.monotonic()

    code = process.stop(signal.SIGTERM)

    assert code == 1
    assert time.monotonic() - began < 2.5
    assert is_gone(process)
    if where == "a request":
        client.join(5)


def test_14_the_same_flow_is_refused_while_it_runs(jina: Jinas, tmp_path: Path) -> None:
    flow = write_flow(tmp_path)
    process, _ = started(jina, flow)

    second = jina.start("flow", "--uses", flow)

    assert second.wait(10) == 69
    assert last_line(second) == (
        f"jina: error: Flow 'flow' already runs with this workspace (pid {process.pid}): "
        "stop it, or take another --workspace"
    )
    assert process.stop() == 0


def test_26_a_port_that_is_taken_is_told_with_its_holder(jina: Jinas, tmp_path: Path) -> None:
    first, address = started(jina, write_flow(tmp_path))
    port = address.rpartition(":")[2]
    other = tmp_path / "other"
    other.mkdir()

    second = jina.start("flow", "--uses", write_flow(other), "--port", port, cwd=other)

    assert second.wait(10) == 69
    assert re.fullmatch(
        rf"jina: error: port {port} is taken by \S+ \(pid \d+\): "
        r"stop it, or take another port with --port\n",
        second.stderr,
    ), second.stderr
    assert first.stop() == 0


def test_47_output_without_end_holds_up_nobody(jina: Jinas, tmp_path: Path) -> None:
    process, address = started(jina, write_flow(tmp_path))

    answer = post(address, "[os.write(1, b'x' * 60000) for _ in range(1000)]")

    assert answer["status"] == 200
    assert psutil.Process(process.pid).memory_info().rss < 80 * 2**20
    assert process.stop() == 0
    assert max(map(len, process.stdout.splitlines())) < 20_000


def test_a_pea_is_known_by_its_log_and_all_of_them_are_alive(jina: Jinas, tmp_path: Path) -> None:
    process, _ = started(jina, write_flow(tmp_path, replicas=2))

    names: list[Callable[[], list[int]]] = [
        lambda n=n: named(process, n)
        for n in ("gateway", "sound/rep-0", "faulty/rep-0", "faulty/rep-1")
    ]

    assert all(is_alive(wait_until(pids)[0]) for pids in names)
    assert process.stop() == 0
