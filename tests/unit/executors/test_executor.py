"""What an Executor is told, and how it is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jina_cli.executors.base import (
    Executor,
    ExecutorInvalid,
    Surroundings,
    create,
    dynamic_batching,
    requests,
)
from jina_cli.executors.endpoints import Batching
from jina_cli.executors.executor import batchings_of


class Plain(Executor):
    @requests
    def go(self, docs: Any) -> None: ...


class Old(Executor):
    """As Executors are often written: everything is passed on."""

    def __init__(self, dim: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.dim = dim
        self.seen = (self.metas.name, self.runtime_args.shard_id)


class Short(Executor):
    """Neither takes what surrounds it nor calls the constructor above."""

    def __init__(self, *, dim: int = 4) -> None:
        self.dim = dim
        self.folder = self.workspace


AROUND = Surroundings(name="pod", shard_id=1, shards=2, metas={"name": "given"})


def test_an_executor_knows_its_place_whatever_its_constructor_does(tmp_path: Path) -> None:
    around = Surroundings(name="pod", workspace=str(tmp_path / "a" / "b"), shard_id=1, shards=2)

    executor = create(Short, {"dim": 8}, around)

    assert executor.dim == 8
    assert executor.folder == str(tmp_path / "a" / "b")
    assert Path(executor.folder).is_dir()
    assert (executor.name, executor.runtime_args.shards) == ("pod", 2)


def test_a_constructor_that_passes_everything_on_sees_metas_and_place() -> None:
    executor = create(Old, {"dim": 3}, AROUND)

    assert (executor.dim, executor.seen) == (3, ("given", 1))


def test_an_executor_can_be_made_by_hand() -> None:
    executor = Old(dim=3, metas={"name": "mine"}, runtime_args={"shard_id": 7})

    assert executor.seen == ("mine", 7)
    assert executor.name == "mine"


def test_in_a_workspace_given_by_hand_it_has_a_folder_by_its_name_and_shard(
    tmp_path: Path,
) -> None:
    alone = Plain(workspace=str(tmp_path))
    placed = Plain(metas={"name": "mine"}, runtime_args={"workspace": tmp_path, "shard_id": 2})

    assert alone.workspace == str(tmp_path / "Plain")
    assert placed.workspace == str(tmp_path / "mine" / "2")


def test_a_workspace_among_its_arguments_goes_before_the_one_of_its_place(tmp_path: Path) -> None:
    around = Surroundings(name="pod", workspace=str(tmp_path / "pod" / "1"), shard_id=1, shards=2)

    executor = create(Old, {"dim": 8, "workspace": str(tmp_path / "own")}, around)

    assert executor.workspace == str(tmp_path / "own" / "Old" / "1")


def test_a_folder_that_jina_made_is_used_on(tmp_path: Path) -> None:
    kept = tmp_path / "Short" / "0"
    kept.mkdir(parents=True)
    around = Surroundings(name="pod", workspace=str(tmp_path / "pod" / "0"))

    assert create(Short, {}, around).workspace == str(kept)


def test_a_folder_of_its_own_goes_before_one_that_jina_made(tmp_path: Path) -> None:
    for folder in ("Short", "pod"):
        (tmp_path / folder / "0").mkdir(parents=True)
    around = Surroundings(name="pod", workspace=str(tmp_path / "pod" / "0"))

    assert create(Short, {}, around).workspace == str(tmp_path / "pod" / "0")


def test_without_a_workspace_it_is_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    assert Plain().workspace == str(tmp_path / "jina" / "Plain")


WRONG = {
    "Short takes no argument 'dmi': it takes dim; did you mean 'dim'?": (Short, {"dmi": 3}),
    "Short takes no argument 'colour': it takes dim": (Short, {"colour": 3}),
    "Plain takes no argument 'dim': it takes none": (Plain, {"dim": 3}),
    "Old needs the argument 'dim': give it under 'uses_with'": (Old, {}),
    "Old needs the argument 'dim': give it under 'uses_with', not as 'dmi'": (Old, {"dmi": 1}),
}


@pytest.mark.parametrize("message", WRONG)
def test_wrong_keywords_are_named(message: str) -> None:
    cls, with_ = WRONG[message]

    with pytest.raises(ExecutorInvalid) as caught:
        create(cls, with_, AROUND)

    assert str(caught.value) == message


def test_what_a_constructor_raises_comes_out_as_it_is() -> None:
    class Broken(Executor):
        def __init__(self) -> None:
            raise LookupError("no such model")

    with pytest.raises(LookupError, match="no such model"):
        create(Broken, {}, AROUND)


def test_methods_are_found_by_endpoint_and_yaml_has_the_last_word() -> None:
    class Parent(Executor):
        @requests(on=["/a", "b"])
        def first(self, docs: Any) -> None: ...

    class Child(Parent):
        @requests(on="/b")
        def second(self, docs: Any) -> None: ...

        def third(self, docs: Any) -> None: ...

    executor = create(Child, {}, Surroundings(requests={"/c": "third", "/a": "second"}))

    assert executor.requests == {"/a": "second", "/b": "second", "/c": "third"}


def test_a_method_may_answer_two_decorators() -> None:
    class Both(Executor):
        @requests(on="/a")
        @requests(on="/b")
        def go(self, docs: Any) -> None: ...

    assert Both().requests == {"/a": "go", "/b": "go"}


def test_an_argument_that_nobody_gives_is_refused_when_the_class_is_defined() -> None:
    with pytest.raises(ExecutorInvalid) as caught:

        class Typo(Executor):
            @requests
            def go(self, dcs: Any) -> None: ...

    assert str(caught.value) == (
        "Typo.go asks for the argument 'dcs': "
        "there are docs, doc, parameters, docs_matrix, docs_map, tracing_context"
    )


def test_an_argument_with_a_default_is_left_alone() -> None:
    class Fine(Executor):
        @requests
        def go(self, docs: Any, limit: int = 3, *args: Any, **kwargs: Any) -> None: ...

    assert Fine().requests == {"/default": "go"}


REFUSED = {
    "Bad.go has no 'self'": "def go(): ...",
}


@pytest.mark.parametrize("message", REFUSED)
def test_methods_that_cannot_be_served_are_refused(message: str) -> None:
    source = "\n ".join(("class Bad(Executor):", "@requests", *REFUSED[message].splitlines()))

    with pytest.raises(ExecutorInvalid, match=message):
        exec(source, {"Executor": Executor, "requests": requests})


@pytest.mark.parametrize("on", ["", [], [3]])
def test_an_endpoint_must_be_named(on: Any) -> None:
    with pytest.raises(ExecutorInvalid, match="names no endpoint"):
        requests(on=on)


def test_batching_comes_from_the_decorator_or_from_yaml() -> None:
    class Batched(Executor):
        @requests(on="/a")
        @dynamic_batching(preferred_batch_size=4, timeout=50)
        def one(self, docs: Any) -> None: ...

        @requests(on="/b")
        def two(self, docs: Any) -> None: ...

    around = Surroundings(dynamic_batching={"/b": {"preferred_batch_size": 8, "timeout": 20}})

    assert batchings_of(create(Batched, {}, around)) == {
        "/a": Batching(preferred_batch_size=4, timeout_ms=50),
        "/b": Batching(preferred_batch_size=8, timeout_ms=20),
    }


def test_batching_of_no_documents_is_refused() -> None:
    around = Surroundings(dynamic_batching={"/b": {"preferred_batch_size": 0}})

    with pytest.raises(ExecutorInvalid, match="dynamic_batching of Plain on /b: preferred_batch"):
        batchings_of(create(Plain, {}, around))
