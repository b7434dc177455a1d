"""The tree of a plan, word for word, for one Flow of each shape."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.testing.plan_trees import FOLDER, tree_of

FLOWS = sorted(FOLDER.glob("*.yml"))


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_the_tree_of(path: Path) -> None:
    expected = path.with_suffix(".txt").read_text("utf-8")

    assert tree_of(path) == expected, "python -m tests.testing.plan_trees writes them anew"


def test_every_tree_has_its_flow() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == {path.stem for path in FLOWS}
