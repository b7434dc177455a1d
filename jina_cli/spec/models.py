"""What a Flow's YAML says, as values: one field for each key that has an effect.

Every field is named as its key; `with` is `with_`. Defaults are those of `schemas/*.json`
(a test compares them). Times are in milliseconds, as in the YAML. Keys that are refused, or
accepted without effect, have no field.

By the time a spec exists, variables are substituted, files are read, names are checked and
defaults of the Flow (`with:`) are laid under those of its Pods: nothing has to be looked up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jina_cli.diagnostics import Span
from jina_cli.vocabulary import Compression, Partial, Polling, Protocol, Restart, Runtime

GATEWAY = "gateway"
"""In `needs`: the request as it came in, before any Pod saw it."""

TELEMETRY = (
    "monitoring",
    "tracing",
    "traces_exporter_host",
    "traces_exporter_port",
    "metrics",
    "metrics_exporter_host",
    "metrics_exporter_port",
)
"""Keys that a Gateway and a Pod have alike."""

NOWHERE = Span("", 1, 1, 2)
"""The place of what no file says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverSpec:
    """One Driver in an Executor's `requests: on:`.

    Attributes:
        driver: Name of its class, `EncodeDriver`.
        with_: Keyword arguments of its constructor.
    """

    driver: str
    with_: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorSpec:
    """Which class runs in a Pod, and what it is given.

    The Pod's `uses_with`, `uses_metas`, `uses_requests`, `uses_dynamic_batching` and
    `py_modules` are already laid over what the Executor's own YAML says.

    Attributes:
        jtype: A registry name (`TextIndexer`), `file.py:Class` (absolute), `pkg.mod:Class`,
            or the name of a class that one of `py_modules` defines.
        with_: Keyword arguments of the constructor.
        metas: `name`, `description`, `workspace`.
        py_modules: Absolute paths of Python files, or dotted modules, in order of import.
        requests: Endpoint → name of a method, or Drivers in order.
        dynamic_batching: Endpoint → `preferred_batch_size`, `timeout` (ms), `flush_all`.
        components: Executors chained in this one, in order; only in compound Executors.
        source_dir: Absolute folder of the YAML that names the class.
        span: Where that YAML names it.
    """

    jtype: str = "BaseExecutor"
    with_: Mapping[str, Any] = field(default_factory=dict)
    metas: Mapping[str, Any] = field(default_factory=dict)
    py_modules: tuple[str, ...] = ()
    requests: Mapping[str, str | tuple[DriverSpec, ...]] = field(default_factory=dict)
    dynamic_batching: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    components: tuple[ExecutorSpec, ...] = ()
    source_dir: str = ""
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class PodSpec:
    """One named step of a Flow.

    Attributes:
        name: A Python identifier, unique in its Flow.
        uses: What it runs. `BaseExecutor` passes documents on as they are.
        needs: Names of Pods, or `GATEWAY` alone; never empty, since the default (the Pod
            before it) is filled in, and `method` with it.
        method: As written; `needs` and `floating` already say what it means.
        floating: Whether nobody waits for its answer.
        when: Condition on documents (docarray query); None lets all pass.
        shards: Parts the data is split into.
        replicas: Processes that share the work of each shard; writes go to the first.
        polling: Endpoint → which shards it goes to; always has `*`.
        uses_before: Executor in front of the shards.
        uses_after: Executor behind them.
        external: Whether somebody else runs it, at `host` and `port`.
        host: Of an external Pod, one for each address.
        port: Of an external Pod, as many as `host`.
        tls: Whether an external Pod is called over TLS.
        grpc_metadata: Sent with each call to an external Pod.
        no_reduce: Whether it gets the answers of its needs apart, unmerged.
        workspace: Folder for what its Executor keeps, absolute; None takes the Flow's.
        env: Environment variables of its processes.
        timeout_ready: From start to ready, in ms; -1 waits for ever.
        timeout_send: For one request, in ms; None leaves it to the request's deadline.
        retries: Tries on another replica; -1 means one for each replica, at least 3.
        restart: When a process of it that ended is started again.
        max_restarts: In a row, before it has failed.
        stop_timeout: From SIGTERM to SIGKILL, in ms.
        allow_concurrent: Whether synchronous methods may run in several threads at once.
        max_queue: Requests that wait or are worked on in one process; one more is refused.
        idempotent: Endpoints that may be asked again where a connection broke.
        partial: What becomes of an answer where some shards failed.
        runtime: Where its Executor runs; None leaves it to the Flow's `colocate`.
        exit_on_exceptions: Names of exceptions that end the process.
        install_requirements: Whether pip installs what the Executor asks for.
        monitoring: Whether its processes count and time for Prometheus.
        port_monitoring: Where they serve that; one for each, or the first of a row.
        tracing: Whether they send spans to `traces_exporter_host`.
        metrics: Whether they send measurements to `metrics_exporter_host`.
        uses_with: As written; `uses.with_` already holds it. So do the next four.
        span: Where the Pod begins in the YAML.
    """

    name: str
    uses: ExecutorSpec = ExecutorSpec()
    needs: tuple[str, ...] = ()
    method: str = "add"
    floating: bool = False
    when: Mapping[str, Any] | None = None
    shards: int = 1
    replicas: int = 1
    polling: Mapping[str, Polling] = field(default_factory=lambda: {"*": Polling.ANY})
    uses_before: ExecutorSpec | None = None
    uses_after: ExecutorSpec | None = None
    external: bool = False
    host: tuple[str, ...] = ("localhost",)
    port: tuple[int, ...] = ()
    tls: bool = False
    grpc_metadata: Mapping[str, str] = field(default_factory=dict)
    no_reduce: bool = False
    workspace: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    timeout_ready: int = 600_000
    timeout_send: int | None = None
    retries: int = -1
    restart: Restart = Restart.ON_FAILURE
    max_restarts: int = 5
    stop_timeout: int = 30_000
    allow_concurrent: bool = False
    max_queue: int = 256
    idempotent: tuple[str, ...] = ()
    partial: Partial = Partial.REFUSE
    runtime: Runtime | None = None
    exit_on_exceptions: tuple[str, ...] = ()
    install_requirements: bool = False
    monitoring: bool = False
    port_monitoring: tuple[int, ...] = ()
    tracing: bool = False
    traces_exporter_host: str = "localhost"
    traces_exporter_port: int = 4317
    metrics: bool = False
    metrics_exporter_host: str = "localhost"
    metrics_exporter_port: int = 4317
    uses_with: Mapping[str, Any] = field(default_factory=dict)
    uses_metas: Mapping[str, Any] = field(default_factory=dict)
    uses_requests: Mapping[str, Any] = field(default_factory=dict)
    uses_dynamic_batching: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    py_modules: tuple[str, ...] = ()
    extra_search_paths: tuple[str, ...] = ()
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySpec:
    """The one process that clients talk to.

    Attributes:
        host: Address it listens on.
        port: One for each of `protocol`; 0 takes any free port.
        protocol: At least one.
        title: Of the HTTP API.
        description: Of the HTTP API.
        cors: Whether any origin may call the HTTP API, or those that may.
        prefetch: Requests of one stream that are worked on at a time.
        max_message_bytes: The largest request or answer, on every protocol.
        expose_endpoints: Endpoint → `http_path`, `methods`, as in Jina.
        ssl_certfile: PEM certificate, absolute path; empty for none.
        ssl_keyfile: PEM key, absolute path.
        timeout_send: For a request that brings no deadline, in ms; None takes 120 s.
        env: Environment variables of its process.
        timeout_ready: From start to ready, in ms; -1 waits for ever.
        restart: When it is started again after it ended.
        max_restarts: In a row, before it has failed.
        stop_timeout: From SIGTERM to SIGKILL, in ms.
        compression: Of answers, for clients that take it.
        monitoring: As in `PodSpec`, as are those after it.
        port_monitoring: Where the process serves that; 0 nowhere.
        span: Where `gateway:` stands in the YAML.
    """

    host: str = "0.0.0.0"
    port: tuple[int, ...] = (0,)
    protocol: tuple[Protocol, ...] = (Protocol.GRPC,)
    title: str = ""
    description: str = ""
    cors: bool | tuple[str, ...] = False
    prefetch: int = 1000
    max_message_bytes: int = 64 * 2**20
    expose_endpoints: Mapping[str, Any] = field(default_factory=dict)
    ssl_certfile: str = ""
    ssl_keyfile: str = ""
    timeout_send: int | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    timeout_ready: int = 600_000
    restart: Restart = Restart.ON_FAILURE
    max_restarts: int = 5
    stop_timeout: int = 30_000
    compression: Compression = Compression.NONE
    monitoring: bool = False
    port_monitoring: int = 0
    tracing: bool = False
    traces_exporter_host: str = "localhost"
    traces_exporter_port: int = 4317
    metrics: bool = False
    metrics_exporter_host: str = "localhost"
    metrics_exporter_port: int = 4317
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowSpec:
    """One Flow: a Gateway, and Pods that need each other.

    Attributes:
        jtype: Always `Flow`; a Deployment was made a Flow of one Pod.
        version: Of the YAML dialect.
        name: For people, and for its run directory; the file's stem where the YAML has none.
        workspace: Root folder of all workspaces, absolute; None leaves it to the command.
        env: Environment variables of all its processes; a Pod's own win.
        colocate: Whether each Pod that can runs in the process of the Pod before it.
        gateway: What clients talk to.
        executors: The Pods, in the order of the YAML.
        source: Absolute path of the YAML file.
        spans: JSON pointer in the canonical form (`/executors/0/needs`) → where it was
            written. What no file says is not in it: see `span_of`.
    """

    jtype: str = "Flow"
    version: str = "1"
    name: str = "flow"
    workspace: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    colocate: bool = False
    gateway: GatewaySpec = GatewaySpec()
    executors: tuple[PodSpec, ...] = ()
    source: str = ""
    spans: Mapping[str, Span] = field(default_factory=dict)

    def span_of(self, pointer: str) -> Span:
        """Return where `pointer` was written, or the nearest thing around it that was."""
        while pointer and pointer not in self.spans:
            pointer = pointer.rpartition("/")[0]
        return self.spans.get(pointer, Span(self.source, 1, 1, 2))
