"""The file of a graph: what comes back is what was saved, or nothing."""

from pathlib import Path

import numpy as np
import pytest

from jina_cli.store import sidecar
from jina_cli.store.exact import prepare
from jina_cli.store.hnsw import Graph, digests_of
from jina_cli.store.space import Space
from jina_cli.vocabulary import Metric

DIM = 4


def a_graph(metric: Metric = Metric.COSINE, count: int = 200) -> Graph:
    vectors = np.random.default_rng(1).standard_normal((count, DIM)).astype(np.float32)
    prepared = prepare(vectors, metric)
    graph = Graph(Space.fit(metric, prepared))
    graph.expect(np.arange(count), 1024)
    graph.add(np.arange(count), prepared)
    return graph


def saved_to(path: Path, graph: Graph) -> None:
    keys = np.arange(1024) << 20
    sidecar.save(path, graph.index, sidecar.Saved.of(graph, keys, change=7))


@pytest.mark.parametrize("is_shared", [False, True], ids=["loaded", "mapped"])
@pytest.mark.parametrize("metric", Metric, ids=lambda m: m.value)
def test_a_graph_comes_back(metric: Metric, is_shared: bool, tmp_path: Path) -> None:
    graph = a_graph(metric)
    graph.forget(np.array([3]))
    saved_to(tmp_path / "graph", graph)

    saved, index = sidecar.load(tmp_path / "graph", metric, DIM, is_shared=is_shared)

    assert saved.change == 7
    assert saved.keys[:5].tolist() == [0, 1 << 20, 2 << 20, -1, 4 << 20]
    assert saved.digests.tolist() == graph.digests.tolist()
    assert saved.space.centre.tolist() == graph.space.centre.tolist()
    assert (saved.space.scale, saved.space.reach) == (graph.space.scale, graph.space.reach)
    again = Graph(saved.space, index=index, digests=saved.digests, memory=saved.memory)
    again.expect(np.arange(200), 1024)
    labels = np.flatnonzero(saved.keys >= 0)
    again.adopt(labels, saved.keys[labels] >> 20)
    query = prepare(np.ones((1, DIM), np.float32), metric)
    aims = graph.space.aim(query)
    assert aims is not None
    assert again.search(aims, 9, 64)[0].tolist() == graph.search(aims, 9, 64)[0].tolist()
    assert (again.size, again.stale) == (graph.size, 1)


def test_nothing_but_the_file_stays_behind(tmp_path: Path) -> None:
    (tmp_path / "graph.new").write_bytes(b"of a writer that was killed")

    saved_to(tmp_path / "graph", a_graph())

    assert [path.name for path in tmp_path.iterdir()] == ["graph"]
    assert (tmp_path / "graph").stat().st_mode & 0o777 == 0o600


def test_a_file_cut_or_changed_anywhere_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "graph"
    saved_to(path, a_graph())
    whole = path.read_bytes()
    rng = np.random.default_rng(2)

    for place in [0, *rng.integers(0, len(whole), 100).tolist(), len(whole) - 1]:
        changed = bytearray(whole)
        changed[place] ^= 1 << rng.integers(0, 8)
        for damaged in (whole[:place], bytes(changed)):
            path.write_bytes(damaged)
            with pytest.raises(sidecar.Unusable, match=r"^it is (cut off|not what was written)$"):
                sidecar.load(path, Metric.COSINE, DIM, is_shared=False)


REFUSED = {
    "it is for cosine, not for l2": (Metric.L2, DIM),
    "it is for vectors of 4 dimensions, not of 5": (Metric.COSINE, 5),
}


@pytest.mark.parametrize("message", REFUSED)
def test_a_graph_of_other_vectors_is_not_used(message: str, tmp_path: Path) -> None:
    saved_to(tmp_path / "graph", a_graph())

    with pytest.raises(sidecar.Unusable, match=f"^{message}$"):
        sidecar.load(tmp_path / "graph", *REFUSED[message], is_shared=False)


def test_a_folder_that_is_gone_is_an_error_of_the_disk(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        saved_to(tmp_path / "gone" / "graph", a_graph())


def test_digests_tell_vectors_apart() -> None:
    vectors = np.random.default_rng(1).standard_normal((5000, 7)).astype(np.float32)
    vectors[4999] = vectors[0]
    vectors[4998] = vectors[0][::-1]

    digests = digests_of(vectors)

    assert len(set(digests.tolist())) == 4999
    assert digests[0] == digests[4999] == digests_of(vectors[:1])[0]
