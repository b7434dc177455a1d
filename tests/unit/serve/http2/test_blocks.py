"""Header blocks: what a client's encoder writes is read, with and without the memory."""

from __future__ import annotations

import pytest
from hpack import Decoder, Encoder
from hypothesis import given, settings
from hypothesis import strategies as st

from jina_cli.serve.http2.blocks import BlockReader, Fields, write_block
from jina_cli.serve.http2.frames import Fault

texts = st.binary(max_size=40)
fields_of = st.lists(st.tuples(st.binary(min_size=1, max_size=10), texts), max_size=6)


def a_reader(interpreted: list[Fields] | None = None) -> BlockReader[Fields]:
    def interpret(fields: Fields) -> Fields:
        if interpreted is not None:
            interpreted.append(fields)
        return [(bytes(name), bytes(value)) for name, value in fields]

    return BlockReader(interpret, 65_536)


@settings(max_examples=200, deadline=None)
@given(st.lists(fields_of, max_size=8), st.data())
def test_blocks_are_read_as_they_were_meant_whatever_came_before(
    lists: list[Fields], data: st.DataObject
) -> None:
    encoder, reader = Encoder(), a_reader()
    for _ in range(data.draw(st.integers(0, 20))):
        fields = data.draw(st.sampled_from(lists)) if lists else []
        if data.draw(st.booleans()):
            encoder.header_table_size = data.draw(st.sampled_from([0, 64, 4096]))

        assert reader.read(encoder.encode(fields)) == fields


def test_the_same_block_is_looked_at_once_while_the_table_stays() -> None:
    interpreted: list[Fields] = []
    encoder, reader = Encoder(), a_reader(interpreted)
    fields = [(b":method", b"POST"), (b":path", b"/a/b")]
    reader.read(encoder.encode(fields))

    for _ in range(5):
        assert reader.read(encoder.encode(fields)) == fields

    assert len(interpreted) == 2  # with the path's text, and with its number


def test_a_block_means_something_else_once_the_table_has_changed() -> None:
    encoder, reader = Encoder(), a_reader()
    reader.read(encoder.encode([(b"a", b"1")]))
    block = encoder.encode([(b"a", b"1")])
    assert reader.read(block) == [(b"a", b"1")]

    reader.read(encoder.encode([(b"b", b"2")]))

    assert reader.read(block) == [(b"b", b"2")]


def test_trailers_change_the_table_too() -> None:
    encoder, reader = Encoder(), a_reader()
    reader.read(encoder.encode([(b"a", b"1")]))
    block = encoder.encode([(b"a", b"1")])
    reader.read(block)

    assert list(reader.fields(encoder.encode([(b"b", b"2")]))) == [(b"b", b"2")]

    assert reader.read(block) == [(b"b", b"2")]


@pytest.mark.parametrize("block", [b"\xff", b"\xff" * 12, b"\x80", b"\x40", b"\x3f\xff\xff\x7f"])
def test_what_is_no_block_ends_the_connection(block: bytes) -> None:
    with pytest.raises(Fault):
        a_reader().read(block)


def test_the_memory_of_a_connection_is_bounded() -> None:
    interpreted: list[Fields] = []
    reader = a_reader(interpreted)
    blocks = [write_block([(b"n", b"%d" % number)]) for number in range(1000)]

    for block in blocks:
        reader.read(block)
    reader.read(blocks[0])

    assert len(interpreted) == 1001


@given(fields_of, st.sampled_from([None, 200, 204, 405, 415]), st.integers(0, 3000))
def test_any_decoder_reads_what_we_write(fields: Fields, status: int | None, size: int) -> None:
    fields = [*fields, (b"long", b"v" * size)]

    read = Decoder().decode(write_block(fields, status=status), raw=True)

    first = [] if status is None else [(b":status", b"%d" % status)]
    assert [(bytes(name), bytes(value)) for name, value in read] == first + fields
