"""One content as URI, bytes, text and pixels."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina_cli.documents.batch import BadField, DocumentBatch
from jina_cli.documents.column import BytesColumn, TensorColumn, TextColumn
from jina_cli.documents.contents import (
    BadContent,
    Content,
    Reading,
    converted,
    data_uri,
    image_of,
    png_of,
    read_uri,
    text_of,
    text_uri,
)
from jina_cli.documents.rows import to_rows


def test_a_path_and_a_file_uri_are_the_same_file(tmp_path: Path) -> None:
    file = tmp_path / "a name é.txt"
    file.write_bytes(b"hello")

    content = Content(b"hello", "text/plain")
    assert read_uri(str(file)) == content
    assert read_uri(file.as_uri()) == content
    assert read_uri(f"file://localhost{file.as_uri()[7:]}") == content
    assert read_uri(file.name, Reading(folder=str(tmp_path))) == content


@pytest.mark.parametrize(
    ("uri", "content"),
    [
        ("data:,a%20b", Content(b"a b", "text/plain")),
        ("data:text/html;charset=latin1,%E9", Content(b"\xe9", "text/html", "latin1")),
        ("data:image/png;base64,AAE=", Content(b"\x00\x01", "image/png")),
        ("DATA:;base64,AAE%3D", Content(b"\x00\x01", "text/plain")),
    ],
)
def test_a_data_uri_is_read(uri: str, content: Content) -> None:
    assert read_uri(uri) == content


@given(st.binary(), st.sampled_from(["", "image/png", "text/plain"]))
def test_bytes_come_back_out_of_a_data_uri(data: bytes, kind: str) -> None:
    found = read_uri(data_uri(data, kind))

    assert (found.data, found.mime_type) == (data, kind or "application/octet-stream")


@given(st.text())
def test_text_comes_back_out_of_a_data_uri(text: str) -> None:
    assert read_uri(text_uri(text)).text() == text


def test_what_cannot_be_read_is_told_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "large"
    file.write_bytes(bytes(11))
    problems = {
        str(tmp_path / "none"): f"cannot read {tmp_path / 'none'}: No such file or directory",
        str(tmp_path): f"cannot read {tmp_path}: Is a directory",
        "a\0b": "cannot read 'a\\x00b': embedded null byte",
        "http://127.0.0.1:1/x": "http://127.0.0.1:1/x is on the network, which is not asked "
        "unless told to",
        "s3://bucket/x": "s3://bucket/x: nothing here reads 's3'",
        "file://other/x": "file://other/x is a file of another machine",
        "data:text/plain": "data:text/plain has no comma before its data",
        "data:;base64,A": "data:;base64,A is not base64",
        str(file): f"{file} is larger than 10 bytes",
    }

    for uri, problem in problems.items():
        with pytest.raises(BadContent) as caught:
            read_uri(uri, Reading(max_bytes=10))
        assert str(caught.value) == problem


def test_files_can_be_forbidden() -> None:
    with pytest.raises(BadContent, match="/etc/hostname is a file, and files are not read here"):
        read_uri("/etc/hostname", Reading(files=False))


def test_a_server_that_does_not_answer_is_told() -> None:
    with pytest.raises(BadContent, match=r"cannot read http://127\.0\.0\.1:1/x: .*refused"):
        read_uri("http://127.0.0.1:1/x", Reading(http=True))


@pytest.mark.parametrize(
    ("uri", "problem"),
    [
        ("http://127.0.0.1:1/a b", "cannot read http://127.0.0.1:1/a b: URL can't contain control"),
        ("http://127.0.0.1:1x/", "cannot read http://127.0.0.1:1x/: nonnumeric port: '1x'"),
        ("http://[x/", "cannot read http://[x/: Invalid IPv6 URL"),
        ("file://[x/", "file://[x/ is no URI: Invalid IPv6 URL"),
    ],
)
def test_a_uri_that_is_none_is_said(uri: str, problem: str) -> None:
    with pytest.raises(BadContent, match=re.escape(problem)):
        read_uri(uri, Reading(http=True))


def test_bytes_that_are_no_text_are_told() -> None:
    with pytest.raises(BadContent, match="not UTF-8 text, at byte 1"):
        text_of(b"a\xff")
    with pytest.raises(BadContent, match="nobody knows the charset 'x-none'"):
        text_of(b"a", "x-none")
    assert text_of(b"\xe9", "latin1") == "é"


@pytest.mark.parametrize("shape", [(3, 5), (3, 5, 3)])
def test_pixels_come_back_out_of_a_png(shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)

    assert np.array_equal(image_of(png_of(image)), image)


def test_other_images_become_pixels_of_a_byte() -> None:
    image = np.array([[0, 1], [0.5, 0.2]], np.float32)

    pixels = [[0, 255], [128, 51]]
    assert image_of(png_of(image)).tolist() == pixels
    assert image_of(png_of(image[..., None])).tolist() == pixels
    assert image_of(png_of(image.reshape(-1), width=2, height=2)).tolist() == pixels


@pytest.mark.parametrize(
    ("tensor", "problem"),
    [
        (np.zeros((2, 2, 2), np.uint8), "a tensor of shape (2, 2, 2) is no image"),
        (np.zeros(4, np.uint8), "a tensor of shape (4,) is no image"),
        (np.full((2, 2), 2.0), "an image of floats has them from 0 to 1, and this one has not"),
        (np.zeros((2, 2), np.int64), "an image is uint8 or floats, not int64"),
    ],
)
def test_a_tensor_that_is_no_image_is_told(tensor: Any, problem: str) -> None:
    with pytest.raises(BadContent) as caught:
        png_of(tensor)

    assert str(caught.value) == problem


def test_bytes_that_are_no_image_are_told() -> None:
    with pytest.raises(BadContent, match="not an image that can be read: "):
        image_of(b"GIF89a")


def test_a_field_is_made_of_another_where_there_is_one() -> None:
    docs = DocumentBatch(
        ["a", "b"], {"uri": TextColumn(["data:text/x;,hi", None]), "text": TextColumn([None, "b"])}
    )

    assert to_rows(converted(docs, "uri", "text").without("uri")) == [
        {"id": "a", "text": "hi", "mime_type": "text/x"},
        {"id": "b", "text": "b"},
    ]


def test_contents_go_through_all_forms() -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    docs = DocumentBatch(["a", "b"], {"tensor": TensorColumn(pixels)})

    uris = converted(docs, "tensor", "uri").without("tensor")
    blobs = converted(converted(uris, "uri", "blob").without("uri"), "blob", "uri").without("blob")
    back = converted(blobs, "uri", "tensor")

    assert list(back.values("mime_type")) == ["image/png", "image/png"]
    assert np.array_equal(back.tensor("tensor"), pixels)


def test_text_goes_through_bytes() -> None:
    docs = DocumentBatch(["a"], {"text": TextColumn(["é"])})

    back = converted(converted(docs, "text", "blob").without("text"), "blob", "text")

    assert back.text() == ["é"]
    assert converted(docs, "text", "uri").text("uri") == [
        "data:text/plain;charset=utf-8;base64,w6k="
    ]


def test_the_document_whose_content_is_wrong_is_named() -> None:
    docs = DocumentBatch(["a", "b"], {"blob": BytesColumn([b"a", b"\xff"])})

    with pytest.raises(BadField, match="'blob' of document 'b': not UTF-8 text, at byte 0"):
        converted(docs, "blob", "text")


def test_forms_without_a_way_between_them_are_refused() -> None:
    with pytest.raises(ValueError, match="there is no way from 'tensor' to 'text'"):
        converted(DocumentBatch(["a"]), "tensor", "text")
