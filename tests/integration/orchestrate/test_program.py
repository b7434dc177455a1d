"""Programs that start Flows: whatever becomes of them, nothing of the Flow is left."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import psutil
import pytest

from tests.testing.processes import Jinas, Started, wait_until

HEAD = """
import os, signal, sys, threading, time
from jina_cli import Client, Deployment, Flow
from jina import Document, Executor, requests

class Mark(Executor):
    def __init__(self, mark="!", **kwargs):
        super().__init__(**kwargs)
        self.mark = "" + mark
        print("made", flush=True)

    @requests
    def go(self, docs, parameters, **kwargs):
        exec(parameters.get("do", ""))
        for doc in docs:
            doc.text += self.mark
        return docs

if __name__ == "__main__":
"""


@pytest.fixture
def jina(tmp_path: Path) -> Iterator[Jinas]:
    with Jinas(tmp_path) as jinas:
        yield jinas


def start(jina: Jinas, body: str) -> Started:
    """Start a program with the class above; `body` is what it does."""
    lines = [f"    {line}".rstrip() for line in dedent(body).strip().splitlines()]
    (jina.folder / "app.py").write_text(HEAD + "\n".join(lines) + "\n")
    return jina.start_python("app.py")


def wait_for(program: Started, text: str) -> None:
    wait_until(lambda: text in program.stdout or program.code is not None, 20, text)
    assert text in program.stdout, program.stderr


def is_gone(program: Started) -> None:
    wait_until(lambda: not program.family(), 15, "all processes to be gone")


def test_a_class_of_the_program_answers_and_its_prints_are_seen(jina: Jinas) -> None:
    program = start(
        jina,
        """
        with Flow().add(uses=Mark).add(uses="Mark", uses_with={"mark": "?"}) as flow:
            docs = flow.post("/any", [Document(text="a"), Document(text="b")])
            print([doc.text for doc in docs], flow.is_flow_ready())
            print(Client(port=flow.port).post("/", Document(text="c"))[0].text)
        """,
    )

    assert program.wait() == 0, program.stderr
    assert program.stdout.splitlines() == ["made", "made", "['a!?', 'b!?'] True", "c!?"]
    assert program.stderr == ""
    is_gone(program)


def test_an_error_of_a_request_is_raised_and_the_flow_goes_on(jina: Jinas) -> None:
    program = start(
        jina,
        """
        with Deployment(uses=Mark) as one:
            try:
                one.post("/", Document(text="a"), parameters={"do": "raise ValueError('no')"})
            except Exception as error:
                print(type(error).__name__, error)
            print(one.post("/", Document(text="a"))[0].text)
        """,
    )

    assert program.wait() == 0, program.stderr
    assert "BadServer" in program.stdout
    assert program.stdout.splitlines()[-1] == "a!"


def test_a_failed_start_raises_the_cause(jina: Jinas) -> None:
    program = start(
        jina,
        """
        try:
            with Flow(quiet=True).add(uses=Mark, name="a", uses_with={"mark": 1}):
                print("never")
        except Exception as error:
            print(type(error).__name__, error)
        """,
    )

    assert program.wait() == 0, program.stderr
    assert program.stdout.startswith("PodFailed a/rep-0: TypeError: ")
    is_gone(program)


def test_ctrl_c_in_the_block_ends_the_flow_and_comes_out(jina: Jinas) -> None:
    program = start(
        jina,
        """
        with Flow().add(uses=Mark) as flow:
            print("ready", flush=True)
            time.sleep(60)
        """,
    )
    wait_for(program, "ready")

    assert program.stop(signal.SIGINT) == -signal.SIGINT
    assert "KeyboardInterrupt" in program.stderr
    is_gone(program)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_block_waits_for_a_signal_and_returns(jina: Jinas, signum: int) -> None:
    program = start(
        jina,
        """
        with Flow().add(uses=Mark) as flow:
            print("ready", flush=True)
            flow.block()
            print("after", flush=True)
        print("end")
        """,
    )
    wait_for(program, "ready")

    assert program.stop(signum) == 0, program.stderr
    assert program.stdout.splitlines()[-2:] == ["after", "end"]
    is_gone(program)


def test_block_ends_with_an_event_of_another_thread(jina: Jinas) -> None:
    program = start(
        jina,
        """
        event = threading.Event()
        with Flow().add(uses=Mark) as flow:
            threading.Timer(0.2, event.set).start()
            flow.block(stop_event=event)
            print("after")
        """,
    )

    assert program.wait() == 0, program.stderr
    assert "after" in program.stdout


def is_ours(process: psutil.Process) -> bool:
    """Return whether a process runs our code; one that has just ended does not."""
    try:
        return "jina_cli" in " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize(
    "end",
    [
        "os._exit(3)",
        "os.kill(os.getpid(), signal.SIGKILL)",
        "sys.exit(3)",
        "raise ValueError",
        "pid = os.fork(); time.sleep(60 if pid == 0 else 0); os._exit(3)",
    ],
)
def test_a_program_that_ends_anyhow_leaves_nothing_running(jina: Jinas, end: str) -> None:
    program = start(jina, f"flow = Flow().add(uses=Mark).start()\n{end}")

    program.wait()

    wait_until(
        lambda: not any(map(is_ours, program.family())),
        15,
        "the Flow to be gone",
    )


def test_a_fork_of_the_program_does_not_stop_its_flow(jina: Jinas) -> None:
    program = start(
        jina,
        """
        with Flow().add(uses=Mark) as flow:
            pid = os.fork()
            if pid == 0:
                sys.exit(0)
            os.waitpid(pid, 0)
            print(flow.post("/", Document(text="a"))[0].text)
        """,
    )

    assert program.wait() == 0, program.stderr
    assert program.stdout.splitlines()[-1] == "a!"


def test_a_flow_that_dies_under_the_block_is_raised_when_it_is_asked(jina: Jinas) -> None:
    program = start(
        jina,
        """
        with Flow(quiet=True).add(uses=Mark, name="a", restart="no") as flow:
            try:
                flow.post("/", Document(text="a"), parameters={"do": "os._exit(7)"})
            except Exception as error:
                print("asked:", type(error).__name__)
            try:
                flow.block()
            except Exception as error:
                print("blocked:", error)
                raise SystemExit(4)
        """,
    )

    assert program.wait() == 4, program.stderr
    assert "asked: " in program.stdout
    assert "blocked: a/rep-0: " in program.stdout
    is_gone(program)


def test_a_flow_works_in_a_thread_that_ends_before_it(jina: Jinas) -> None:
    program = start(
        jina,
        """
        flow = Flow().add(uses=Mark)
        thread = threading.Thread(target=flow.start)
        thread.start()
        thread.join()
        print(flow.post("/", Document(text="a"))[0].text)
        flow.close()
        """,
    )

    assert program.wait() == 0, program.stderr
    assert program.stdout.splitlines()[-1] == "a!"


def test_a_flow_works_where_an_event_loop_runs(jina: Jinas) -> None:
    program = start(
        jina,
        """
        import asyncio

        async def main():
            with Flow().add(uses=Mark) as flow:  # as in a notebook
                print(flow.post("/", Document(text="a"))[0].text)
            async with Flow(asyncio=True).add(uses=Mark) as flow:
                async for docs in flow.post("/", Document(text="b")):
                    print(docs[0].text)

        asyncio.run(main())
        """,
    )

    assert program.wait() == 0, program.stderr
    assert [line for line in program.stdout.splitlines() if "!" in line] == ["a!", "b!"]


def test_a_program_without_the_guard_is_told_of_it(jina: Jinas) -> None:
    text = HEAD.replace('if __name__ == "__main__":', "")
    (jina.folder / "app.py").write_text(
        text + "with Flow(quiet=True).add(uses=Mark) as flow:\n    pass\n"
    )
    program = jina.start_python("app.py")

    assert program.wait() == 1
    assert "put what starts it under: if __name__ == '__main__':" in program.stderr
    is_gone(program)


def test_two_flows_of_one_file_run_beside_each_other(jina: Jinas) -> None:
    (jina.folder / "flow.yml").write_text(
        "jtype: Flow\nexecutors: [{name: a, uses: 'app.py:Mark'}]\n"
    )
    program = start(
        jina,
        """
        with Flow.load_config("flow.yml") as one, Flow.load_config("flow.yml") as two:
            print(one.port != two.port, two.post("/", Document(text="a"))[0].text)
        """,
    )

    assert program.wait() == 0, program.stderr
    assert "True a!" in program.stdout


def test_an_executor_serves_itself_until_an_event(jina: Jinas) -> None:
    program = start(
        jina,
        """
        event = threading.Event()

        def ask():
            client = Client(port=int(sys.argv[1]))
            while not client.is_flow_ready():
                time.sleep(0.05)
            print(client.post("/", Document(text="a"))[0].text)
            event.set()

        from jina.helper import random_port
        sys.argv[1:] = [str(random_port())]
        threading.Thread(target=ask).start()
        Mark.serve(port=int(sys.argv[1]), uses_with={"mark": "?"}, stop_event=event)
        print("end")
        """,
    )

    assert program.wait() == 0, program.stderr
    assert program.stdout.splitlines()[-2:] == ["a?", "end"]
    is_gone(program)
