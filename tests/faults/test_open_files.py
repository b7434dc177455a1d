"""A Flow under a limit of open files: it raises what it may, and else does not begin."""

from __future__ import annotations

import re
from pathlib import Path

from tests.testing.faulty import write_flow
from tests.testing.processes import Jinas, Started, wait_until

LIMITED = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), int(sys.argv[2])))
os.execv(sys.executable, [sys.executable, "-m", "jina_cli", *sys.argv[3:]])
"""


def limited(jina: Jinas, soft: int, hard: int, flow: Path) -> Started:
    return jina.start_python("-c", LIMITED, str(soft), str(hard), "flow", "--uses", flow)


def test_too_low_a_limit_of_open_files_is_told_in_a_line(jina: Jinas, tmp_path: Path) -> None:
    process = limited(jina, 64, 64, write_flow(tmp_path, replicas=12))

    assert process.wait(20) == 1
    assert process.stderr == (
        "jina: error: 14 processes need about 124 open files, and only 64 are allowed: "
        "raise the limit with ulimit -n\n"
    )
    assert "started" not in process.stdout
    assert not process.family()


def test_a_soft_limit_of_open_files_is_raised(jina: Jinas, tmp_path: Path) -> None:
    process = limited(jina, 32, 256, write_flow(tmp_path))

    wait_until(lambda: "ready" in process.stderr or process.code is not None, 20)

    assert re.match(r"ready in ", process.stderr), process.stderr
    assert process.stop() == 0


def test_a_run_folder_that_cannot_be_written_any_more_ends_without_a_traceback(
    jina: Jinas, tmp_path: Path
) -> None:
    process = jina.start("flow", "--uses", write_flow(tmp_path))
    wait_until(lambda: "ready" in process.stderr or process.code is not None, 20)
    record = next(jina.run_dir.rglob("flow.json"))
    record.unlink()
    record.mkdir()

    assert process.stop() == 0

    assert "Traceback" not in process.stderr + process.stdout
    assert "other commands may not find this Flow" in process.stdout
