"""Drivers of Jina 0.9 → today's. Only `legacy` calls this.

What differs besides names: 0.9 worked on chunks and then on documents where nobody said
otherwise, and passed by documents without content; its Rank Drivers were told the list that is
ordered, today's the documents that have it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeGuard

from jina_cli.diagnostics import Diagnostic, Severity
from jina_cli.spec.nodes import (
    Entry,
    ListNode,
    MapNode,
    Node,
    ScalarNode,
    from_data,
    text_of,
    to_data,
)
from jina_cli.spec.validate import no_effect


@dataclass(frozen=True, slots=True)
class _Old:
    """What a Driver of 0.9 is now.

    Attributes:
        now: Its name.
        defaults: Options it has where the file does not say.
        renamed: Its options by their old names; an empty name is dropped.
        above: Whether its paths name lists, and today's the documents that have them.
    """

    now: str
    defaults: Mapping[str, Any] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)
    above: bool = False


_BOTH = {"traversal_paths": ["c", "r"]}
_READ = {**_BOTH, "files": True}
_PIXELS = {"width": "", "height": ""}
_CHUNKS = {"traversal_paths": ["c"]}
_TAG = {"output_tag": "into"}

_SAME: Mapping[str, _Old] = {
    "CraftDriver": _Old("CraftDriver", {**_BOTH, "is_optional": True}),
    "EncodeDriver": _Old("EncodeDriver", {**_BOTH, "is_optional": True}),
    "SegmentDriver": _Old("SegmentDriver", {"traversal_paths": ["r"], "is_optional": True}),
}
"""Drivers that have kept their names: what they do by default was told by 0.9 if the file is."""

_OLD: Mapping[str, _Old] = {
    "DocCraftDriver": _Old("CraftDriver", {"traversal_paths": ["r"], "is_optional": True}),
    "ChunkCraftDriver": _Old("CraftDriver", {**_CHUNKS, "is_optional": True}),
    # Documents that were kept went on to the next Pod as they were.
    "VectorIndexDriver": _Old("IndexDriver", {**_BOTH, "only_with": "embedding", "pass_on": True}),
    "KVIndexDriver": _Old("IndexDriver", {**_BOTH, "pass_on": True}),
    "VectorSearchDriver": _Old(
        "SearchDriver",
        {"traversal_paths": ["r", "c"], "top_k": 50, "only_with": "embedding"},
        {"fill_embedding": ""},
    ),
    "KVSearchDriver": _Old(
        "KeyValueSearchDriver", {"traversal_paths": ["m"]}, {"is_merge": "merge"}
    ),
    "DocPbSearchDriver": _Old("KeyValueSearchDriver", {"traversal_paths": ["m"]}),
    "ChunkPbSearchDriver": _Old("KeyValueSearchDriver", {"traversal_paths": ["cm"]}),
    "Chunk2DocRankDriver": _Old(
        "ChunkRankDriver", {**_CHUNKS, "source": "chunks", "keep": "none"}, above=True
    ),
    "AggregateMatches2DocRankDriver": _Old(
        "ChunkRankDriver",
        {"traversal_paths": ["m"], "source": "matches", "keep": "none"},
        {"keep_source_matches_as_chunks": "keep"},
        above=True,
    ),
    "CollectMatches2DocRankDriver": _Old(
        "ChunkRankDriver", {"traversal_paths": ["m"], "source": "matches"}, above=True
    ),
    "Matches2DocRankDriver": _Old(
        "RankDriver", {"traversal_paths": ["m"]}, {"reverse": ""}, above=True
    ),
    "BinaryPredictDriver": _Old(
        "PredictDriver", {**_BOTH, "labels": ["no", "yes"], "into": "prediction"}, _TAG
    ),
    "OneHotPredictDriver": _Old("PredictDriver", {**_BOTH, "into": "prediction"}, _TAG),
    "MultiLabelPredictDriver": _Old(
        "PredictDriver", {**_BOTH, "into": "prediction", "multiple": True}, _TAG
    ),
    "RankEvaluateDriver": _Old(
        "EvaluateDriver",
        {"traversal_paths": ["r"], "field": "tags__id", "is_optional": True},
        {"running_avg": ""},
    ),
    "RankingEvaluationDriver": _Old(
        "EvaluateDriver",
        {"traversal_paths": ["r"], "field": "tags__id", "is_optional": True},
        {"running_avg": "", "id_tag": ""},
    ),
    "ReduceAllDriver": _Old("ReduceDriver", {}, {"traversal_paths": ""}),
    "CollectEvaluationDriver": _Old("ReduceDriver", {}, {"traversal_paths": ""}),
    "ConcatEmbedDriver": _Old("ConcatDriver", {}, {"traversal_paths": ""}),
    "URI2Buffer": _Old("ConvertDriver", {**_READ, "source": "uri", "target": "blob"}),
    "URI2DataURI": _Old("ConvertDriver", {**_READ, "source": "uri", "target": "uri"}),
    "URI2Text": _Old("ConvertDriver", {**_READ, "source": "uri", "target": "text"}),
    "Buffer2URI": _Old("ConvertDriver", {**_BOTH, "source": "blob", "target": "uri"}),
    "Text2URI": _Old("ConvertDriver", {**_BOTH, "source": "text", "target": "uri"}),
    "Blob2PngURI": _Old("ConvertDriver", {**_BOTH, "source": "tensor", "target": "uri"}, _PIXELS),
    "SliceQL": _Old("SliceDriver", _BOTH),
    "FilterQL": _Old("FilterDriver", _BOTH),
    "SortQL": _Old("SortDriver", _CHUNKS),
    "ReverseQL": _Old("ReverseDriver", _CHUNKS),
    "SelectQL": _Old("SelectDriver", _CHUNKS),
    "ExcludeQL": _Old("ExcludeDriver", _CHUNKS),
    "PruneDriver": _Old("ExcludeDriver", _CHUNKS, {"pruned": "fields"}),
}

_SILENT = frozenset({"ControlReqDriver", "RouteDriver", "ForwardDriver"})
"""What they did is done for every Pod."""

_GONE: Mapping[str, str] = {
    "LogInfoDriver": "Pods do not log what goes through them",
    "RequestLogDriver": "Pods do not log what goes through them",
    "WaitDriver": "it only waited",
}

_REFUSED: Mapping[str, str] = {
    "BaseCacheDriver": "put a Pod that uses DocCache before this one",
    "TaggingCacheDriver": "put a Pod that uses DocCache before this one",
    "MultiModalDriver": "encode each modality in a Pod of its own, and join them by ConcatDriver",
    "VectorFillDriver": "name 'embedding' in 'return_fields' of the Indexer",
    "LoadGroundTruthDriver": "what a query should find stands in its tags, under 'relevant'",
    "TextEvaluateDriver": "Evaluators judge what was found",
    "NDArrayEvaluateDriver": "Evaluators judge what was found",
    "FieldEvaluateDriver": "Evaluators judge what was found",
    "Prediction2DocBlobDriver": "let the Executor be an Encoder with 'into: tensor'",
    "SelectReqQL": "a request holds nothing but documents; use SelectDriver",
    "ExcludeReqQL": "a request holds nothing but documents; use ExcludeDriver",
}

_INSTEAD: Mapping[str, str] = {
    "fill_embedding": "name 'embedding' in 'return_fields' of the Indexer",
    "id_tag": "say 'field: tags__NAME'",
    "reverse": "put a ReverseQL behind it",
    "running_avg": "'jina eval' says the mean over all queries",
}
"""What to do where an option of 0.9 is not there any more."""

_RANGES = frozenset(
    {"granularity_range", "adjacency_range", "depth_range", "recur_range", "recur_on"}
)
"""How Drivers before 0.9 were told of chunks and matches."""

_FIELDS = {"buffer": "blob", "blob": "tensor", "score__value": "score"}
"""Names of fields in 0.9 → now."""


def modern_driver(
    item: MapNode, endpoint: str, is_legacy: bool, problems: list[Diagnostic]
) -> MapNode | None:
    """Return a Driver under today's name with today's options; None where it is not needed.

    Args:
        endpoint: What it serves.
        is_legacy: Whether the whole list is one of 0.9.
    """
    at, name = item.entries.get("driver"), text_of(item.get("driver"))
    if at is None or name in _SILENT:
        return item if at is None else None
    if name in _GONE or name in _REFUSED:
        problems.append(_said(name, at))
        return None
    old = _OLD.get(name) or (_SAME.get(name) if is_legacy else None)
    if old is None:
        return item
    held = item.get("with")
    given = dict(held.entries) if isinstance(held, MapNode) else {}
    now = _now(old.now, text_of(given["method"].value) if "method" in given else "", endpoint)
    given.pop("method", None)
    problems.extend(_dropped(old, given))
    options = _options(old, given, at)
    if now == "SortDriver" and _texts(options.get("field")) == "score":
        problems.append(_about_scores(name, at))
    if now == "DeleteDriver":
        options = {key: entry for key, entry in options.items() if key in ("executor", "priority")}
    driver = replace(at, value=ScalarNode(now, at.value.span, now))
    arguments = Entry(at.span, MapNode(options, held.span if held else at.value.span))
    rest = item.without("driver", "with").entries
    return item.with_entries({"driver": driver, **rest, "with": arguments})


def _dropped(old: _Old, given: Mapping[str, Entry]) -> Iterator[Diagnostic]:
    """Yield that options have no effect which a Driver had in 0.9, where they are not off."""
    for key, after in old.renamed.items():
        entry = given.get(key)
        if entry is None or after or key == "traversal_paths" or not to_data(entry.value):
            continue
        hint = _INSTEAD.get(key, "it has no such option today")
        yield no_effect(key, entry.span, hint, f"requests.with.{key}")


def _now(name: str, method: str, endpoint: str) -> str:
    """Return the Driver for what an Index Driver of 0.9 was told by its `method`."""
    if name != "IndexDriver":
        return name
    if method == "delete" or (not method and endpoint == "/delete"):
        return "DeleteDriver"
    return "UpdateDriver" if method == "update" or endpoint == "/update" else name


def _options(old: _Old, given: Mapping[str, Entry], at: Entry) -> dict[str, Entry]:
    options = dict(given)
    paths = _paths_of_ranges(options)
    for key in _RANGES:
        options.pop(key, None)
    if old.now == "PredictDriver":
        _name_two_classes(options, at)
    for before, after in old.renamed.items():
        entry = options.pop(before, None)
        if entry is not None and after:
            options[after] = _kept_sources(entry) if after == "keep" else entry
    if paths and "traversal_paths" not in options:
        options["traversal_paths"] = Entry(at.span, from_data(paths, at.span))
    for key, value in old.defaults.items():
        options.setdefault(key, Entry(at.span, from_data(value, at.span)))
    for key in ("fields", "field"):
        if key in options and old.now in ("SelectDriver", "ExcludeDriver", "SortDriver"):
            options[key] = replace(options[key], value=_changed(options[key].value, _field))
    if old.above and "traversal_paths" in options:
        entry = options["traversal_paths"]
        options["traversal_paths"] = replace(entry, value=_changed(entry.value, _above))
    return options


def _paths_of_ranges(given: Mapping[str, Entry]) -> list[str]:
    """Return the paths for ranges of granularity and adjacency, `[0, 1]`; none for none."""
    found = {key: to_data(given[key].value) for key in _RANGES if key in given}
    ranges = [found.get(key) for key in ("granularity_range", "adjacency_range")]
    if not any(_is_range(one) for one in ranges):
        return []
    chunks, matches = (range(one[0], one[1] + 1) if _is_range(one) else range(1) for one in ranges)
    return ["c" * depth + "m" * width or "r" for depth in chunks for width in matches]


def _is_range(value: Any) -> TypeGuard[list[int]]:
    is_pair = isinstance(value, list) and len(value) == 2
    return is_pair and all(isinstance(one, int) and 0 <= one < 32 for one in value)


def _name_two_classes(options: dict[str, Entry], at: Entry) -> None:
    """Put the labels of BinaryPredictDriver, which had an option each, into one list."""
    ends = [options.pop(key, None) for key in ("zero_label", "one_label")]
    if any(ends):
        labels = [end.value if end else None for end in ends]
        plain = [text_of(one) or other for one, other in zip(labels, ("no", "yes"), strict=True)]
        options["labels"] = Entry(at.span, from_data(plain, at.span))


def _kept_sources(entry: Entry) -> Entry:
    word = "all" if text_of(entry.value).lower() == "true" else "none"
    return replace(entry, value=ScalarNode(word, entry.value.span, word))


def _changed(node: Node, change: Callable[[str], str]) -> Node:
    if isinstance(node, ListNode):
        return replace(node, items=tuple(_changed(one, change) for one in node.items))
    if isinstance(node, ScalarNode) and isinstance(node.value, str):
        text = ",".join(change(part.strip()) for part in node.value.split(","))
        return replace(node, value=text, text=text)
    return node


def _above(path: str) -> str:
    """Return the path of the documents that have the lists at a path: `c` → `r`, `cm` → `c`."""
    return path[:-1] or "r" if path[-1:] in ("c", "m") else path


def _field(name: str) -> str:
    return _FIELDS.get(name, name)


def _said(name: str, at: Entry) -> Diagnostic:
    if name in _GONE:
        return Diagnostic(
            code="JNA109",
            message=f"{name!r} has no effect: {_GONE[name]}",
            span=at.value.span,
            path="requests",
            severity=Severity.WARNING,
        )
    message = f"{name!r} of Jina 0.9 is not supported"
    return Diagnostic(
        code="JNA108", message=message, span=at.value.span, hint=_REFUSED[name], path="requests"
    )


def _texts(entry: Entry | None) -> str:
    return "" if entry is None else text_of(entry.value)


def _about_scores(name: str, at: Entry) -> Diagnostic:
    return Diagnostic(
        code="JNA113",
        message=f"{name!r} orders by scores, which are higher for better here",
        span=at.value.span,
        hint="in Jina 0.9 many were distances; 'reverse: true' has the best first",
        path="requests",
        severity=Severity.WARNING,
    )
