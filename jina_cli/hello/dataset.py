"""Fashion-MNIST: 28 × 28 grey images of clothes in ten classes.

The data set is by Zalando SE, under the MIT licence (https://github.com/zalandoresearch/fashion-mnist);
a stratified sample of it travels with this package, see `make_sample`.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import os
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jina_cli.errors import BadInput, InputMissing, Unreachable
from jina_cli.resources import sample_data_dir

CLASSES = (
    "T-shirt",
    "trousers",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)

DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")
OFFICIAL_ADDRESS = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"

_FILES: Mapping[str, str] = {
    "train-images-idx3-ubyte.gz": (
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
    ),
    "train-labels-idx1-ubyte.gz": (
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"
    ),
    "t10k-images-idx3-ubyte.gz": (
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"
    ),
    "t10k-labels-idx1-ubyte.gz": (
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"
    ),
}
"""The files of the full data set, each with the SHA-256 of its uncompressed content."""

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """Images with their classes.

    Attributes:
        images: Shape `(n, 28, 28)`, uint8, 0 is background.
        labels: Shape `(n,)`, uint8, an index into `CLASSES`.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fashion:
    """What is indexed and what is asked; no image is in both."""

    index: Labelled
    queries: Labelled
    source: str


def read_sample() -> Fashion:
    """Return the bundled sample: 4,500 images to index and 500 queries."""
    path = sample_data_dir() / "fashion-mnist-sample.npz.xz"
    with np.load(io.BytesIO(lzma.decompress(path.read_bytes()))) as arrays:
        return Fashion(
            index=Labelled(images=arrays["index_images"], labels=arrays["index_labels"]),
            queries=Labelled(images=arrays["query_images"], labels=arrays["query_labels"]),
            source="the bundled sample",
        )


def read_full(folder: Path | None, *, download: bool, progress: Progress) -> Fashion:
    """Return all 70,000 images, from the first place that has them.

    The places are `folder` (alone, if given), Debian's, and our cache, which `download`
    fills from the official address.

    Raises:
        InputMissing: No place has the files, and `download` is off.
        Unreachable: The download failed.
        BadInput: A file is not what it should be.
    """
    cache = cache_folder()
    places = [folder] if folder is not None else [DEBIAN_FOLDER, cache]
    for place in places:
        if all((place / name).is_file() for name in _FILES):
            return read_folder(place)
    if folder is None and download:
        for name in _FILES:
            fetch(name, cache, progress=progress)
        return read_folder(cache)
    searched = " and ".join(str(place) for place in places)
    raise InputMissing(
        f"the full Fashion-MNIST is not in {searched}",
        hint="apt install dataset-fashion-mnist, or add --data DIR or --download",
    )


def read_folder(folder: Path) -> Fashion:
    """Return the data set in the four files of `folder`.

    Raises:
        BadInput: A file is damaged, or is not the file of that name.
    """
    train, test = (
        Labelled(
            images=_read_idx(folder / f"{part}-images-idx3-ubyte.gz", offset=16).reshape(
                -1, 28, 28
            ),
            labels=_read_idx(folder / f"{part}-labels-idx1-ubyte.gz", offset=8),
        )
        for part in ("train", "t10k")
    )
    return Fashion(index=train, queries=test, source=str(folder))


def cache_folder() -> Path:
    """Return where downloads are kept: `$XDG_CACHE_HOME/jina/fashion-mnist`."""
    root = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(root) / "jina" / "fashion-mnist"


def fetch(name: str, folder: Path, *, progress: Progress, address: str = OFFICIAL_ADDRESS) -> None:
    """Download one file into `folder`; it appears there whole and checked, or not at all.

    Raises:
        Unreachable: The address does not answer.
        BadInput: What came is not the file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / name).is_file():
        return
    part = folder / f"{name}.part"
    try:
        with (
            urllib.request.urlopen(f"{address}/{name}", timeout=60) as answer,
            part.open("wb") as out,
        ):
            total = int(answer.headers.get("Content-Length") or 0)
            while block := answer.read(1 << 20):
                out.write(block)
                progress(f"downloading {name}: {out.tell() / 2**20:.0f} of {total / 2**20:.0f} MB")
    except (urllib.error.URLError, TimeoutError) as error:
        raise Unreachable(f"cannot download {name}: {error}") from error
    try:
        _read_idx(part, offset=8, name=name)
    except BadInput:
        part.unlink()
        raise
    part.rename(folder / name)


def _read_idx(path: Path, *, offset: int, name: str = "") -> NDArray[np.uint8]:
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
    expected = _FILES[name or path.name]
    if hashlib.sha256(content).hexdigest() != expected:
        raise BadInput(f"{path} is not the published file: its checksum differs")
    return np.frombuffer(content, np.uint8, offset=offset)
