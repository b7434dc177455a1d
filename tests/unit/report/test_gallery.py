"""The result page: whole, escaped, and readable without colours."""

from __future__ import annotations

import re
import struct
import zlib

import numpy as np

from jina_cli.report.gallery import Figure, Picture, Row, gallery
from jina_cli.report.png import data_uri, grey_png


def a_page(label: str = "bag") -> str:
    picture = data_uri(np.zeros((2, 2), np.uint8))
    row = Row(
        query=Picture(address=picture, label=label),
        matches=[
            Picture(address=picture, label=label, score=0.9),
            Picture(address=picture, label="coat", score=0.5),
        ],
    )
    figures = [Figure(value="50 %", name="precision@2")]
    return gallery(title="Found", lead="Two of a kind.", figures=figures, rows=[row])


def test_the_page_asks_nobody_for_anything() -> None:
    page = a_page()

    assert not re.findall(r"""(?:src|href)=["'](?!data:)""", page)
    assert "http:" not in page
    assert "https:" not in page
    assert "$" not in page


def test_a_match_of_another_class_says_which() -> None:
    page = a_page()

    assert page.count('<figure class="same"') == 1
    assert page.count('<figure class="other" title="coat 0.500"') == 1
    assert "<figcaption>coat</figcaption>" in page
    assert 'data-label="bag" data-precision="0.5000"' in page
    assert "<b>50 %</b><span>precision@2</span>" in page


def test_labels_cannot_break_out_of_the_page() -> None:
    page = a_page(label='<script>alert("x")</script>')

    assert "<script>alert" not in page


def test_a_picture_is_a_valid_png() -> None:
    image = np.arange(6, dtype=np.uint8).reshape(2, 3) * 50

    file = grey_png(image)

    assert file[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", file[16:24]) == (3, 2)
    start = file.index(b"IDAT")
    (length,) = struct.unpack(">I", file[start - 4 : start])
    rows = zlib.decompress(file[start + 4 : start + 4 + length])
    assert rows == b"\0" + image[0].tobytes() + b"\0" + image[1].tobytes()
    crc = struct.unpack(">I", file[start + 4 + length : start + 8 + length])[0]
    assert crc == zlib.crc32(file[start : start + 4 + length])
