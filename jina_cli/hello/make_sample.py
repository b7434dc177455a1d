"""Make the bundled Fashion-MNIST sample: `python -m jina_cli.hello.make_sample SOURCE OUT`.

SOURCE is a folder with the four files of the full data set, such as the one that Debian's
package `dataset-fashion-mnist` installs. The sample takes the first 450 training images and
the first 50 test images of each class, in the order of the data set: no choice, no seed.
"""

from __future__ import annotations

import io
import lzma
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jina_cli.hello.dataset import CLASSES, Labelled, read_folder

INDEX_PER_CLASS = 450
QUERIES_PER_CLASS = 50


def sample_of(part: Labelled, per_class: int) -> Labelled:
    """Return the first `per_class` images of each class, in the order they had."""
    first: list[NDArray[np.int64]] = [
        np.flatnonzero(part.labels == label)[:per_class] for label in range(len(CLASSES))
    ]
    places = np.sort(np.concatenate(first))
    return Labelled(images=part.images[places], labels=part.labels[places])


def main(source: Path, out: Path) -> None:
    """Write the sample of the data set in `source` to `out`, an LZMA-compressed `.npz`."""
    data = read_folder(source)
    index = sample_of(data.index, INDEX_PER_CLASS)
    queries = sample_of(data.queries, QUERIES_PER_CLASS)
    plain = io.BytesIO()
    np.savez(
        plain,
        index_images=index.images,
        index_labels=index.labels,
        query_images=queries.images,
        query_labels=queries.labels,
    )
    out.write_bytes(lzma.compress(plain.getvalue(), preset=9 | lzma.PRESET_EXTREME))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
