"""Where classes are, so that other processes can import them."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from jina_cli.diagnostics import Span
from jina_cli.executors.indexers.text import TextIndexer
from jina_cli.orchestrate.places import NotImportable, caller, folder_of, name_of_class


class AtTheTop: ...


class Outer:
    class Inner: ...


def a_class_in_here() -> type:
    class Local: ...

    return Local


def test_a_class_of_the_users_is_named_by_its_file() -> None:
    assert name_of_class(AtTheTop) == f"{Path(__file__).resolve()}:AtTheTop"


def test_a_class_that_is_installed_is_named_by_its_module() -> None:
    assert name_of_class(TextIndexer) == "jina_cli.executors.indexers.text:TextIndexer"


def test_a_class_of_the_program_itself_is_named_by_the_programs_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "app.py").write_text("")
    module = ModuleType("__main__")
    module.__file__ = str(tmp_path / "app.py")
    monkeypatch.setitem(sys.modules, "__main__", module)

    assert name_of_class(type("Mine", (), {"__module__": "__main__"})) == f"{tmp_path}/app.py:Mine"


def test_a_class_that_was_typed_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))

    with pytest.raises(NotImportable) as raised:
        name_of_class(type("Mine", (), {"__module__": "__main__"}))

    assert str(raised.value) == (
        "the class 'Mine' is typed at a prompt or into a notebook, where no other process finds "
        "it: put it into a file, and say uses='file.py:Mine'"
    )


def test_a_class_that_a_function_makes_says_which() -> None:
    with pytest.raises(NotImportable) as raised:
        name_of_class(a_class_in_here())

    assert str(raised.value) == (
        "the class 'Local' is made inside a_class_in_here(), where no other process finds it: "
        "define it at the top of its file"
    )


def test_a_class_inside_a_class_is_refused() -> None:
    with pytest.raises(NotImportable, match=r"'Outer.Inner' is defined inside another class"):
        name_of_class(Outer.Inner)


def test_the_caller_is_the_line_outside_of_the_package() -> None:
    here = caller()

    assert Path(here.path).name == "test_places.py"
    assert "here = caller()" in Path(__file__).read_text("utf-8").splitlines()[here.line - 1]


def test_what_is_typed_stands_in_the_working_directory() -> None:
    assert folder_of(Span("<stdin>", 1, 1, 2)) == Path.cwd()
