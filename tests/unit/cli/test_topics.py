"""What `jina explain` says of matters that are wider than one key."""

from __future__ import annotations

import re

import pytest

from jina_cli.cli.commands.explain import records_of, text_of
from jina_cli.cli.topics import TOPICS
from jina_cli.errors import NothingMatched
from jina_cli.spec.explain import explain


@pytest.mark.parametrize("name", TOPICS)
def test_a_topic_is_no_key_and_fits_a_terminal(name: str) -> None:
    (record,) = records_of(name)

    assert explain(name) == []
    assert record["topic"] == name
    assert max(map(len, text_of(record).splitlines())) <= 88


@pytest.mark.parametrize("name", TOPICS)
def test_what_a_topic_sends_to_is_there(name: str) -> None:
    for other in re.findall(r"jina explain (\w+)", TOPICS[name].text):
        assert records_of(other)


def test_the_first_words_of_the_table_of_limits_are_keys_with_these_defaults() -> None:
    for key, default in (("executors.max_queue", 256), ("gateway.prefetch", 1000)):
        assert explain(key)[0].default == default
        assert f"{key.partition('.')[2]} {default}" in TOPICS["limits"].text
    assert explain("gateway.max_message_bytes")[0].default == 64 * 2**20


def test_a_misspelt_topic_is_named() -> None:
    with pytest.raises(NothingMatched, match="did you mean 'limits'"):
        records_of("limmits")
