"""An Executor made from YAML in the program itself, as tests of Executors do."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from jina_cli.errors import InputMissing, JinaError, SpecInvalid
from jina_cli.executors.base import Executor, requests

SOURCE = """
from jina import Executor, requests

class FromFile(Executor):
    def __init__(self, dim: int = 1, **kwargs):
        super().__init__(**kwargs)
        self.dim = dim

    @requests(on="/go")
    def go(self, docs, **kwargs): ...
"""
CONFIG = """
jtype: FromFile
py_modules: [their_executor.py]
metas: {name: theirs}
with: {dim: "${{ CONTEXT.dim }}"}
"""


class Here(Executor):
    def __init__(self, dim: int, colour: str = "red", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dim = dim
        self.colour = colour

    @requests(on="/go")
    def go(self, docs: Any, **kwargs: Any) -> None: ...


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "their_executor.py").write_text(SOURCE)
    path = tmp_path / "config.yml"
    path.write_text(CONFIG)
    return path


def test_the_class_of_a_file_is_imported_and_made(config: Path) -> None:
    executor: Any = Executor.load_config(
        config,
        context={"dim": 3},
        uses_requests={"/more": "go"},
        runtime_args={"workspace": str(config.parent), "shard_id": 1},
    )

    assert (type(executor).__name__, executor.dim) == ("FromFile", 3)
    assert executor.workspace == str(config.parent / "theirs" / "1")
    assert executor.requests == {"/go": "go", "/more": "go"}


@pytest.mark.parametrize(
    "source",
    [
        "jtype: Here\nwith: {dim: 4}",
        io.StringIO("!Here\nwith: {dim: 4}"),
        {"jtype": "Here", "with": {"dim": 4}},
    ],
    ids=["text", "stream", "dict"],
)
def test_a_class_that_the_program_defines_is_meant_by_its_name(source: Any) -> None:
    executor: Any = Here.load_config(source, uses_with={"colour": "blue"})

    assert isinstance(executor, Here)
    assert (executor.dim, executor.colour) == (4, "blue")


def test_of_two_classes_of_one_name_the_later_one_is_meant() -> None:
    def make(dim: int) -> type[Executor]:
        class Twice(Executor):
            @requests
            def go(self, docs: Any) -> None: ...

        Twice.__doc__ = str(dim)
        return Twice

    classes = [make(1), make(2)]

    assert type(Executor.load_config("jtype: Twice")) is classes[1]


def test_python_files_may_be_forbidden(config: Path) -> None:
    with pytest.raises(SpecInvalid) as caught:
        Executor.load_config(config, context={"dim": 3}, allow_py_modules=False)

    assert str(caught.value) == (
        f"{config}:3:1: 'py_modules' is not allowed here: read it with allow_py_modules=True"
    )


WRONG = {
    "<yaml>:1:8: there is no Executor 'Nope': add the file that defines it under 'py_modules', "
    "or write file.py:Nope": "jtype: Nope",
    "<yaml>:1:15: 'wit' is not a key of an Executor: did you mean 'with'?": "{jtype: Here, wit: 3}",
    "<yaml>:1:1: this describes a Flow, and an Executor is needed: begin it with 'jtype:' and "
    "the name of a class": "jtype: Flow",
}


@pytest.mark.parametrize("message", WRONG)
def test_what_is_wrong_is_told_with_its_place(message: str) -> None:
    with pytest.raises(SpecInvalid) as caught:
        Executor.load_config(WRONG[message])

    assert str(caught.value) == message


def test_a_file_that_is_not_there_is_told() -> None:
    with pytest.raises(InputMissing, match=r"^there is no file 'nowhere\.yml'$"):
        Executor.load_config("nowhere.yml")


def test_what_jina_has_elsewhere_says_what_to_do() -> None:
    with pytest.raises(JinaError, match=r"^'jinaai://x/Y' is not fetched: .*: install its package"):
        Executor.from_hub("jinaai://x/Y")
    with pytest.raises(JinaError, match=r": a container of it runs 'jina executor --uses FILE'$"):
        Executor.to_docker_compose_yaml("config.yml", "out.yml")
