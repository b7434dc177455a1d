"""txtai's own API, with our encoder as its external one.  PORT, and `empty` for no index yet."""

import os
import sys
import tempfile
from pathlib import Path

import knn
import uvicorn
import yaml

ENCODER = knn.Encoder()


def transform(texts):
    """What txtai makes vectors with, found by its name `txtai_app.transform`."""
    return ENCODER.encode(texts)


EMBEDDINGS = {"method": "external", "transform": "txtai_app.transform", "backend": "numpy"}


def index_in(folder):
    """Put the vectors that all search into an index of txtai."""
    from txtai import Embeddings

    embeddings = Embeddings(EMBEDDINGS)
    embeddings.index((place, vector, None) for place, vector in enumerate(knn.Index().vectors))
    embeddings.save(str(folder))


def main():
    os.environ["ALLOW_RESOLVE_TRANSFORM"] = "True"
    with tempfile.TemporaryDirectory(prefix="txtai-") as folder:
        config = {"embeddings": EMBEDDINGS, "writable": True}
        if "empty" not in sys.argv:
            index_in(Path(folder) / "index")
            config = {"embeddings": EMBEDDINGS, "path": f"{folder}/index"}
        path = Path(folder) / "config.yml"
        path.write_text(yaml.safe_dump(config))
        os.environ["CONFIG"] = str(path)
        uvicorn.run("txtai.api:app", port=int(sys.argv[1]), log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
