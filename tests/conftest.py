"""Tests see the same environment everywhere."""

from __future__ import annotations

import os

import pytest

_SAY_SOMETHING_TO_US = ("CI", "GITHUB_ACTIONS", "NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take out of the environment what the command line obeys; a test sets what it means."""
    for name in list(os.environ):
        if name in _SAY_SOMETHING_TO_US or name.startswith("JINA_"):
            monkeypatch.delenv(name)
