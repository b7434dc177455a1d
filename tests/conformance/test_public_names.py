"""What `import jina_cli` offers is there, and nothing is missing from its list."""

from __future__ import annotations

import pytest

import jina_cli


@pytest.mark.parametrize("name", jina_cli.__all__)
def test_a_public_name_is_importable(name: str) -> None:
    assert getattr(jina_cli, name) is not None


def test_the_list_of_public_names_is_sorted_out() -> None:
    assert len(set(jina_cli.__all__)) == len(jina_cli.__all__)
    assert set(jina_cli.__all__) <= set(dir(jina_cli))
