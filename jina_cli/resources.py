"""Where the files that travel with the package lie: schemas, flows, completions, data.

In a wheel they are under `jina_cli/_data`; in a source tree (and an editable install) the
first three are top-level folders of the repository.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _folder(name: str) -> Path:
    installed = _PACKAGE / "_data" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


def schemas_dir() -> Path:
    """Return the folder of the JSON schemas, `flow.json` and its siblings."""
    return _folder("schemas")


def flows_dir() -> Path:
    """Return the folder of the ready-made Flows, `fashion.yml` and its siblings."""
    return _folder("flows")


def completions_dir() -> Path:
    """Return the folder of the generated shell completions."""
    return _folder("completions")


def sample_data_dir() -> Path:
    """Return the folder of the bundled sample data of the demos."""
    return _PACKAGE / "_data" / "samples"


def encoder_model(name: str) -> Path:
    """Return the path of a file that a built-in encoder is made of, `fashion.onnx`."""
    return _PACKAGE / "executors" / "encoders" / "data" / name


def page_template(name: str) -> str:
    """Return the text of a bundled page template, `gallery.html`."""
    return (_PACKAGE / "_data" / "pages" / name).read_text("utf-8")
