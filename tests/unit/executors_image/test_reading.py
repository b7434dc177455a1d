"""Image files into arrays."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jina_cli.executors.crafters import reading
from jina_cli.executors.crafters.image import ImageNormalizer
from jina_cli.executors.crafters.reading import as_images, decoded

pillow: Any = pytest.importorskip("PIL.Image")

GREY = np.array([[0, 100], [200, 255]], np.uint8)
COLOUR = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)


def png(array: np.ndarray, **options: Any) -> bytes:
    file = io.BytesIO()
    pillow.fromarray(array).save(file, "PNG", **options)
    return file.getvalue()


@pytest.mark.parametrize("array", [GREY, COLOUR])
def test_a_file_is_what_was_put_into_it(array: np.ndarray) -> None:
    np.testing.assert_array_equal(decoded(png(array)), array)


def test_alpha_goes_and_sixteen_bits_become_eight() -> None:
    with_alpha = np.concatenate([COLOUR, np.zeros((2, 4, 1), np.uint8)], axis=2)

    np.testing.assert_array_equal(decoded(png(with_alpha)), COLOUR)
    np.testing.assert_array_equal(decoded(png(GREY.astype(np.uint16) * 256)), GREY)


def test_an_image_is_turned_as_its_camera_was_held() -> None:
    exif = pillow.Exif()
    exif[0x0112] = 6  # a quarter turn clockwise shows it upright

    np.testing.assert_array_equal(decoded(png(GREY, exif=exif)), np.rot90(GREY, -1))


def test_paths_and_urls_of_files_and_data_are_read(tmp_path: Path) -> None:
    path = tmp_path / "an image.png"
    path.write_bytes(png(GREY))
    inline = "data:image/png;base64," + base64.b64encode(png(GREY)).decode()

    images = as_images([str(path), path.as_uri(), inline, png(GREY), GREY])

    for image in images:
        np.testing.assert_array_equal(image, GREY)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (b"no image", "not an image that can be read"),
        ("http://example.com/a.png", "images are read from files, not from http"),
        ("/no/such/image.png", "cannot read /no/such/image.png: No such file"),
        ("data:image/png;base64,*", "not a data URL"),
        (7, "an image must be an array, bytes or a path, got int"),
    ],
)
def test_what_cannot_be_read_is_said(given: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        as_images([given])


def test_a_huge_image_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_PIXELS", 3)

    with pytest.raises(ValueError, match="an image of 2 × 2 is over 3 pixels"):
        decoded(png(GREY))


def test_crafters_take_files_and_make_tensors() -> None:
    crafter = ImageNormalizer(field="blob")

    (driver,) = crafter.default_drivers()["/default"]

    assert (driver.field, driver.into) == ("blob", "tensor")  # type: ignore[attr-defined]
    np.testing.assert_allclose(crafter.craft([png(GREY)])[0], GREY / 255, rtol=1e-6)
