"""The demo's data: the bundled sample, and the full set from several places."""

from __future__ import annotations

import gzip
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from jina_cli.errors import BadInput, InputMissing, Unreachable
from jina_cli.hello import dataset
from jina_cli.hello.make_sample import sample_of


def test_the_sample_is_stratified_and_small() -> None:
    data = dataset.read_sample()

    assert data.index.images.shape == (4500, 28, 28)
    assert np.bincount(data.index.labels).tolist() == [450] * 10
    assert np.bincount(data.queries.labels).tolist() == [50] * 10
    folder = dataset.sample_data_dir()
    assert (folder / "fashion-mnist-sample.npz.xz").stat().st_size < 2_000_000
    assert "Zalando SE" in (folder / "fashion-mnist-sample.LICENSE.txt").read_text("utf-8")


@pytest.mark.skipif(
    not dataset.DEBIAN_FOLDER.is_dir(), reason="Debian's dataset-fashion-mnist is not installed"
)
def test_the_sample_is_what_the_script_takes_from_the_full_set() -> None:
    full = dataset.read_folder(dataset.DEBIAN_FOLDER)
    sample = dataset.read_sample()

    for part, of, per_class in (
        (sample.index, full.index, 450),
        (sample.queries, full.queries, 50),
    ):
        made = sample_of(of, per_class)
        np.testing.assert_array_equal(part.images, made.images)
        np.testing.assert_array_equal(part.labels, made.labels)


def test_a_folder_without_the_files_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputMissing, match=f"not in {tmp_path}"):
        dataset.read_full(tmp_path, download=False, progress=print)


@pytest.mark.parametrize("content", [b"not gzip", gzip.compress(b"another file")])
def test_a_file_that_is_not_the_published_one_is_refused(tmp_path: Path, content: bytes) -> None:
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (tmp_path / f"{name}-ubyte.gz").write_bytes(content)

    with pytest.raises(BadInput, match=r"train-images-idx3-ubyte\.gz"):
        dataset.read_full(tmp_path, download=False, progress=print)


def test_a_download_that_is_not_the_file_leaves_nothing_behind(tmp_path: Path) -> None:
    served, cache = tmp_path / "served", tmp_path / "cache"
    served.mkdir()
    name = "t10k-labels-idx1-ubyte.gz"
    (served / name).write_bytes(gzip.compress(b"something else"))
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(served))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    said: list[str] = []

    try:
        with pytest.raises(BadInput, match=name):
            dataset.fetch(name, cache, progress=said.append, address=address)
        with pytest.raises(Unreachable, match="train-labels"):
            dataset.fetch(
                "train-labels-idx1-ubyte.gz", cache, progress=said.append, address=address
            )
    finally:
        server.shutdown()
        server.server_close()

    assert said == [f"downloading {name}: 0 of 0 MB"]
    assert [path.name for path in cache.iterdir()] == []
