from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from jina_cli.errors import CannotWrite, Unreachable
from jina_cli.supervise.procfs import start_of
from jina_cli.supervise.registry import (
    Record,
    claim,
    find_running,
    log_dir_for,
    read_record,
    run_dir_for,
)


def a_record(state: str = "ready", *, is_lasting: bool = True, start: int | None = None) -> Record:
    return Record(
        pid=os.getpid(),
        start=start_of(os.getpid()) if start is None else start,
        flow="text",
        source="/flows/text.yml",
        workspace="/work",
        is_lasting=is_lasting,
        state=state,
        native="unix:/run/gateway.sock",
    )


def test_a_flow_is_known_by_its_file_and_its_workspace() -> None:
    environ = {"XDG_RUNTIME_DIR": "/run/user/7"}
    first = run_dir_for("/a/flow.yml", "/w", environ=environ)

    assert first.parent == Path("/run/user/7/jina/default")
    assert first == run_dir_for("/a/../a/flow.yml", "/w/", environ=environ)
    assert first != run_dir_for("/a/flow.yml", "/v", environ=environ)
    assert first != run_dir_for("/b/flow.yml", "/w", environ=environ)
    assert run_dir_for("/a/flow.yml", "/w", project="p", environ=environ).parent.name == "p"


@pytest.mark.parametrize("environ", [{}, {"XDG_RUNTIME_DIR": "/run/" + "long/" * 20}])
def test_sockets_go_where_their_paths_are_short_enough(environ: dict[str, str]) -> None:
    path = run_dir_for("/a/flow.yml", "/w", environ=environ)

    assert path.parent == Path(f"/tmp/jina-{os.getuid()}/default")


def test_logs_are_kept_with_the_state() -> None:
    at_home = log_dir_for("text", "/a/flow.yml", "/w", environ={"HOME": "/home/a"})
    of_project = log_dir_for(
        "text", "/a/flow.yml", "/w", project="p", environ={"XDG_STATE_HOME": "/s"}
    )

    assert at_home.parent == Path("/home/a/.local/state/jina/logs/default")
    assert of_project.parent == Path("/s/jina/logs/p")
    assert at_home.name == of_project.name
    assert at_home.name.startswith("text-")


def test_flows_of_one_name_have_folders_of_their_own_for_logs() -> None:
    places = [("/a/flow.yml", "/w"), ("/a/flow.yml", "/v"), ("/b/flow.yml", "/w")]

    assert len({log_dir_for("text", *place) for place in places}) == 3
    assert log_dir_for("text", "/a/flow.yml", "/w") == log_dir_for(
        "text", "/a/x/../flow.yml", "/w/"
    )


def test_only_its_owner_can_enter_a_run_dir(tmp_path: Path) -> None:
    run_dir = claim(tmp_path / "jina" / "default" / "key")

    assert stat.S_IMODE(run_dir.path.stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "jina").stat().st_mode) == 0o700
    run_dir.release()


def test_a_second_one_is_told_who_runs(tmp_path: Path) -> None:
    run_dir = claim(tmp_path / "key")
    run_dir.write_record(a_record())

    with pytest.raises(Unreachable) as caught:
        claim(tmp_path / "key")

    assert str(caught.value) == (
        f"Flow 'text' already runs with this workspace (pid {os.getpid()}): "
        "stop it, or take another --workspace"
    )
    run_dir.release()


def test_it_can_be_claimed_again_after_its_release(tmp_path: Path) -> None:
    claim(tmp_path / "key").release()

    claim(tmp_path / "key").release()

    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_parent_left_is_cleared_away(tmp_path: Path) -> None:
    folder = tmp_path / "key"
    folder.mkdir()
    (folder / "lock").touch()
    (folder / "gateway.sock").touch()
    (folder / "flow.json").write_text("{")
    # This process, as it was never started: somebody else has the pid by now.
    stray = {"name": "encode", "pid": os.getpid(), "start": 1}
    (folder / "encode.pid.json").write_text(json.dumps(stray))

    run_dir = claim(folder)

    assert [path.name for path in folder.iterdir()] == ["lock"]
    run_dir.release()


@pytest.mark.parametrize(
    ("record", "found"),
    [
        (a_record(), "unix:/run/gateway.sock"),
        (a_record("starting"), None),
        (a_record("draining"), None),
        (a_record(is_lasting=False), None),
        (a_record(start=1), None),
    ],
)
def test_only_a_flow_that_is_ready_and_lasts_is_found(
    record: Record,
    found: str | None,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("r")))
    run_dir = claim(run_dir_for("/a/flow.yml", "/w"))
    run_dir.write_record(record)

    assert find_running("/a/flow.yml", "/w") == found
    assert find_running("/a/flow.yml", "/v") is None
    run_dir.release()


def test_a_record_of_another_version_is_not_understood(tmp_path: Path) -> None:
    (tmp_path / "flow.json").write_text('{"schema": "jina.run/9"}')

    assert read_record(tmp_path) is None


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")

    with pytest.raises(CannotWrite, match=r"^cannot create .*/taken/key: Not a directory$"):
        claim(tmp_path / "taken" / "key")


def test_folders_above_ours_are_left_as_they_are(tmp_path: Path) -> None:
    home = tmp_path / "jina-home"
    home.mkdir(mode=0o755)

    claim(home / "run" / "jina" / "default" / "0a1b2c").release()

    assert stat.S_IMODE(home.stat().st_mode) == 0o755
    assert stat.S_IMODE((home / "run" / "jina").stat().st_mode) == 0o700
