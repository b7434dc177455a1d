"""A short folder for sockets."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.testing.gateways import a_folder


@pytest.fixture
def folder() -> Iterator[Path]:
    path = a_folder()
    yield path
    shutil.rmtree(path)
