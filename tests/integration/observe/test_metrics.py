"""A real Flow that counts, and Prometheus' own parser that reads what it serves."""

from __future__ import annotations

import textwrap
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.testing.faulty import post, started
from tests.testing.ports import free_port
from tests.testing.processes import Jinas

EXECUTOR = """
from jina import Executor, monitor, requests

class Work(Executor):
    @requests(on="/do")
    def do(self, docs, parameters, **kwargs):
        if parameters.get("do"):
            raise ValueError("no good")
        self.part(docs)

    @monitor(name="part_seconds", documentation="Time of a part")
    def part(self, docs):
        return len(docs)
"""


def _numbers(port: int) -> Mapping[tuple[str, str], float]:
    """Return name and `deployment` or `executor_endpoint` of each number, and its value."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    found: dict[tuple[str, str], float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = sample.labels
            kind = labels.get("deployment") or labels.get("executor_endpoint") or ""
            found[sample.name, kind] = sample.value
    return found


def test_gateway_and_pods_count_under_the_names_that_jina_gave(tmp_path: Path) -> None:
    ports = [free_port() for _ in range(3)]
    (tmp_path / "work.py").write_text(EXECUTOR)
    flow = tmp_path / "flow.yml"
    flow.write_text(
        textwrap.dedent(f"""
            jtype: Flow
            with:
              host: 127.0.0.1
              protocol: http
              port: {ports[0]}
              monitoring: true
              port_monitoring: {ports[1]}
            executors:
              - name: faulty
                uses: work.py:Work
                port_monitoring: {ports[2]}
        """)
    )
    with Jinas(tmp_path) as jina:
        _, address = started(jina, flow)
        for _ in range(3):
            assert post(address)["status"] == 200
        assert post(address, "break")["status"] == 500

        gateway, pod = _numbers(ports[1]), _numbers(ports[2])

    assert gateway["jina_successful_requests_total", ""] == 3
    assert gateway["jina_failed_requests_total", ""] == 1
    assert gateway["jina_number_of_pending_requests", ""] == 0
    assert gateway["jina_receiving_request_seconds_count", ""] == 4
    assert gateway["jina_received_request_bytes_sum", ""] > 0
    assert gateway["jina_sent_response_bytes_count", ""] == 4
    assert gateway["jina_sending_request_seconds_count", "faulty"] == 4
    assert gateway["jina_sent_request_bytes_count", "faulty"] == 4
    assert gateway["jina_received_response_bytes_count", "faulty"] == 4
    assert pod["jina_process_request_seconds_count", "/do"] == 4
    assert pod["jina_document_processed_total", "/do"] == 4
    assert pod["jina_successful_requests_total", ""] == 3
    assert pod["jina_failed_requests_total", ""] == 1
    assert pod["jina_part_seconds_count", ""] == 3


def test_pods_that_share_a_process_count_together(tmp_path: Path) -> None:
    ports = [free_port() for _ in range(2)]
    (tmp_path / "work.py").write_text(EXECUTOR)
    flow = tmp_path / "flow.yml"
    flow.write_text(
        textwrap.dedent(f"""
            jtype: Flow
            with:
              host: 127.0.0.1
              protocol: http
              port: {ports[0]}
              monitoring: true
            executors:
              - name: faulty
                uses: work.py:Work
                port_monitoring: {ports[1]}
              - name: second
                uses: work.py:Work
                runtime: inprocess
        """)
    )
    with Jinas(tmp_path) as jina:
        _, address = started(jina, flow)
        assert post(address)["status"] == 200

        shared = _numbers(ports[1])

    assert shared["jina_process_request_seconds_count", "/do"] == 2
    assert shared["jina_document_processed_total", "/do"] == 2
    assert shared["jina_part_seconds_count", ""] == 2
