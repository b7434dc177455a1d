"""Sections of Markdown, and the headings they stand under."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina_cli.executors.segmenters.markdown import sections_of

GUIDE = """\
Before.

# Guide #
Hello.

## Install
### Linux
```sh
# no heading
apt install jina
```
### Mac ###
brew

Use
===
~~~
## no heading either
```
~~~
Run it.

- a list
---
After a rule.

Two lines of
heading
---
The end.
"""


def test_a_section_knows_the_headings_it_stands_under() -> None:
    sections = sections_of(GUIDE)

    assert [(section.headings, section.level) for section in sections] == [
        ((), 0),
        (("Guide",), 1),
        (("Guide", "Install"), 2),
        (("Guide", "Install", "Linux"), 3),
        (("Guide", "Install", "Mac"), 3),
        (("Use",), 1),
        (("Use", "Two lines of heading"), 2),
    ]
    assert [GUIDE[s.body : s.end].strip() for s in sections[:3]] == ["Before.", "Hello.", ""]
    assert GUIDE[sections[3].body : sections[3].end].startswith("```sh\n# no heading")
    assert GUIDE[sections[5].start :].startswith("Use\n===\n~~~")


def test_headings_below_a_level_begin_no_section() -> None:
    sections = sections_of(GUIDE, max_level=1)

    assert [section.headings for section in sections] == [(), ("Guide",), ("Use",)]


@pytest.mark.parametrize(
    "text",
    [
        "#hashtag",
        "    # code",
        "####### seven",
        "---\ntitle: x\n---\ntext",
        "> quoted\n---",
        "* * *\n---",
        "\n---\n",
        "```\n# never closed",
        "``` a`b\n",
    ],
)
def test_what_is_no_heading_begins_no_section(text: str) -> None:
    assert [section.headings for section in sections_of(text)] == [()]


def test_an_empty_text_has_no_section() -> None:
    assert sections_of("") == []


@given(st.text(st.sampled_from("#a \n\r=-`~>*\u2028"), max_size=80))
def test_sections_are_all_of_a_text(text: str) -> None:
    sections = sections_of(text)
    ends = [0, *(place for s in sections for place in (s.end, s.end))][:-1]

    assert "".join(text[s.start : s.end] for s in sections) == text
    assert [s.start for s in sections] == ends[::2]
    assert all(s.start <= s.body <= s.end for s in sections)
