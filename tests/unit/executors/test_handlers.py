"""What an endpoint's method is given, and what becomes of what it returns."""

from __future__ import annotations

import asyncio
from typing import Any, Optional

import numpy as np
import pytest
from docarray import BaseDoc, DocList, DocVec
from docarray.typing import NdArray
from pydantic import BaseModel

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import TensorColumn, TextColumn
from jina_cli.documents.document import Document
from jina_cli.drivers.base import BadParameter, BadResult, Done
from jina_cli.executors.base import (
    Crafter,
    Encoder,
    Executor,
    ExecutorInvalid,
    Surroundings,
    create,
    requests,
)
from jina_cli.executors.calls import BadDocuments, Call
from jina_cli.executors.handlers import handler_for, handlers_of


class Text(BaseDoc):
    text: str = ""


class Vector(BaseDoc):
    tensor: NdArray


class Settings(BaseModel):
    top_k: int = 3


class Every(Executor):
    """One method for each way of writing one."""

    @requests(on="/typed")
    def typed(self, docs: DocList[Text], **kwargs: Any) -> DocList[Text]:
        self.seen = [type(doc) for doc in docs]
        return DocList[Text](Text(id=doc.id, text=doc.text + "!") for doc in docs)

    @requests(on="/untyped")
    def untyped(self, docs, **kwargs):  # type: ignore[no-untyped-def]
        self.seen = [type(doc) for doc in docs]
        for doc in docs:
            doc.text += "?"

    @requests(on="/optional")
    async def optional(self, docs: Optional[DocList[Text]] = None, **kwargs: Any) -> None:  # noqa: UP045
        await asyncio.sleep(0)
        self.seen = [type(doc) for doc in docs or []]

    @requests(on="/columns")
    def columns(self, docs: DocumentBatch) -> DocumentBatch:
        return docs.with_texts(["x"] * len(docs))

    @requests(on="/looks")
    def looks(self, docs: DocumentBatch) -> None:
        self.seen = len(docs)

    @requests(on="/said")
    def said(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return {"k": parameters["k"]}

    @requests(on="/apart")
    def apart(self, docs: DocList[Text], docs_matrix: Any, docs_map: Any) -> None:
        self.seen = (len(docs), [len(part) for part in docs_matrix], sorted(docs_map))

    @requests(on="/one")
    def one(self, doc: Text, **kwargs: Any) -> Text | None:
        return Text(id=doc.id, text="one") if doc.text == "a" else None

    @requests(on="/settings")
    def settings(self, parameters: Settings) -> dict[str, Any]:
        return {"top_k": parameters.top_k}

    @requests(on="/wrong")
    def wrong(self, docs: DocumentBatch) -> int:
        return 3

    @requests(on="/vectors")
    def vectors(self, docs: DocList[Vector]) -> None: ...

    @requests(on="/stacked")
    def stacked(self, docs: DocVec[Text]) -> DocVec[Text]:
        self.seen = type(docs).__mro__
        docs.text = [text.upper() for text in docs.text]
        return docs

    @requests(on="/listed")
    def listed(self, docs: DocList[Text]) -> list[Text]:
        return list(docs)[::-1]


DOCS = DocumentBatch(["d0", "d1"], {"text": TextColumn(["a", "b"])})


@pytest.fixture
def every() -> Every:
    return create(Every, {}, Surroundings())


def run(executor: Executor, endpoint: str, docs: DocumentBatch = DOCS, **parameters: Any) -> Done:
    handler = handlers_of(executor)[endpoint]
    call = Call(docs=docs, parts=(docs,), parameters=parameters)

    async def called() -> Done:
        return await handler(call)

    return asyncio.run(called())


def test_a_method_gets_documents_of_the_type_it_names(every: Every) -> None:
    done = run(every, "/typed")

    assert every.seen == [Text, Text]
    assert done.docs.text() == ["a!", "b!"]
    assert done.docs.ids == ["d0", "d1"]


def test_without_a_type_documents_are_ours_and_may_be_changed_in_place(every: Every) -> None:
    done = run(every, "/untyped")

    assert every.seen == [Document, Document]
    assert list(done.docs.values("text")) == ["a?", "b?"]


def test_an_optional_type_of_an_asynchronous_method_is_understood(every: Every) -> None:
    run(every, "/optional")

    assert every.seen == [Text, Text]


def test_fields_that_a_type_does_not_know_are_not_lost(every: Every) -> None:
    docs = DOCS.with_columns(embedding=TensorColumn(np.ones((2, 3), np.float32)))

    done = run(every, "/typed", docs)

    assert done.docs.tensor("embedding").shape == (2, 3)


def test_columns_go_in_and_out_as_they_are(every: Every) -> None:
    assert list(run(every, "/columns").docs.values("text")) == ["x", "x"]
    assert run(every, "/looks").docs is DOCS


def test_a_dict_is_a_result_and_leaves_documents_alone(every: Every) -> None:
    done = run(every, "/said", k=3)

    assert (done.results, done.docs) == ({"k": 3}, DOCS)
    assert not handlers_of(every)["/said"].needs_docs


def test_answers_of_several_pods_come_apart(every: Every) -> None:
    other = DocumentBatch(["d2"], {"text": TextColumn(["c"])})
    merged = DocumentBatch.concat([DOCS, other])
    call = Call(docs=merged, parts=(DOCS, other), inputs=("left", "right"))

    asyncio.run(handlers_of(every)["/apart"](call))  # type: ignore[arg-type]

    assert every.seen == (3, [2, 1], ["left", "right"])


def test_one_answer_is_a_matrix_of_one(every: Every) -> None:
    run(every, "/apart")

    assert every.seen == (2, [2], [])


def test_a_method_for_one_document_is_called_for_each(every: Every) -> None:
    assert list(run(every, "/one").docs.values("text")) == ["one", "b"]


def test_a_list_of_documents_will_do(every: Every) -> None:
    assert run(every, "/listed").docs.ids == ["d1", "d0"]


def test_documents_may_come_as_a_stack_and_go_back_as_one(every: Every) -> None:
    done = run(every, "/stacked")

    assert DocVec in every.seen
    assert list(done.docs.values("text")) == ["A", "B"]


def test_parameters_may_have_a_model(every: Every) -> None:
    assert run(every, "/settings", top_k=5).results == {"top_k": 5}
    with pytest.raises(BadParameter) as caught:
        run(every, "/settings", top_k="many")

    problem, place = caught.value.args
    assert place == "parameters.top_k"
    assert str(caught.value) == problem
    assert problem.startswith("top_k: Input should be a valid integer")


def test_what_cannot_be_an_answer_is_refused(every: Every) -> None:
    with pytest.raises(BadResult) as caught:
        run(every, "/wrong")

    assert (
        str(caught.value) == "Every.wrong returned int, and must return documents, None or a dict"
    )


def test_documents_of_another_type_are_the_requests_fault(every: Every) -> None:
    with pytest.raises(BadDocuments, match=r"the documents are no Vector: .*'d0'") as caught:
        run(every, "/vectors")

    assert caught.value.args[1].startswith("data.0.")


def test_an_endpoint_that_is_not_named_goes_to_the_default() -> None:
    class Default(Executor):
        @requests
        def go(self, docs: Any) -> None: ...

        @requests(on="/a")
        def first(self, docs: Any) -> None: ...

    handlers = handlers_of(Default())

    assert handler_for(handlers, "/b") is handlers["/default"]
    assert handler_for(handlers, "/a") is handlers["/a"]
    assert handler_for(handlers_of(Every()), "/b") is None


class Ones(Encoder):
    field = "text"

    def encode(self, content: Any) -> Any:
        return np.ones((len(content), 2))


class Learning(Ones):
    async def train(self, content: Any, **parameters: Any) -> None: ...


class Upper(Crafter):
    field = "text"

    def craft(self, content: Any) -> Any:
        return [text.upper() for text in content]

    @requests(on="/lower")
    def lower(self, docs: DocumentBatch) -> DocumentBatch:
        return docs.with_texts([text.lower() for text in docs.text()])


def test_an_encoder_serves_what_its_family_serves() -> None:
    assert sorted(handlers_of(Ones())) == ["/index", "/search", "/update"]
    assert run(Ones(), "/index").docs.tensor("embedding").tolist() == [[1, 1], [1, 1]]


def test_an_encoder_that_learns_can_be_trained() -> None:
    handlers = handlers_of(Learning())

    assert handlers["/train"].is_async
    assert not handlers["/index"].is_async


def test_a_family_may_have_methods_of_its_own() -> None:
    upper = Upper()

    assert list(run(upper, "/default").docs.values("text")) == ["A", "B"]
    assert list(run(upper, "/lower", run(upper, "/default").docs).docs.values("text")) == ["a", "b"]


def test_yaml_may_give_a_familys_method_another_endpoint() -> None:
    executor = create(Ones, {}, Surroundings(requests={"/vectors": "encode"}))

    assert "embedding" in run(executor, "/vectors").docs.columns


def test_yaml_may_name_drivers() -> None:
    chain = [{"driver": "EncodeDriver", "with": {"field": "text", "into": "other"}}]
    executor = create(Ones, {}, Surroundings(requests={"/search": chain}))

    assert "other" in run(executor, "/search").docs.columns


WRONG_REQUESTS: dict[str, tuple[type[Executor], Any]] = {
    "Every.nothing is not a method": (Every, "nothing"),
    "requests of /x: there is no Driver 'EncodDriver'; did you mean 'EncodeDriver'?": (
        Every,
        ["EncodDriver"],
    ),
    "Every has no method 'encode', which EncodeDriver calls": (Every, ["EncodeDriver"]),
    "requests of /x name 3, and must name a method or a list of Drivers": (Every, 3),
}


@pytest.mark.parametrize("message", WRONG_REQUESTS)
def test_requests_that_yaml_gets_wrong_are_explained(message: str) -> None:
    cls, what = WRONG_REQUESTS[message]

    with pytest.raises(ExecutorInvalid) as caught:
        handlers_of(create(cls, {}, Surroundings(requests={"/x": what})))

    assert str(caught.value) == message


def test_an_annotation_that_means_nothing_is_named() -> None:
    class Lost(Executor):
        @requests
        def go(self, docs: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(ExecutorInvalid, match=r"Lost.go has an annotation that means nothing"):
        handlers_of(Lost())
