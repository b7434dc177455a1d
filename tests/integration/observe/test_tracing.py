"""A real Flow sends spans to a collector; the trace is the client's."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.testing.faulty import started
from tests.testing.ports import free_port
from tests.testing.processes import Jinas, wait_until

service = pytest.importorskip(
    "opentelemetry.proto.collector.trace.v1.trace_service_pb2", reason="needs the extra otel"
)

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
EXECUTOR = """
from jina import Executor, requests

class Work(Executor):
    @requests(on="/do")
    def do(self, docs, tracing_context, **kwargs):
        with self.tracer.start_as_current_span("inside"):
            pass
        with self.tracer.start_as_current_span("given", context=tracing_context):
            pass
"""
FLOW = """
jtype: Flow
with:
  host: 127.0.0.1
  protocol: http
  port: {port}
  tracing: true
  traces_exporter_host: 127.0.0.1
  traces_exporter_port: {collector}
executors:
  - name: work
    uses: work.py:Work
"""


@dataclass
class Collector:
    """Takes spans over OTLP, and keeps them."""

    port: int = 0
    spans: list[Any] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def export(self, request: Any, _: Any) -> Any:
        with self.lock:
            for resource in request.resource_spans:
                for scope in resource.scope_spans:
                    self.spans.extend(scope.spans)
        return service.ExportTraceServiceResponse()

    def named(self, name: str) -> Any:
        with self.lock:
            return next((span for span in self.spans if span.name == name), None)


@contextmanager
def a_collector() -> Iterator[Collector]:
    collector = Collector()
    server = grpc.server(ThreadPoolExecutor(2))
    method = grpc.unary_unary_rpc_method_handler(
        collector.export,
        request_deserializer=service.ExportTraceServiceRequest.FromString,
        response_serializer=service.ExportTraceServiceResponse.SerializeToString,
    )
    name = "opentelemetry.proto.collector.trace.v1.TraceService"
    handler = grpc.method_handlers_generic_handler(name, {"Export": method})
    server.add_generic_rpc_handlers((handler,))
    collector.port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield collector
    finally:
        server.stop(None)


def test_the_spans_of_gateway_and_pod_hang_together_under_the_clients(tmp_path: Path) -> None:
    (tmp_path / "work.py").write_text(EXECUTOR)
    flow = tmp_path / "flow.yml"
    with a_collector() as collector, Jinas(tmp_path) as jina:
        flow.write_text(FLOW.format(port=free_port(), collector=collector.port))
        process, address = started(jina, flow)
        asked = urllib.request.Request(
            f"{address}/do",
            data=json.dumps({"data": [{"text": "a"}]}).encode(),
            headers={"content-type": "application/json", "traceparent": f"00-{TRACE}-{PARENT}-01"},
        )
        urllib.request.urlopen(asked, timeout=10).read()
        assert process.stop() == 0

        names = ("gateway /do", "work/rep-0 /do", "inside", "given")
        wait_until(lambda: all(map(collector.named, names)), 5, "the spans")
        outer, inner, inside, given = map(collector.named, names)

    assert {span.trace_id.hex() for span in (outer, inner, inside, given)} == {TRACE}
    assert outer.parent_span_id.hex() == PARENT
    assert inner.parent_span_id == outer.span_id
    assert inside.parent_span_id == inner.span_id
    assert given.parent_span_id == inner.span_id
