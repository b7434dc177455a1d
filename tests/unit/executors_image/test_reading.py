"""What a field holds, as images."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jina_cli.executors.crafters.image import ImageNormalizer
from jina_cli.executors.crafters.reading import as_images

pillow: Any = pytest.importorskip("PIL.Image")

GREY = np.array([[0, 100], [200, 255]], np.uint8)


def png(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    pillow.fromarray(array).save(file, "PNG")
    return file.getvalue()


def test_an_array_of_images_is_what_it_is() -> None:
    images = GREY[None]

    assert as_images(images) is images


def test_arrays_bytes_paths_and_data_are_images(tmp_path: Path) -> None:
    path = tmp_path / "an image.png"
    path.write_bytes(png(GREY))
    inline = "data:image/png;base64," + base64.b64encode(png(GREY)).decode()

    images = as_images([str(path), path.as_uri(), inline, png(GREY), GREY, GREY.tolist()])

    for image in images:
        np.testing.assert_array_equal(image, GREY)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (b"no image", "not an image that can be read"),
        ("http://example.com/a.png", "on the network, which is not asked unless told to"),
        (7, "an image must be an array, bytes or a path, got int"),
    ],
)
def test_what_cannot_be_read_is_said(given: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        as_images([given])


def test_which_one_cannot_be_read_is_said(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no image")

    with pytest.raises(ValueError, match=r"^image 2 of 2: not an image that can be read: nobody"):
        as_images([png(GREY), b"no image"])
    with pytest.raises(ValueError, match=f"^{path}: not an image"):
        as_images([str(path)])


def test_crafters_take_files_and_make_tensors() -> None:
    crafter = ImageNormalizer(field="blob")

    (driver,) = crafter.default_drivers()["/default"]

    assert (driver.field, driver.into) == ("blob", "tensor")  # type: ignore[attr-defined]
    np.testing.assert_allclose(crafter.craft([png(GREY)])[0], GREY / 255, rtol=1e-6)
