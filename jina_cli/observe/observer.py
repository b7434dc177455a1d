"""What one process tells those who watch it, as its plan says. Nothing is imported for nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from jina_cli.plan.models import Telemetry
from jina_cli.wire.messages import Answering, Hello

if TYPE_CHECKING:
    from jina_cli.observe.metrics import Numbers, Sending, Timing
    from jina_cli.observe.tracing import Exporter


class Observer:
    """Wraps what answers in a process, and serves or sends what it saw.

    Args:
        runtime: Name of the process.
        telemetry: Of its plan.

    Raises:
        MissingExtra: The plan asks for OpenTelemetry, which is not installed.
    """

    def __init__(self, runtime: str, telemetry: Telemetry) -> None:
        self._runtime = runtime
        self._port = telemetry.port_monitoring
        self._numbers = _numbers(runtime) if telemetry.monitoring else None
        self._exporter = _exporter(runtime, telemetry)

    def serve(self) -> None:
        """Serve the numbers for Prometheus, if they are to be served.

        Raises:
            PortTaken: Somebody else listens there.
        """
        if self._numbers is not None and self._port:
            self._numbers.serve(self._port)

    def flow(self, flow: Answering) -> Answering:
        """Return what answers in a Gateway, watched."""
        if self._numbers is not None:
            from jina_cli.observe.metrics import WatchedFlow

            flow = WatchedFlow(flow, self._numbers).answering
        return self._traced(flow)

    def sending(self) -> Sending | None:
        """Return what counts the requests of a Gateway to its Pods; None where nobody asks."""
        if self._numbers is None:
            return None
        from jina_cli.observe.metrics import Sending

        return Sending(self._numbers)

    def executor(self, own: Answering, hello: Hello) -> Answering:
        """Return what answers in a Pea, watched; `hello` is what it says of itself."""
        if self._numbers is not None:
            from jina_cli.observe.metrics import WatchedExecutor

            own = WatchedExecutor(own, self._numbers, hello).answering
        return self._traced(own)

    def timings(self, timings: Callable[[], Mapping[str, Timing]]) -> None:
        """Show also what Executors time themselves."""
        if self._numbers is not None:
            from jina_cli.observe.metrics import WatchedTimings

            WatchedTimings(self._numbers, timings)

    def close(self) -> None:
        """Send what is left, and serve no more."""
        if self._exporter is not None:
            self._exporter.close()
        if self._numbers is not None:
            self._numbers.close()

    def _traced(self, answering: Answering) -> Answering:
        if self._exporter is None or self._exporter.tracer is None:
            return answering
        from jina_cli.observe.tracing import Traced

        return Traced(answering, self._exporter.tracer, self._runtime).answering


def _numbers(runtime: str) -> Numbers:
    from jina_cli.observe.metrics import Numbers

    return Numbers(runtime)


def _exporter(runtime: str, telemetry: Telemetry) -> Exporter | None:
    if not telemetry.traces_to and not telemetry.metrics_to:
        return None
    from jina_cli.observe.tracing import Exporter

    return Exporter(runtime, traces_to=telemetry.traces_to, metrics_to=telemetry.metrics_to)
