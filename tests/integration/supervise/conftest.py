from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.testing.flows import ROOT, short_folder


@pytest.fixture
def folder() -> Iterator[Path]:
    with short_folder() as path:
        yield path


@pytest.fixture(autouse=True)
def _children_find_the_standin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
