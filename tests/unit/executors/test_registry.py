"""From `uses` and `py_modules` to a class."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from jina_cli.errors import JinaError
from jina_cli.executors import jina_names
from jina_cli.executors.base import Executor, ExecutorInvalid
from jina_cli.executors.modules import ModuleMissing
from jina_cli.executors.registry import BUILT_IN, ExecutorNotFound, load, names
from jina_cli.lifeline import PEA_MARK


@dataclass(frozen=True)
class Wanted:
    uses: str
    py_modules: tuple[str, ...] = ()
    source_dir: str = ""


@pytest.fixture(autouse=True)
def own_imports() -> Iterator[None]:
    """Forget what a test imported, and where from."""
    modules, path = set(sys.modules), list(sys.path)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


Write = Callable[[str, str], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, text: str) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), "utf-8")
        return str(path)

    return write


ECHO = """
    from jina_cli.executors.base import Executor

    class Echo(Executor): ...
"""


@pytest.mark.parametrize("name", ["BaseExecutor", "Executor"])
def test_the_base_class_passes_everything_on(name: str) -> None:
    assert load(Wanted(name)) is Executor


def test_a_class_is_found_in_a_file(write: Write) -> None:
    path = write("some_echo.py", ECHO)

    assert load(Wanted(f"{path}:Echo")).__name__ == "Echo"
    assert load(Wanted("some_echo.py:Echo", source_dir=str(Path(path).parent))).__name__ == "Echo"


def test_the_only_class_of_a_file_needs_no_name(write: Write) -> None:
    assert load(Wanted(write("lonely.py", ECHO))).__name__ == "Echo"


def test_a_bare_name_is_found_in_py_modules(write: Write) -> None:
    path = write("named_echo.py", ECHO)

    assert load(Wanted("Echo", (path,))).__module__ == "named_echo"


@pytest.mark.parametrize("uses", ["dotted_pkg.inner:Echo", "dotted_pkg.inner.Echo"])
def test_a_class_is_found_by_its_dotted_name(write: Write, tmp_path: Path, uses: str) -> None:
    write("dotted_pkg/__init__.py", "")
    write("dotted_pkg/inner.py", ECHO)

    assert load(Wanted(uses, source_dir=str(tmp_path))).__name__ == "Echo"


def test_modules_beside_a_file_can_be_imported_by_name(write: Write) -> None:
    write("beside_docs.py", "NAME = 'beside'")
    path = write("uses_beside.py", "from beside_docs import NAME" + dedent(ECHO))

    assert load(Wanted("Echo", (path,))).__module__ == "uses_beside"


def test_a_file_of_a_package_may_import_from_the_package(write: Write, tmp_path: Path) -> None:
    write("my-exec/__init__.py", "")
    write("my-exec/words.py", "WORD = 'hello'")
    write("my-exec/executor.py", "from .words import WORD" + dedent(ECHO))

    cls = load(Wanted("Echo", (str(tmp_path / "my-exec" / "executor.py"),)))

    assert sys.modules[cls.__module__].WORD == "hello"


@pytest.mark.parametrize("source_dir", ["", "same_name"], ids=["outside", "inside"])
def test_a_file_may_have_the_name_of_its_package(
    write: Write, tmp_path: Path, source_dir: str
) -> None:
    name = f"same_name_{source_dir}"
    write(f"{name}/__init__.py", "")
    write(f"{name}/words.py", "WORD = 'hello'")
    path = write(f"{name}/{name}.py", "from .words import WORD" + dedent(ECHO))

    folder = tmp_path / name if source_dir else tmp_path
    cls = load(Wanted("Echo", (path,), source_dir=str(folder)))

    assert cls.__module__ == f"{name}.{name}"
    assert sys.modules[cls.__module__].WORD == "hello"


def test_a_folder_is_imported_as_a_package(write: Write, tmp_path: Path) -> None:
    write("whole_pkg/__init__.py", "from .inner import Echo")
    write("whole_pkg/inner.py", ECHO)

    assert load(Wanted("Echo", (str(tmp_path / "whole_pkg"),))).__module__ == "whole_pkg.inner"


def test_a_file_named_like_a_standard_module_hides_nothing(write: Write) -> None:
    path = write("queue.py", ECHO)

    cls = load(Wanted("Echo", (path,)))

    assert cls.__module__.startswith("queue_")
    import queue

    assert hasattr(queue, "SimpleQueue")


def test_two_files_of_one_name_do_not_mix(write: Write) -> None:
    one = load(Wanted("Echo", (write("one/executor_x.py", ECHO),)))
    two = load(Wanted("Echo", (write("two/executor_x.py", ECHO),)))

    assert one is not two


def test_a_file_with_an_error_is_not_half_imported(write: Write) -> None:
    path = write("queue.py", "1 / 0")

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            load(Wanted("Echo", (path,)))


NOT_FOUND = {
    "there is no Executor 'TextIndxer': "
    "did you mean 'TextIndexer'? searched no py_modules and what is installed": "TextIndxer",
    "there is no Executor 'Zzz': searched no py_modules and what is installed": "Zzz",
}


@pytest.mark.parametrize("message", NOT_FOUND)
def test_a_name_that_nothing_has_is_answered_with_the_nearest(message: str) -> None:
    with pytest.raises(ExecutorNotFound) as caught:
        load(Wanted(NOT_FOUND[message]))

    assert str(caught.value) == message


def test_a_class_that_a_file_lacks_is_answered_with_those_it_has(write: Write) -> None:
    path = write("has_echo.py", ECHO)

    with pytest.raises(ExecutorNotFound) as caught:
        load(Wanted(f"{path}:Ecko"))
    with pytest.raises(ExecutorNotFound) as far:
        load(Wanted(f"{path}:Zzz"))

    assert str(caught.value) == "there is no class 'Ecko' in has_echo.py: did you mean 'Echo'?"
    assert str(far.value) == "there is no class 'Zzz' in has_echo.py: its Executors: Echo"


def test_a_name_missing_in_py_modules_names_the_files(write: Write) -> None:
    path = write("has_echo.py", ECHO)

    with pytest.raises(ExecutorNotFound) as caught:
        load(Wanted("Ecko", (path,)))

    assert str(caught.value) == (
        "there is no Executor 'Ecko': "
        "did you mean 'Echo'? searched has_echo.py and what is installed"
    )


def test_a_class_that_is_no_executor_is_refused(write: Write) -> None:
    path = write("thing.py", "class Thing: ...")

    with pytest.raises(ExecutorInvalid, match=r"Thing in thing.py is not an Executor: derive"):
        load(Wanted(f"{path}:Thing"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModuleMissing, match=r"there is no file .*nowhere.py"):
        load(Wanted("Echo", ("nowhere.py",), str(tmp_path)))


def test_a_missing_module_is_told_from_one_that_misses_something(write: Write) -> None:
    path = write("needs_more.py", "import surely_not_there")

    with pytest.raises(ModuleMissing, match="there is no module 'surely_not_there'"):
        load(Wanted("surely_not_there:Echo"))
    with pytest.raises(ModuleNotFoundError, match="No module named 'surely_not_there'"):
        load(Wanted(f"{path}:Echo"))


def test_all_names_that_need_no_modules_are_known() -> None:
    assert set(BUILT_IN) <= set(names())


@pytest.mark.parametrize("name", BUILT_IN)
def test_what_is_built_in_is_there(name: str) -> None:
    assert issubclass(load(Wanted(name)), Executor)


def test_the_import_name_jina_is_ours_where_no_other_is_installed(write: Write) -> None:
    path = write(
        "as_in_jina.py",
        """
        from jina import BaseDoc, DocList, Document, DocumentArray, Executor, requests
        from jina.logging.logger import JinaLogger
        from jina.serve.executors.decorators import dynamic_batching

        class Echo(Executor):
            def __init__(self, **kwargs):
                super().__init__(**kwargs)
                self.logger = JinaLogger("mine")
                self.logger.info("made")

            @requests(on="/echo")
            def go(self, docs, **kwargs): ...
        """,
    )

    assert jina_names.install()
    assert jina_names.install()
    assert load(Wanted(f"{path}:Echo"))().requests == {"/echo": "go"}


def test_a_flow_may_be_made_beside_an_executor_but_not_started_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(PEA_MARK, "a/rep-0")
    jina_names.install()
    found: dict[str, Any] = {}
    exec("from jina import Deployment, Flow", found)

    for name in ("Flow", "Deployment"):
        with pytest.raises(JinaError, match=f"a {name} is started where an Executor is imported"):
            found[name](port=3).start()


def test_an_installed_package_may_offer_executors_by_name(write: Write, tmp_path: Path) -> None:
    write("offering.py", ECHO)
    write("offering-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: offering\nVersion: 1.0")
    write("offering-1.0.dist-info/entry_points.txt", "[jina.executors]\nOffered = offering:Echo")
    sys.path.append(str(tmp_path))

    assert load(Wanted("Offered")).__module__ == "offering"
    assert "Offered" in names()


def test_what_we_do_not_have_of_jina_is_an_import_error() -> None:
    jina_names.install()

    with pytest.raises(ImportError, match="cannot import name 'Flowchart'"):
        exec("from jina import Flowchart")
    with pytest.raises(ImportError, match=r"no jina.AsyncFlow here: use Flow\(asyncio=True\)"):
        exec("from jina import AsyncFlow")
    with pytest.raises(ModuleNotFoundError, match=r"there is no module 'jina.parsers' here"):
        exec("import jina.parsers")
    with pytest.raises(ModuleNotFoundError, match=r"'jina.jaml' here: use load_config\(\) and "):
        exec("from jina.jaml import JAML")
    with pytest.raises(ModuleNotFoundError, match=r"here: there are no Gateways of one's own: "):
        exec("from jina.serve.runtimes.gateway.http.fastapi import FastAPIBaseGateway")
    with pytest.raises(ImportError, match=r"no jina.helper.run_async here: use asyncio.run\(\)"):
        exec("from jina.helper import run_async")


def test_a_gateway_of_ones_own_may_be_imported_but_not_written() -> None:
    jina_names.install()
    found: dict[str, Any] = {}
    exec("from jina import Gateway", found)

    with pytest.raises(jina_names.NotOffered, match="Mine is a Gateway of one's own"):
        type("Mine", (found["Gateway"],), {})


@pytest.mark.parametrize("module", [name for name in jina_names._NAMES if jina_names._NAMES[name]])
def test_every_name_of_jina_stands_for_something(module: str) -> None:
    jina_names.install()

    for name in jina_names._NAMES[module]:
        assert getattr(sys.modules[module], name) is not None
