"""YAML text → nodes with places."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from jina_cli.diagnostics import Span
from jina_cli.spec import source
from jina_cli.spec.nodes import MapNode, spans_of, to_data
from jina_cli.spec.source import Unreadable, core_scalar, decode, parse


def data_of(text: str) -> Any:
    node, problems = parse(text, "a.yml")
    assert problems == []
    assert node is not None
    return to_data(node)


def codes_of(text: str) -> list[str]:
    return [problem.code for problem in parse(text, "a.yml")[1]]


SCALARS: list[tuple[str, Any]] = [
    ("no", "no"),
    ("On", "On"),
    ("010", 10),
    ("0o17", 15),
    ("0xff", 255),
    ("12:30:45", "12:30:45"),
    ("2020-01-01", "2020-01-01"),
    ("1_000", "1_000"),
    ("+12", 12),
    (".5", 0.5),
    ("1e3", 1000.0),
    ("-.inf", float("-inf")),
    ("~", None),
    ("Null", None),
    ("TRUE", True),
    ("false", False),
    ("nope", "nope"),
    ("=", "="),
    ("9" * 400, "9" * 400),
]


@pytest.mark.parametrize(("text", "value"), SCALARS, ids=[text[:12] for text, _ in SCALARS])
def test_plain_scalars_follow_the_core_schema_of_yaml_1_2(text: str, value: Any) -> None:
    assert core_scalar(text) == value
    assert type(core_scalar(text)) is type(value)


def test_quoted_scalars_are_text() -> None:
    assert data_of("a: '1'\nb: \"true\"\nc: |\n  no\nd: ! 5\n") == {
        "a": "1",
        "b": "true",
        "c": "no\n",
        "d": "5",
    }


def test_core_tags_say_the_type() -> None:
    assert data_of("a: !!str 5\nb: !!float 5\nc: !!int '7'\nd: !!map {}\ne: !!seq []\n") == {
        "a": "5",
        "b": 5.0,
        "c": 7,
        "d": {},
        "e": [],
    }


def test_a_class_tag_is_read_as_jtype() -> None:
    assert data_of("!Flow\npods:\n  - !Encoder {}\n  - !my.Indexer\n    with: {a: 1}\n") == {
        "jtype": "Flow",
        "pods": [{"jtype": "Encoder"}, {"jtype": "my.Indexer", "with": {"a": 1}}],
    }


def test_a_class_tag_on_a_word_leaves_the_word() -> None:
    assert data_of("polling: !PollingType ANY\n") == {"polling": "ANY"}


@pytest.mark.parametrize(
    "tag",
    ["!!python/object:os.system", "!!python/name:os.system", "!!binary", "!!timestamp", "!a/b"],
)
def test_other_tags_are_refused(tag: str) -> None:
    for value in ("x", "[x]", "{x: y}"):
        assert codes_of(f"a: {tag} {value}\n") == ["JNA403"]


def test_merge_keys_give_way_to_the_mapping_s_own() -> None:
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc:\n  <<: [*a, *b]\n  x: 0\n"

    assert data_of(text)["c"] == {"x": 0, "y": 1, "z": 2}


def test_a_list_as_key_stands_for_each_of_its_words() -> None:
    assert data_of("[IndexRequest, SearchRequest]: x\n") == {
        "IndexRequest": "x",
        "SearchRequest": "x",
    }


def test_keys_are_text_as_written() -> None:
    assert data_of("1: a\non: b\n'x y': c\n") == {"1": "a", "on": "b", "x y": "c"}


def test_keys_and_items_are_located_where_they_stand() -> None:
    node, _ = parse("jtype: Flow\nexecutors:\n  - name: ü\n    needs: [a, bb]\n", "a.yml")
    assert node is not None

    spans = dict(spans_of(node))

    assert spans["/executors/0/name"] == Span("a.yml", 3, 5, 9)
    assert spans["/executors/0/needs/1"] == Span("a.yml", 4, 16, 18)


def test_an_alias_stands_where_it_is_used_and_its_parts_where_they_were_written() -> None:
    node, _ = parse("a: &x {k: 1}\nb: [*x]\n", "a.yml")
    assert node is not None

    spans = dict(spans_of(node))

    assert spans["/b/0"] == Span("a.yml", 2, 5, 7)
    assert spans["/b/0/k"].line == 1


BROKEN = {
    "a: 1\na: 2\n": "JNA402",
    "a: *b\n": "JNA410",
    "{a: b}: c\n": "JNA410",
    "<<: 5\n": "JNA410",
    "a: &a [*a]\n": "JNA404",
    "a: 1\n---\nb: 1\n": "JNA408",
    "": "JNA409",
    "# nothing\n": "JNA409",
    "---\n": "JNA409",
    "[" * 101 + "]" * 101: "JNA405",
    "a: [": "JNA401",
    "a: 'b": "JNA401",
    "a: @b": "JNA401",
    "a\nb: c": "JNA401",
    "- a\nb: c\n": "JNA401",
    'a: "\\q"': "JNA401",
    "%YAML": "JNA401",
}


@pytest.mark.parametrize("text", BROKEN)
def test_what_is_broken_is_told_once(text: str) -> None:
    assert codes_of(text) == [BROKEN[text]]


def test_depth_counts_what_an_alias_brings() -> None:
    text = "a: &a " + "[" * 60 + "]" * 60 + "\nb: " + "[" * 60 + "*a" + "]" * 60 + "\n"

    assert codes_of(text) == ["JNA405"]


def test_what_aliases_repeat_is_bounded_before_it_is_built() -> None:
    text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for n in range(1, 40):
        text += f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n"

    assert codes_of(text) == ["JNA404"]


@pytest.mark.parametrize(
    ("data", "code", "place"),
    [
        ("a: ü".encode("utf-16"), "JNA407", (1, 1)),
        ("a: 1\nb: ü".encode("latin-1"), "JNA407", (2, 4)),
        (b"a: 1\nb: \x00", "JNA407", (2, 4)),
        (b"a: \x1b[31m", "JNA407", (1, 4)),
    ],
)
def test_bytes_that_are_no_text_are_refused_at_their_place(
    data: bytes, code: str, place: tuple[int, int]
) -> None:
    with pytest.raises(Unreadable) as caught:
        decode(data, "a.yml")

    found = caught.value.diagnostic
    assert (found.code, (found.span.line, found.span.column)) == (code, place)


def test_a_large_file_is_not_even_decoded() -> None:
    with pytest.raises(Unreadable) as caught:
        decode(b"\xff" * (source.MAX_BYTES + 1), "a.yml")

    assert caught.value.diagnostic.message == "the file has more than 16 MiB, and no more are read"


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert decode(b"\xef\xbb\xbfa: 1", "a.yml") == "a: 1"


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.text("abc: #'\"[]\n-no01é", max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abcé", min_size=1), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text("abc", min_size=1, max_size=4), PLAIN, min_size=1, max_size=4))
def test_whatever_is_dumped_is_read_back(data: dict[str, Any]) -> None:
    from jina_cli.spec.dump import to_yaml

    assert data_of(to_yaml(data)) == data


@given(st.text(max_size=60))
def test_no_text_makes_it_raise(text: str) -> None:
    try:
        decoded = decode(text.encode("utf-8", "surrogatepass"), "a.yml")
    except Unreadable:
        return
    node, problems = parse(decoded, "a.yml")

    assert node is not None or problems


def test_both_readers_of_yaml_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "!Flow\na: &x [1, 'b', {c: !D {}}]\nb: *x\n"
    quick = parse(text, "a.yml")

    monkeypatch.setattr(source, "_Loader", yaml.SafeLoader)
    slow = parse(text, "a.yml")

    assert isinstance(quick[0], MapNode)
    assert isinstance(slow[0], MapNode)
    assert to_data(quick[0]) == to_data(slow[0])


def test_more_keys_than_any_spec_needs_are_refused_where_they_begin() -> None:
    text = "".join(f"k{n}: 1\n" for n in range(10 * source.MAX_NODES))

    node, [problem] = parse(text, "a.yml")

    assert node is None
    assert problem.code == "JNA411"
    assert problem.span.line == source.MAX_NODES // 2
