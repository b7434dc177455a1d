"""What Jina 0.9's traversal paths, Drivers and rankers did, case by case, worked out by hand.

Drivers are written as files of 0.9 have them, and go through all that such a file goes through.
Documents are lines of text, see `testing.trees`: `q(c1 c2)[m1:0.5]` has two chunks and a match.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from jina_cli.diagnostics import Diagnostic
from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import DocsColumn, ValuesColumn
from jina_cli.documents.merge import union
from jina_cli.drivers.table import build_driver
from jina_cli.executors.calls import Call
from jina_cli.executors.executor import Executor
from jina_cli.executors.handlers import DriverHandler
from jina_cli.spec.dialect import canonical_executor
from jina_cli.spec.nodes import MapNode, to_data
from jina_cli.spec.source import load_bytes
from tests.testing.trees import docs_of, text_of


class Tool(Executor):
    """Has the methods of all families, each so simple that its results can be worked out."""

    field = "text"
    kept = docs_of("m1{price=1} m2{price=2} c1{price=9} q{price=5}")

    def craft(self, content: Sequence[str]) -> list[str]:
        return [f"{text}!" for text in content]

    def segment(self, content: Sequence[str]) -> list[list[str]]:
        return [list(text) for text in content]

    def encode(self, content: Sequence[str]) -> Any:
        return np.array([[len(text)] for text in content], np.float32)

    def search(self, docs: DocumentBatch, *, top_k: int) -> DocsColumn:
        found = docs_of("m1:3 m2:2 m3:1").slice(0, top_k)
        return DocsColumn.of([found for _ in docs.ids])

    def get(self, ids: Sequence[str]) -> DocumentBatch:
        return self.kept.take([place for place, id_ in enumerate(self.kept.ids) if id_ in ids])

    def aggregate(self, scores: Any, offsets: Any) -> Any:
        return np.maximum.reduceat(scores, offsets[:-1])

    def rank(self, queries: DocumentBatch, matches: DocsColumn, *, top_k: int) -> DocsColumn:
        return DocsColumn.of([found.slice(0, top_k) for found in map(_by_id, _lists(matches))])

    def fuse(self, ranks: Any, scores: Any, offsets: Any) -> Any:
        return np.nansum(1 / ranks, axis=0)

    def predict(self, content: Sequence[str]) -> Any:
        return np.array([len(text) % 2 for text in content])

    def evaluate(self, actual: Sequence[Any], desired: Sequence[Any]) -> float:
        return sum(one in desired for one in actual) / len(desired)


class Least(Tool):
    def aggregate(self, scores: Any, offsets: Any) -> Any:
        return np.minimum.reduceat(scores, offsets[:-1])


class Total(Tool):
    def aggregate(self, scores: Any, offsets: Any) -> Any:
        return np.add.reduceat(scores, offsets[:-1])


def _lists(column: DocsColumn) -> list[DocumentBatch]:
    return [column.docs.slice(a, b) for a, b in pairwise(column.offsets.tolist())]


def _by_id(docs: DocumentBatch) -> DocumentBatch:
    return docs.take(sorted(range(len(docs)), key=lambda place: docs.ids[place]))


def handler_of(drivers: str, executor: Executor, endpoint: str = "SearchRequest") -> DriverHandler:
    """Return what serves an endpoint by a list of Drivers of a file of 0.9."""
    items = "".join(f"      - {line.strip()}\n" for line in drivers.strip().splitlines())
    text = f"jtype: Tool\nrequests:\n  on:\n    {endpoint}:\n{items}"
    root, problems = load_bytes(text.encode(), "old.yml")
    assert isinstance(root, MapNode), problems
    told: list[Diagnostic] = []
    requests = to_data(canonical_executor(root, told))["requests"]
    return DriverHandler(executor, [build_driver(item) for item in next(iter(requests.values()))])


def made(
    drivers: str,
    docs: DocumentBatch,
    *parts: DocumentBatch,
    by: Executor | None = None,
    **more: Any,
) -> DocumentBatch:
    call = Call(docs=docs, parts=parts or (docs,), parameters=more)

    async def answer() -> DocumentBatch:
        return (await handler_of(drivers, by or Tool())(call)).docs

    return asyncio.run(answer())


DEEP = "a(b(c d)[e])[f(g)[h]] i(j)"
"""Two documents with chunks and matches, and theirs."""


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ("[r]", "a!(b(c d)[e])[f(g)[h]] i!(j)"),
        ("[c]", "a(b!(c d)[e])[f(g)[h]] i(j!)"),
        ("[m]", "a(b(c d)[e])[f!(g)[h]] i(j)"),
        ("[cc]", "a(b(c! d!)[e])[f(g)[h]] i(j)"),
        ("[cm]", "a(b(c d)[e!])[f(g)[h]] i(j)"),
        ("[mc]", "a(b(c d)[e])[f(g!)[h]] i(j)"),
        ("[mm]", "a(b(c d)[e])[f(g)[h!]] i(j)"),
        ("[ccc]", "a(b(c d)[e])[f(g)[h]] i(j)"),
        ("[mmm]", "a(b(c d)[e])[f(g)[h]] i(j)"),
        ("[c, r]", "a!(b!(c d)[e])[f(g)[h]] i!(j!)"),
        ("[r, c]", "a!(b!(c d)[e])[f(g)[h]] i!(j!)"),
        ("[c, c]", "a(b!!(c d)[e])[f(g)[h]] i(j!!)"),
        ("[r, m, mc, mm]", "a!(b(c d)[e])[f!(g!)[h!]] i!(j)"),
        ("[cc, cm, c, r]", "a!(b!(c! d!)[e!])[f(g)[h]] i!(j!)"),
        ("'@c,m'", "a(b!(c d)[e])[f!(g)[h]] i(j!)"),
        ("'@c[0],cc[-1]'", "a(b!(c d!)[e])[f(g)[h]] i(j!)"),
    ],
)
def test_a_path_leads_to_documents(paths: str, expected: str) -> None:
    drivers = f"!CraftDriver {{with: {{traversal_paths: {paths}}}}}"

    assert text_of(made(drivers, docs_of(DEEP))) == expected


@pytest.mark.parametrize(
    ("drivers", "docs", "expected"),
    [
        # Where nothing is said, chunks come first, then documents; matches are left alone.
        ("!CraftDriver {}", "a(b)[c]", "a!(b!)[c]"),
        ("!ChunkCraftDriver {}", "a(b)[c]", "a(b!)[c]"),
        ("!DocCraftDriver {}", "a(b)[c]", "a!(b)[c]"),
        ("!CraftDriver {with: {granularity_range: [1, 1]}}", "a(b(c))", "a(b!(c))"),
        ("!CraftDriver {with: {granularity_range: [0, 2]}}", "a(b(c))", "a!(b!(c!))"),
        ("!CraftDriver {with: {adjacency_range: [1, 1]}}", "a(b)[c]", "a(b)[c!]"),
        # Several Drivers work one after another.
        ("!CraftDriver {}\n!CraftDriver {with: {traversal_paths: [r]}}", "a(b)", "a!!(b!)"),
        # Chunks are made of documents alone, and take the place of those that were there.
        ("!SegmentDriver {}", "ab c", "ab(ab#0 ab#1) c(c#0)"),
        ("!SegmentDriver {with: {traversal_paths: [c]}}", "a(xy)", "a(xy(xy#0 xy#1))"),
    ],
)
def test_content_is_crafted_and_segmented(drivers: str, docs: str, expected: str) -> None:
    assert text_of(made(drivers, docs_of(docs))) == expected


SLICE = "!SliceQL {{with: {}}}"
FOUR = "q(a b c d)[w x y z]"


@pytest.mark.parametrize(
    ("options", "docs", "expected"),
    [
        ("{start: 0, end: 2, traversal_paths: [m]}", FOUR, "q(a b c d)[w x]"),
        ("{start: 1, end: 3, traversal_paths: [c]}", FOUR, "q(b c)[w x y z]"),
        ("{start: 2, traversal_paths: [m]}", FOUR, "q(a b c d)[y z]"),
        ("{start: -1, traversal_paths: [m]}", FOUR, "q(a b c d)[z]"),
        ("{start: 0, end: -1, traversal_paths: [m]}", FOUR, "q(a b c d)[w x y]"),
        ("{start: 0, end: 9, traversal_paths: [m]}", FOUR, FOUR),
        ("{start: 4, end: 9, traversal_paths: [m]}", FOUR, "q(a b c d)"),
        ("{start: 3, end: 1, traversal_paths: [m]}", FOUR, "q(a b c d)"),
        # Documents themselves are one list, chunks one for each document.
        ("{start: 0, end: 1, traversal_paths: [r]}", "p q r", "p"),
        ("{start: 0, end: 1, traversal_paths: [c]}", "p(a b) q r(c)", "p(a) q r(c)"),
        ("{start: 1, end: 2, traversal_paths: [cm]}", "p(a[x y] b[z])", "p(a[y] b)"),
        ("{start: 0, end: 1}", "p(a b) q(c d)", "p(a)"),
        ("{start: 0, end: 1, traversal_paths: [m, c]}", FOUR, "q(a)[w]"),
    ],
)
def test_lists_are_sliced(options: str, docs: str, expected: str) -> None:
    assert text_of(made(SLICE.format(options), docs_of(docs))) == expected


@pytest.mark.parametrize(
    ("options", "docs", "expected"),
    [
        ("{field: score__value, traversal_paths: [m]}", "q[a:3 b:1 c:2]", "q[b:1 c:2 a:3]"),
        ("{field: score, reverse: true, traversal_paths: [m]}", "q[a:1 b:3]", "q[b:3 a:1]"),
        # Equal ones stay as they are, in both directions, as in Python.
        ("{field: score, traversal_paths: [m]}", "q[b:1 a:1 c:0.5]", "q[c:0.5 b:1 a:1]"),
        ("{field: score, reverse: true, traversal_paths: [m]}", "q[b:1 a:1]", "q[b:1 a:1]"),
        ("{field: tags__price}", "q(a{price=3} b{price=2})", "q(b{price=2} a{price=3})"),
        ("{field: tags__lang}", "q(a{lang=fr} b{lang=en})", "q(b{lang=en} a{lang=fr})"),
        ("{field: id, reverse: true, traversal_paths: [r]}", "a c b", "c b a"),
        ("{field: tags__n, traversal_paths: [r]}", "a b{n=2} c{n=1}", "c{n=1} b{n=2} a"),
        (
            "{field: score, traversal_paths: [m]}",
            "p[a:2 b:1] q[c:1 d:0.5]",
            "p[b:1 a:2] q[d:0.5 c:1]",
        ),
    ],
)
def test_lists_are_sorted(options: str, docs: str, expected: str) -> None:
    assert text_of(made(f"!SortQL {{with: {options}}}", docs_of(docs))) == expected


@pytest.mark.parametrize(
    ("options", "docs", "expected"),
    [
        ("{}", "p(a b c) q(d e)", "p(c b a) q(e d)"),
        ("{traversal_paths: [m]}", "q(a b)[x y]", "q(a b)[y x]"),
        ("{traversal_paths: [r]}", "p q r", "r q p"),
    ],
)
def test_lists_are_reversed(options: str, docs: str, expected: str) -> None:
    assert text_of(made(f"!ReverseQL {{with: {options}}}", docs_of(docs))) == expected


SHOP = "tea{price=3,kind=Drink} pie{price=5,kind=Food} cup"


@pytest.mark.parametrize(
    ("lookups", "kept"),
    [
        ("{tags__price: 3}", ["tea"]),
        ("{tags__price__exact: 5}", ["pie"]),
        ("{tags__price__neq: 3}", ["pie", "cup"]),
        ("{tags__price__gt: 3}", ["pie"]),
        ("{tags__price__gte: 3}", ["tea", "pie"]),
        ("{tags__price__lt: 5}", ["tea"]),
        ("{tags__price__lte: 5}", ["tea", "pie"]),
        ("{tags__price__in: [1, 5]}", ["pie"]),
        ("{tags__kind__contains: oo}", ["pie"]),
        ("{tags__kind__contains: OO}", []),
        ("{tags__kind__icontains: OO}", ["pie"]),
        ("{tags__kind__startswith: Dr}", ["tea"]),
        ("{tags__kind__istartswith: dr}", ["tea"]),
        ("{tags__kind__endswith: ood}", ["pie"]),
        ("{tags__kind__iendswith: INK}", ["tea"]),
        ("{tags__kind__regex: '^.oo'}", ["pie"]),
        ("{text: cup}", ["cup"]),
        ("{id__in: [tea, cup]}", ["tea", "cup"]),
        ("{tags__price__gte: 3, tags__kind: Food}", ["pie"]),
    ],
)
def test_documents_are_filtered_by_lookups(lookups: str, kept: list[str]) -> None:
    drivers = f"!FilterQL {{with: {{lookups: {lookups}, traversal_paths: [r]}}}}"

    assert list(made(drivers, docs_of(SHOP)).ids) == kept


@pytest.mark.parametrize(
    ("options", "docs", "expected"),
    [
        ("{lookups: {id: b}, traversal_paths: [c]}", "p(a b) q(b c)", "p(b) q(b)"),
        ("{lookups: {id: z}, traversal_paths: [m]}", "p[a b] q[c]", "p q"),
        ("{lookups: {score__value__gt: 1}, traversal_paths: [m]}", "p[a:2 b:1]", "p[a:2]"),
        ("{lookups: {id__in: [p, a]}}", "p(a b) q(a)", "p(a)"),
    ],
)
def test_lists_are_filtered_each_by_itself(options: str, docs: str, expected: str) -> None:
    assert text_of(made(f"!FilterQL {{with: {options}}}", docs_of(docs))) == expected


@pytest.mark.parametrize(
    ("drivers", "docs", "expected"),
    [
        (
            "!ExcludeQL {with: {fields: [tags], traversal_paths: [r]}}",
            "a{n=1}(b{n=2})",
            "a(b{n=2})",
        ),
        ("!ExcludeQL {with: {fields: [tags]}}", "a{n=1}(b{n=2})", "a{n=1}(b)"),
        ("!ExcludeQL {with: {fields: chunks, traversal_paths: [r]}}", "a(b)[c]", "a[c]"),
        ("!SelectQL {with: {fields: [matches], traversal_paths: [r]}}", "a{n=1}(b)[c]", "a[c]"),
        ("!SelectQL {with: {fields: [score], traversal_paths: [m]}}", "a[b:1{n=1}]", "a[b:1]"),
        ("!PruneDriver {with: {pruned: [tags]}}", "a(b{n=2})", "a(b)"),
    ],
)
def test_fields_are_selected_and_excluded(drivers: str, docs: str, expected: str) -> None:
    assert text_of(made(drivers, docs_of(docs))) == expected


@pytest.mark.parametrize(
    ("drivers", "docs", "expected"),
    [
        # Those that are not kept go out of their list; the score stays.
        ("!KVSearchDriver {}", "q[m1:3 x:2 m2:1]", "q[m1:3{price=1} m2:1{price=2}]"),
        ("!KVSearchDriver {}", "p[m2:1] q[m2:4]", "p[m2:1{price=2}] q[m2:4{price=2}]"),
        ("!KVSearchDriver {}", "q[x:2]", "q"),
        ("!KVSearchDriver {with: {traversal_paths: [r]}}", "q x", "q{price=5}"),
        ("!KVSearchDriver {with: {traversal_paths: [c]}}", "q(c1 c2)", "q(c1{price=9})"),
        ("!KVSearchDriver {with: {is_merge: false}}", "q[m1:3]", "q[m1{price=1}]"),
        ("!DocPbSearchDriver {}", "q[m1:3]", "q[m1:3{price=1}]"),
    ],
)
def test_documents_are_filled_by_id(drivers: str, docs: str, expected: str) -> None:
    assert text_of(made(drivers, docs_of(docs))) == expected


def _with_parents(line: str) -> DocumentBatch:
    """Return documents of which each match is a chunk of what its id begins with."""
    docs = docs_of(line)
    for path in ("matches", "chunks"):
        column = docs.docs(path)
        if column is None:
            continue
        inner = column.docs
        if path == "matches":
            parents = ValuesColumn([id_.partition("#")[0] for id_ in inner.ids])
            inner = inner.with_columns(parent_id=parents)
        elif (below := inner.docs("matches")) is not None:
            parents = ValuesColumn([id_.partition("#")[0] for id_ in below.docs.ids])
            found = below.docs.with_columns(parent_id=parents)
            inner = inner.with_columns(matches=DocsColumn(below.offsets, found))
        docs = docs.with_columns(**{path: DocsColumn(column.offsets, inner)})
    return docs


AGGREGATE = "!AggregateMatches2DocRankDriver {}"
CHUNKS = "!Chunk2DocRankDriver {}\n!ExcludeQL {with: {fields: [chunks], traversal_paths: [r]}}"


@pytest.mark.parametrize(
    ("tool", "drivers", "docs", "expected"),
    [
        (Tool, AGGREGATE, "q[a#0:1 b#0:2 a#1:4]", "q[a:4 b:2]"),
        (Least, AGGREGATE, "q[a#0:1 b#0:2 a#1:4]", "q[b:2 a:1]"),
        (Total, AGGREGATE, "q[a#0:1 b#0:2 a#1:4]", "q[a:5 b:2]"),
        (Tool, AGGREGATE, "q[b#0:1 a#0:1]", "q[a:1 b:1]"),
        (Tool, AGGREGATE, "p[a#0:1] q[a#1:3 b#0:2]", "p[a:1] q[a:3 b:2]"),
        (Tool, CHUNKS, "q(x[a#0:1] y[a#1:3 b#0:2])", "q[a:3 b:2]"),
        (Total, CHUNKS, "q(x[a#0:1] y[a#1:3 b#0:5])", "q[b:5 a:4]"),
        (Least, CHUNKS, "p(x[a#0:7]) q(y[b#0:2] z[b#0:1])", "p[a:7] q[b:1]"),
        (Tool, CHUNKS, "p(x) q(y[b#0:2])", "p q[b:2]"),
    ],
)
def test_matched_chunks_make_matches_of_their_documents(
    tool: type[Tool], drivers: str, docs: str, expected: str
) -> None:
    assert text_of(made(drivers, _with_parents(docs), by=tool())) == expected


@pytest.mark.parametrize(
    ("keep", "expected"),
    [("false", "q[a:4 b:2]"), ("true", "q[a:4(a#1:4 a#0:1) b:2(b#0:2)]")],
)
def test_matched_chunks_may_stay_as_chunks(keep: str, expected: str) -> None:
    option = f"{{with: {{keep_source_matches_as_chunks: {keep}}}}}"
    docs = _with_parents("q[a#0:1 b#0:2 a#1:4]")

    assert text_of(made(f"!AggregateMatches2DocRankDriver {option}", docs)) == expected


@pytest.mark.parametrize(
    ("drivers", "docs", "more", "expected"),
    [
        ("!Matches2DocRankDriver {}", "q[b:2 c:1 a:3]", {}, "q[a:3 b:2 c:1]"),
        ("!Matches2DocRankDriver {}", "q[b:2 a:3]", {"top_k": 1}, "q[a:3]"),
        (
            "!Matches2DocRankDriver {with: {traversal_paths: [cm]}}",
            "q(x[b a])[d c]",
            {},
            "q(x[a b])[d c]",
        ),
    ],
)
def test_matches_are_ranked(drivers: str, docs: str, more: Any, expected: str) -> None:
    assert text_of(made(drivers, docs_of(docs), **more)) == expected


def _queries(line: str) -> DocumentBatch:
    """Return documents with a vector each, and so their chunks."""
    docs = docs_of(line)
    chunks = docs.docs("chunks")
    if chunks is not None:
        inner = chunks.docs.with_tensor(np.ones((len(chunks.docs), 2)))
        docs = docs.with_columns(chunks=DocsColumn(chunks.offsets, inner))
    return docs.with_tensor(np.ones((len(docs), 2)))


@pytest.mark.parametrize(
    ("drivers", "docs", "more", "expected"),
    [
        ("!VectorSearchDriver {}", "q", {}, "q[m1:3 m2:2 m3:1]"),
        ("!VectorSearchDriver {}", "q(c)", {}, "q(c[m1:3 m2:2 m3:1])[m1:3 m2:2 m3:1]"),
        (
            "!VectorSearchDriver {with: {top_k: 2, traversal_paths: [c]}}",
            "q(c)",
            {},
            "q(c[m1:3 m2:2])",
        ),
        ("!VectorSearchDriver {}", "q", {"top_k": 1}, "q[m1:3]"),
        (
            "!VectorSearchDriver {}\n!KVSearchDriver {}",
            "q",
            {"top_k": 2},
            "q[m1:3{price=1} m2:2{price=2}]",
        ),
    ],
)
def test_vectors_are_searched_with(drivers: str, docs: str, more: Any, expected: str) -> None:
    assert text_of(made(drivers, _queries(docs), **more)) == expected


def test_documents_without_a_vector_are_not_searched_with() -> None:
    assert text_of(made("!VectorSearchDriver {}", docs_of("q"))) == "q"


TOP = "!SliceQL {with: {start: 0, end: 3, traversal_paths: [m]}}"
SLICED = {"name": "SliceQL", "parameters": {"end": 1}}


@pytest.mark.parametrize(
    ("drivers", "more", "expected"),
    [
        (TOP, {}, "q[w x y]"),
        (TOP, {"top_k": 2}, "q[w x]"),
        (TOP, {"queryset": [{**SLICED, "priority": 1}]}, "q[w]"),
        # Only a higher priority counts, and 0 is what Drivers have.
        (TOP, {"queryset": [SLICED]}, "q[w x y]"),
        (TOP, {"queryset": [{**SLICED, "priority": 1, "disabled": True}]}, "q[w x y]"),
        (TOP, {"queryset": [{**SLICED, "name": "ReverseQL", "parameters": {}}]}, "q[w x y]"),
        (
            TOP.replace("end: 3", "end: 3, priority: 5"),
            {"queryset": [{**SLICED, "priority": 1}]},
            "q[w x y]",
        ),
        (TOP.replace("end: 3", "end: 3, priority: 5"), {"top_k": 1}, "q[w x y]"),
        # Of two the first counts, option by option.
        (
            TOP,
            {
                "queryset": [
                    {**SLICED, "priority": 1},
                    {"name": "SliceQL", "parameters": {"start": 1, "end": 4}, "priority": 2},
                ]
            },
            "q",
        ),
        (
            TOP,
            {"queryset": [{"name": "SliceDriver", "parameters": {"start": 2}, "priority": 1}]},
            "q[y]",
        ),
    ],
)
def test_a_request_goes_over_what_a_driver_was_told(
    drivers: str, more: dict[str, Any], expected: str
) -> None:
    assert text_of(made(drivers, docs_of("q[w x y z]"), **more)) == expected


@pytest.mark.parametrize(
    ("drivers", "parts", "expected"),
    [
        ("!ReduceDriver {}", ["a b", "b c"], "a b c"),
        ("!ReduceDriver {}", ["q[x:1]", "q[y:2]"], "q[x:1 y:2]"),
        ("!ReduceAllDriver {with: {traversal_paths: [m]}}", ["q[x:1]", "q[x:5]"], "q[x:5]"),
        ("!ReduceDriver {}", ["q(a)", "q[b]"], "q(a)[b]"),
        (
            "!ReduceDriver {}\n"
            "!SortQL {with: {field: score, reverse: true, traversal_paths: [m]}}\n"
            "!SliceQL {with: {start: 0, end: 2, traversal_paths: [m]}}",
            ["q[x:1 y:3]", "q[z:2]"],
            "q[y:3 z:2]",
        ),
        # Reciprocals of ranks: b has 1/2 + 1, a 1, c 1/2.
        ("driver: FuseDriver", ["q[a:9 b:8]", "q[b:1 c:0.5]"], "q[b:1.5 a:1 c:0.5]"),
        ("driver: FuseDriver", ["q[a:9 b:8]"], "q[a:9 b:8]"),
        ("driver: FuseDriver", ["p[b:1] q[a:9]", "q[c:1]"], "p[b:1] q[a:1 c:1]"),
    ],
)
def test_answers_of_several_pods_are_merged(drivers: str, parts: list[str], expected: str) -> None:
    batches = [docs_of(part) for part in parts]

    assert text_of(made(drivers, union(batches), *batches)) == expected


def test_embeddings_of_several_pods_are_put_end_to_end() -> None:
    left = docs_of("a b").with_tensor(np.array([[1.0], [2.0]], np.float32))
    right = docs_of("b a").with_tensor(np.array([[3.0, 4.0], [5.0, 6.0]], np.float32))

    merged = made("!ConcatEmbedDriver {}", union([left, right]), left, right)

    assert merged.tensor("embedding").tolist() == [[1, 5, 6], [2, 3, 4]]


@pytest.mark.parametrize(
    ("drivers", "docs", "expected"),
    [
        # Of odd length are `a` and `abc`.
        (
            "!BinaryPredictDriver {with: {traversal_paths: [r]}}",
            "a ab",
            "a{prediction=yes} ab{prediction=no}",
        ),
        (
            "!BinaryPredictDriver {with: {one_label: odd, zero_label: even, output_tag: length}}",
            "ab(a)",
            "ab{length=even}(a{length=odd})",
        ),
        (
            "!OneHotPredictDriver {with: {labels: [even, odd], traversal_paths: [r]}}",
            "abc{n=1}",
            "abc{n=1,prediction=odd}",
        ),
    ],
)
def test_predictions_become_tags(drivers: str, docs: str, expected: str) -> None:
    assert text_of(made(drivers, docs_of(docs))) == expected


@pytest.mark.parametrize(
    ("drivers", "docs", "expected"),
    [
        ("!RankEvaluateDriver {with: {field: id}}", 'q{relevant=["a"]}[a b]', {"Tool": 1.0}),
        ("!RankEvaluateDriver {with: {field: id}}", 'q{relevant=["c"]}[a b]', {"Tool": 0.0}),
        ("!RankEvaluateDriver {}", "q{relevant=[7]}[a{id=7} b{id=8}]", {"Tool": 1.0}),
        ("!RankEvaluateDriver {with: {running_avg: true}}", "q[a]", None),
    ],
)
def test_matches_are_judged(drivers: str, docs: str, expected: dict[str, float] | None) -> None:
    assert list(made(drivers, docs_of(docs)).values("evaluations")) == [expected]
