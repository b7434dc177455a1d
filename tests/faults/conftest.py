from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.testing.processes import Jinas


@pytest.fixture
def jina(tmp_path: Path) -> Iterator[Jinas]:
    with Jinas(tmp_path) as jinas:
        yield jinas
