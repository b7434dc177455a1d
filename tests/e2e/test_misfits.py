"""A Flow whose Executors cannot fit ends before it is ready, and says why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.testing.processes import Jinas

EXECUTORS = """\
from docarray import BaseDoc, DocList
from docarray.typing import NdArray
from jina import Executor, requests

class Text(BaseDoc):
    text: str

class Vector(BaseDoc):
    embedding: NdArray[4]

class Reader(Executor):
    @requests(on='/index')
    def read(self, docs: DocList[Text], **kwargs) -> DocList[Text]:
        return docs

class Finder(Executor):
    @requests(on='/index')
    def keep(self, docs: DocList[Vector], **kwargs) -> DocList[Vector]:
        return docs
"""
FLOW = """\
jtype: Flow
gateway: {host: 127.0.0.1, port: 0}
executors:
  - {name: reader, uses: Reader, py_modules: [mine.py]}
  - {name: finder, uses: Finder, py_modules: [mine.py]}
"""


@pytest.fixture
def jina(tmp_path: Path) -> Iterator[Jinas]:
    with Jinas(tmp_path) as jinas:
        yield jinas


def test_both_pods_the_endpoint_and_the_field_are_in_one_line(jina: Jinas, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(EXECUTORS)
    (tmp_path / "f.yml").write_text(FLOW)

    done = jina.run("flow", "--uses", "f.yml")

    assert done.code == 1
    assert (
        "reader and finder do not fit on /index:"
        " Vector needs the field 'embedding', and Text has none" in done.stderr
    )
    assert "ready in" not in done.stderr
