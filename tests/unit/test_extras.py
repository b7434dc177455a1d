"""Optional libraries: there, not there, and broken."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from jina_cli.errors import MissingExtra
from jina_cli.extras import MissingLibrary, bring, need


def test_a_module_that_is_installed_is_returned() -> None:
    assert need("json", "neural") is json


def test_a_module_that_is_not_installed_names_the_extra_that_brings_it() -> None:
    with pytest.raises(MissingExtra) as caught:
        need("no_such_library.inner", "neural", what="TextEncoder")

    assert str(caught.value) == "TextEncoder needs the extra 'neural': pip install 'jina[neural]'"


def test_who_needs_it_need_not_be_said() -> None:
    with pytest.raises(MissingExtra, match="what uses 'no_such_library' needs the extra 'ann'"):
        need("no_such_library.inner", "ann")


def test_a_library_that_users_bring_names_its_package() -> None:
    with pytest.raises(MissingLibrary) as caught:
        bring("no_such_library", "no-such-library", what="WordLlamaEncoder")

    assert str(caught.value) == (
        "WordLlamaEncoder needs the package 'no-such-library': pip install no-such-library"
    )


def test_a_library_that_is_there_and_broken_says_what_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_library.py").write_text("import absent_dependency\n", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))

    with pytest.raises(ModuleNotFoundError, match="absent_dependency"):
        need("broken_library", "neural")

    sys.modules.pop("broken_library", None)
