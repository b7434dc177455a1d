"""What Executors know of the trace that a request belongs to, whether or not we trace."""

from __future__ import annotations

import pytest

from jina_cli.executors.telemetry import context_of

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def test_the_context_of_a_clients_trace_is_given() -> None:
    trace = pytest.importorskip("opentelemetry.trace", reason="needs the extra otel")

    context = context_of({"traceparent": f"00-{TRACE}-{PARENT}-01"})

    told = trace.get_current_span(context).get_span_context()
    assert (f"{told.trace_id:032x}", f"{told.span_id:016x}") == (TRACE, PARENT)


def test_a_request_of_no_trace_has_none() -> None:
    assert context_of({}) is None
    assert context_of({"tracestate": "a=b"}) is None
