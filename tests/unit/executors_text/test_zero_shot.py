"""Labels of text by what the labels say."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import TextColumn
from jina_cli.executors.calls import Call
from jina_cli.executors.classifiers.zero_shot import ZeroShotClassifier
from jina_cli.executors.creation import Surroundings, create
from jina_cli.executors.handlers import handlers_of
from tests.testing.text_networks import text_model

pytest.importorskip("onnxruntime")
pytest.importorskip("tokenizers")

HALF = np.sqrt(0.5)


def made(tmp_path: Path, **options: Any) -> ZeroShotClassifier:
    model = str(text_model(tmp_path / "model"))
    return create(ZeroShotClassifier, {"model": model, **options}, Surroundings())


def test_every_label_has_its_similarity(tmp_path: Path) -> None:
    with made(tmp_path, labels=["red", "green"]) as classifier:
        said = classifier.predict(["red green", "blue", " "])

    assert said[0] == pytest.approx({"red": HALF, "green": HALF})
    assert said[1:] == [{"red": 0, "green": 0}, None]


def test_a_label_may_say_what_is_meant_by_it(tmp_path: Path) -> None:
    with made(tmp_path, labels={"warm": "red", "cold": "blue"}, template="green {}") as classifier:
        (said,) = classifier.predict(["red"])

    assert said == pytest.approx({"warm": HALF, "cold": 0})


def test_text_that_is_too_far_from_all_labels_gets_none(tmp_path: Path) -> None:
    with made(tmp_path, labels=["red"], threshold=0.9) as classifier:
        assert classifier.predict(["red green"]) == [None]


def test_the_label_goes_to_the_tags(tmp_path: Path) -> None:
    docs = DocumentBatch(["a", "b"], {"text": TextColumn(["blue", "red"])})

    with made(tmp_path, labels=["red", "blue"], into="colour") as classifier:
        done = asyncio.run(handlers_of(classifier)["/index"](Call(docs=docs)))

    assert [tags["colour"] for tags in done.docs.values("tags")] == ["blue", "red"]
    assert done.docs.values("tags")[0]["colour_score"] == pytest.approx(1)


@pytest.mark.parametrize("options", [{"labels": []}, {"labels": ["a"], "template": "about"}])
def test_labels_and_a_place_for_them_are_needed(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="there must be labels"):
        made(tmp_path, **options)
