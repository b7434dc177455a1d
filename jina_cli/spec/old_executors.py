"""Executors of Jina 0.9, and its built-in Pods (`_merge_matches_topk`) → today's.

Only `dialect` calls this. An Executor of 0.9 is read as ours where ours does what it did; the
author is told the name of today.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from jina_cli.diagnostics import Diagnostic, Severity, Span
from jina_cli.spec.nodes import Entry, ListNode, MapNode, Node, ScalarNode, from_data, text_of
from jina_cli.spec.schemas import rules

PASS = "BaseExecutor"


@dataclass(frozen=True, slots=True)
class _Old:
    """What an Executor of 0.9 is now.

    Attributes:
        now: Its name.
        defaults: Arguments it has where the file does not say.
        words: Values of arguments by their old ones.
        gone: Arguments that say nothing today.
        requests: Drivers it had where the file does not say.
    """

    now: str
    defaults: Mapping[str, Any] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    requests: Mapping[str, Any] = field(default_factory=dict)


_BOTH = {"traversal_paths": ["c", "r"]}


def _driver(name: str, **options: Any) -> dict[str, Any]:
    return {"driver": name, "with": options}


def _kept(driver: str, **options: Any) -> list[dict[str, Any]]:
    """Return what kept documents: in 0.9 they went on to the next Pod as they were."""
    return [_driver(driver, **options, **_BOTH, pass_on=True)]


def _kept_vectors(driver: str, **options: Any) -> list[dict[str, Any]]:
    return _kept(driver, **options, only_with="embedding")


def _searched(**options: Any) -> list[dict[str, Any]]:
    paths = {"traversal_paths": ["r", "c"]}
    return [_driver("SearchDriver", **options, **paths, top_k=50, only_with="embedding")]


_OF_VECTORS = {
    "/index": _kept_vectors("IndexDriver"),
    "/update": _kept_vectors("UpdateDriver"),
    "/search": _searched(),
}
_OF_BODIES = {
    "/index": _kept("IndexDriver"),
    "/update": _kept("UpdateDriver"),
}
_VECTOR, _BODY = {"executor": "BaseVectorIndexer"}, {"executor": "BaseKVIndexer"}
_NO_VECTOR = _driver("ExcludeDriver", fields=["embedding"], **_BOTH)
_OF_COMPOUND_INDEXER: Mapping[str, Any] = {
    "/index": [
        *_kept_vectors("IndexDriver", **_VECTOR),
        _NO_VECTOR,
        *_kept("IndexDriver", **_BODY),
    ],
    "/update": [
        *_kept_vectors("UpdateDriver", **_VECTOR),
        _NO_VECTOR,
        *_kept("UpdateDriver", **_BODY),
    ],
    "/search": [
        *_searched(**_VECTOR),
        _NO_VECTOR,
        _driver("KeyValueSearchDriver", **_BODY, traversal_paths=["m", "cm"]),
    ],
    "/delete": [_driver("DeleteDriver", **_VECTOR), _driver("DeleteDriver", **_BODY)],
}
"""What CompoundIndexer did where its file did not say."""

_FILES = frozenset({"index_filename", "key_length"})
_CHUNK_FIELDS = frozenset({"required_keys"})
_VECTORS = _Old(
    "VectorIndexer",
    {"store_fields": []},
    {"metric": {"euclidean": "l2", "ip": "inner_product"}},
    _FILES | {"backend", "compress_level", "ref_indexer", "delete_on_dump"},
    _OF_VECTORS,
)
_BODIES = _Old("KeyValueIndexer", gone=_FILES, requests=_OF_BODIES)

_OLD: Mapping[str, _Old] = {
    "NumpyIndexer": _VECTORS,
    "BinaryPbIndexer": _BODIES,
    "DataURIPbIndexer": _BODIES,
    "DocPbIndexer": _BODIES,
    "ChunkPbIndexer": _BODIES,
    "DocIDCache": _Old("DocCache", gone=frozenset({"index_filename", "field"})),
    # Their smallest distance is the highest score of today.
    "MinRanker": _Old("Chunk2DocRanker", {"aggregate": "max"}, gone=_CHUNK_FIELDS),
    "MaxRanker": _Old("Chunk2DocRanker", {"aggregate": "max"}, gone=_CHUNK_FIELDS),
}
_COMPOUNDS = frozenset({"CompoundIndexer", "ChunkIndexer", "DocIndexer", "PipelineEncoder"})
"""Compound Executors of 0.9 that had names of their own."""

_BEST_TEN = [
    {"driver": "ReduceDriver"},
    # In 0.9 the scores were distances, and the smallest came first.
    {"driver": "SortDriver", "with": {"field": "score", "reverse": True, "traversal_paths": "@m"}},
    {"driver": "SliceDriver", "with": {"end": 10, "traversal_paths": "@m"}},
]
_JUDGE = [{"driver": "EvaluateDriver", "with": {"field": "tags__id", "is_optional": True}}]
_PODS: Mapping[str, Mapping[str, Any]] = {
    "_merge_matches_topk": {"jtype": PASS, "requests": {"/default": _BEST_TEN}},
    "_concat": {"jtype": PASS, "requests": {"/default": [{"driver": "ConcatDriver"}]}},
    "_clear": {
        "jtype": PASS,
        "requests": {"/default": [{"driver": "SliceDriver", "with": {"end": 0}}]},
    },
    "_eval_pr": {
        "jtype": "CompoundExecutor",
        "components": [
            {"jtype": "PrecisionEvaluator", "requests": {"/search": _JUDGE}},
            {"jtype": "RecallEvaluator", "requests": {"/search": _JUDGE}},
        ],
    },
    "_unique": {"jtype": "DocCache"},
    "_unique_content": {"jtype": "DocCache"},
}
"""Built-in Pods of 0.9 that do more than pass messages on, or merge them."""


def built_in_pod(node: Node) -> Node | None:
    """Return what a built-in Pod of 0.9 is now; None for any other name.

    Joins merge what they get by themselves, so that most of these have nothing to do.
    """
    name = text_of(node)
    if name in _PODS and _is_there(_PODS[name]):
        return from_data(_PODS[name], node.span)
    if name in ("_pass", "_route", "_forward", "_logforward", "_eval_pr", "_merge") or (
        name.startswith("_merge_")
    ):
        return ScalarNode(PASS, node.span, PASS)
    return None


def modern_name(node: ScalarNode, problems: list[Diagnostic]) -> ScalarNode | MapNode:
    """Return what the bare name of an Executor of 0.9 stands for today."""
    if text_of(node) not in _OLD:
        return node
    entries = {"jtype": Entry(node.span, node)}
    return modern_executor(MapNode(entries, node.span), problems)


def modern_executor(node: MapNode, problems: list[Diagnostic]) -> MapNode:
    """Return an Executor under today's name, with today's arguments."""
    at, name = node.entries.get("jtype"), text_of(node.get("jtype"))
    if at is None or _brings_classes(node):
        return node
    parts = node.get("components")
    if isinstance(parts, ListNode) and parts.items:
        return _modern_compound(node, at, parts)
    old = _OLD.get(name)
    if old is None or old.now not in rules()["executor"].properties["jtype"].builtin:
        return node
    problems.append(_renamed(name, old.now, at.value.span))
    held = node.get("with")
    given = dict(held.entries) if isinstance(held, MapNode) else {}
    for key in old.gone & given.keys():
        problems.append(_without_effect(key, given.pop(key).span))
    for key, words in old.words.items():
        word = text_of(given[key].value) if key in given else ""
        if word in words:
            now = ScalarNode(words[word], given[key].value.span, words[word])
            given[key] = replace(given[key], value=now)
    for key, value in old.defaults.items():
        given.setdefault(key, Entry(at.span, from_data(value, at.span)))
    arguments = Entry(at.span, MapNode(given, held.span if held else at.span))
    jtype = replace(at, value=ScalarNode(old.now, at.value.span, old.now))
    entries = {**node.entries, "jtype": jtype, "with": arguments}
    if old.requests:
        requests = Entry(at.span, from_data(old.requests, at.value.span))
        entries.setdefault("requests", requests)
    return node.with_entries(entries)


def _modern_compound(node: MapNode, at: Entry, parts: ListNode) -> MapNode:
    name = text_of(at.value)
    if name not in _COMPOUNDS:
        return node
    jtype = replace(at, value=ScalarNode("CompoundExecutor", at.value.span, "CompoundExecutor"))
    entries = {**node.entries, "jtype": jtype}
    if name == "PipelineEncoder" or "requests" in entries:
        return node.with_entries(entries)
    kinds = {text_of(one.get("jtype")) for one in parts.items if isinstance(one, MapNode)}
    if {"VectorIndexer", "KeyValueIndexer"} <= kinds:
        # Others than ours cannot be told apart by their base classes.
        entries["requests"] = Entry(at.span, from_data(_OF_COMPOUND_INDEXER, at.value.span))
    return node.with_entries(entries)


def _brings_classes(node: MapNode) -> bool:
    metas = node.get("metas")
    inside = metas.entries if isinstance(metas, MapNode) else {}
    return "py_modules" in node.entries or "py_modules" in inside


def _is_there(pod: Mapping[str, Any]) -> bool:
    known = rules()["executor"].properties["jtype"].builtin
    names = [part["jtype"] for part in pod.get("components", (pod,))]
    return all(name in known for name in names)


def _renamed(name: str, now: str, span: Span) -> Diagnostic:
    return Diagnostic(
        code="JNA113",
        message=f"{name!r} of Jina 0.9 is read as {now!r}",
        span=span,
        hint=f"write {now!r}",
        path="jtype",
        severity=Severity.WARNING,
    )


def _without_effect(key: str, span: Span) -> Diagnostic:
    return Diagnostic(
        code="JNA109",
        message=f"{key!r} has no effect: it is about how Jina 0.9 worked",
        span=span,
        path=f"with.{key}",
        severity=Severity.WARNING,
    )
