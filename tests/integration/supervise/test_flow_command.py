"""`jina flow` as scripts and people meet it: streams, options, signals, exit codes."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.testing.faulty import post, started, write_flow
from tests.testing.processes import MARK, Jinas, kill_marked, wait_until


@pytest.fixture
def jina(tmp_path: Path) -> Iterator[Jinas]:
    with Jinas(tmp_path) as jinas:
        yield jinas


def test_logs_are_on_stdout_and_all_else_is_on_stderr(jina: Jinas, tmp_path: Path) -> None:
    process, _ = started(jina, write_flow(tmp_path, init="print('loaded')"))

    code = process.stop(signal.SIGTERM)

    assert code == 0
    assert re.fullmatch(
        r"ready in \d+\.\d s: http://0\.0\.0\.0:\d+\n"
        r"stopping, Ctrl-C again to stop now \(30 s\)\n",
        process.stderr,
    )
    assert "faulty/rep-0 | loaded\n" in process.stdout
    assert "\x1b" not in process.stdout + process.stderr


def test_the_idle_parent_is_small(jina: Jinas, tmp_path: Path) -> None:
    process, _ = started(jina, write_flow(tmp_path, replicas=2))

    parent = psutil.Process(process.pid)

    assert parent.memory_info().rss <= 35 * 2**20
    assert process.stop() == 0


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGHUP, 0)])
def test_a_signal_drains_and_says_so_by_its_exit_code(
    jina: Jinas, tmp_path: Path, signum: int, code: int
) -> None:
    process, _ = started(jina, write_flow(tmp_path))

    assert process.stop(signum) == code
    assert not process.family()


def test_a_flow_that_ignores_hangups_goes_on_after_one(jina: Jinas, tmp_path: Path) -> None:
    nohup = f"import os, signal, sys; signal.signal({int(signal.SIGHUP)}, signal.SIG_IGN); "
    execute = "os.execv(sys.executable, [sys.executable, '-m', 'jina_cli', *sys.argv[1:]])"
    flow = write_flow(tmp_path)
    process = jina.start_python("-c", nohup + execute, "flow", "--uses", flow)
    found = wait_until(lambda: re.search(r"http://\S+", process.stderr), 20)

    process.send(signal.SIGHUP)
    process.send(signal.SIGQUIT)
    wait_until(lambda: "flow ready" in process.stdout)

    assert post(found[0].replace("0.0.0.0", "127.0.0.1"))["status"] == 200
    assert process.stop(signal.SIGTERM) == 0


def test_sigterm_while_it_starts_is_no_failure(jina: Jinas, tmp_path: Path) -> None:
    process = jina.start("flow", "--uses", write_flow(tmp_path, init="time.sleep(60)"))
    wait_until(lambda: "faulty/rep-0 | started" in process.stdout, 20)

    assert process.stop(signal.SIGTERM) == 0
    assert not process.family()


def test_ready_is_told_on_a_descriptor(jina: Jinas, tmp_path: Path) -> None:
    read_end, write_end = os.pipe()
    os.set_inheritable(write_end, True)
    mark = "ready-fd"
    command = [sys.executable, "-m", "jina_cli", "flow", "--uses", write_flow(tmp_path)]
    process = subprocess.Popen(
        [*command, "--ready-fd", str(write_end), "-q", "--protocol", "http", "--protocol", "grpc"],
        pass_fds=[write_end],
        env={**jina.environ, MARK: mark},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
    )
    try:
        os.close(write_end)
        assert select.select([read_end], [], [], 20)[0]
        told = json.loads(os.read(read_end, 4096))
        # Whoever reads to the end is not kept waiting: no child has it open.
        assert os.read(read_end, 4096) == b""
        process.terminate()
        _, stderr = process.communicate(timeout=10)
    finally:
        kill_marked(mark)
        process.wait()
        os.close(read_end)

    assert (told["schema"], told["flow"], told["pid"]) == ("jina.ready/1", "flow", process.pid)
    assert {"http", "grpc"} <= set(told["addresses"])
    assert stderr == b""


def test_json_logs_have_one_schema(jina: Jinas, tmp_path: Path) -> None:
    flow = write_flow(tmp_path, init="print('loaded')")
    process, address = started(jina, flow, "--log-format", "json")
    post(address, "raise ValueError('boom')")
    wait_until(lambda: "boom" in process.stdout)
    process.stop()

    lines = [json.loads(line) for line in process.stdout.splitlines()]

    assert {line["schema"] for line in lines} == {"jina.log/1"}
    assert len({tuple(line) for line in lines}) == 1
    assert {"flow", "stdout", "log"} == {line["stream"] for line in lines}
    assert {"loaded"} == {x["message"] for x in lines if x["stream"] == "stdout"}


def test_only_the_logs_of_some_pods_are_shown_and_all_are_kept(jina: Jinas, tmp_path: Path) -> None:
    flow, logs = write_flow(tmp_path, init="print('loaded')"), tmp_path / "logs"
    options = ("--attach", "faulty", "--no-log-prefix", "--log-dir", str(logs))
    process, _ = started(jina, flow, *options)
    process.send(signal.SIGQUIT)
    wait_until(lambda: "faulty/rep-0 ready" in process.stdout)
    (logs / "faulty.rep-0.log").rename(logs / "moved")
    process.send(signal.SIGUSR1)
    process.stop()

    shown = process.stdout.splitlines()

    assert [re.sub(r"\d+", "N", line) for line in shown] == [
        "started, pid N",
        "loaded",
        "flow ready",
        "gateway ready, pid N, attempt N",
        "sound/rep-N ready, pid N, attempt N",
        "faulty/rep-N ready, pid N, attempt N",
    ]
    assert " INFO started, pid " in (logs / "sound.rep-0.log").read_text()
    assert (logs / "moved").read_text().endswith(" loaded\n")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--exit-on", "first"), 1),
        (("--exit-on", "first", "--exit-code-from", "faulty"), 7),
    ],
)
def test_the_first_end_can_end_all(
    jina: Jinas, tmp_path: Path, options: tuple[str, ...], code: int
) -> None:
    process, address = started(jina, write_flow(tmp_path), *options)

    post(address, "os._exit(7)")

    assert process.wait(10) == code
    assert ("jina: error: faulty/rep-0: ended with exit code 7" in process.stderr) is (code == 1)


def test_variables_reach_the_yaml_and_the_processes(jina: Jinas, tmp_path: Path) -> None:
    flow = write_flow(tmp_path, init="print(os.environ['COLOUR'], os.environ['SIZE'])")
    flow.write_text(flow.read_text().replace("name: sound", "name: ${{ ENV.NAME }}"))
    options = ("--env", "COLOUR=red=dark", "--env", "SIZE:large", "--env", "NAME=given")

    process, _ = started(jina, flow, *options)
    wait_until(lambda: "faulty/rep-0 | red=dark large" in process.stdout)

    assert "given/rep-0 | started" in process.stdout
    assert process.stop() == 0


def test_a_dry_run_starts_nothing(jina: Jinas, tmp_path: Path) -> None:
    done = jina.run("flow", "--uses", write_flow(tmp_path), "--dry-run", "--port", "8080")

    assert (done.code, done.stderr) == (0, "")
    assert "gateway               http 0.0.0.0:8080" in done.stdout
    assert re.search(
        rf"^  logs +{tmp_path}/state/jina/logs/default/flow-\w{{12}}$", done.stdout, re.M
    )
    assert list(jina.run_dir.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--grace", "soon"), "--grace is 'soon', not a time: write it as 90s or 2m"),
        (("--attach", "encode"), "--attach: no Pod 'encode': one of faulty, gateway, sound"),
        (("--ready-fd", "77"), "--ready-fd 77 is not open: see jina flow --help"),
        (("--env", "COLOUR"), "--env is 'COLOUR', not NAME=VALUE: see jina flow --help"),
    ],
)
def test_a_wrong_option_is_told(
    jina: Jinas, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    done = jina.run("flow", "--uses", write_flow(tmp_path), *options)

    assert (done.code, done.stdout, done.stderr) == (2, "", f"jina: error: {message}\n")


def test_on_a_terminal_names_are_aligned_and_coloured_and_the_end_is_quick(
    jina: Jinas, tmp_path: Path
) -> None:
    flow, mark = write_flow(tmp_path), "terminal"
    ours, theirs = pty.openpty()
    environ = {**jina.environ, MARK: mark, "TERM": "xterm"}
    environ.pop("NO_COLOR", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "jina_cli", "flow", "--uses", str(flow)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environ,
        cwd=tmp_path,
        start_new_session=True,
    )
    shown = bytearray()

    def read() -> bytes:
        while select.select([ours], [], [], 0)[0]:
            try:
                shown.extend(os.read(ours, 4096))
            except OSError:
                break
        return bytes(shown)

    try:
        os.close(theirs)
        wait_until(lambda: b"ready in" in read(), 20)
        process.send_signal(signal.SIGINT)
        wait_until(lambda: read() is not None and process.poll() is not None, 0.9)
    finally:
        kill_marked(mark)
        process.wait()
        read()
        os.close(ours)

    assert process.returncode == 130
    assert re.search(rb"\x1b\[36mgateway      \|\x1b\[0m started", shown)
    assert re.search(rb"\x1b\[32mfaulty/rep-0 \|\x1b\[0m started", shown)


def test_a_reader_that_leaves_does_not_end_the_flow(jina: Jinas, tmp_path: Path) -> None:
    mark = "reader"
    process = subprocess.Popen(
        [sys.executable, "-m", "jina_cli", "flow", "--uses", str(write_flow(tmp_path))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**jina.environ, MARK: mark},
        cwd=tmp_path,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        process.stdout.readline()
        process.stdout.close()
        ready = process.stderr.readline().decode()
        address = ready.split()[-1].replace("0.0.0.0", "127.0.0.1")
        assert post(address, "print('nobody reads this')")["status"] == 200
        process.terminate()
        code = process.wait(10)
        rest = process.stderr.read().decode()
    finally:
        kill_marked(mark)
        process.wait()
        process.stderr.close()

    assert code == 0
    assert rest == "stopping, Ctrl-C again to stop now (30 s)\n"
