"""What will run: the values that a plan is made of.

The parent makes a `Plan` out of a spec; each child gets its own `PeaPlan` as JSON
(`jina_cli.plan.codec`). All times are in seconds, all sizes in bytes, all paths absolute.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jina_cli.vocabulary import Compression, PeaRole, Polling, Protocol, Restart

MAX_MESSAGE_BYTES = 64 * 2**20
"""The body limit on every protocol, unless the spec says otherwise."""

MAX_QUEUE = 256
"""Requests that may wait for one Pea; one more is refused."""

DEFAULT_DEADLINE_S = 120.0
"""How long a request may take where neither the client nor `timeout_send` says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorPlan:
    """Which class a Pea loads, and what it is given.

    Attributes:
        uses: A registry name (`TextIndexer`), `file.py:Class` (absolute), `pkg.mod:Class`,
            or the bare name of a class that one of `py_modules` defines.
        py_modules: Python files (absolute) or dotted modules, imported in this order first.
        with_: Keyword arguments of the constructor.
        metas: `name`, `description`, `workspace`, as in the YAML.
        requests: Endpoint → method name, or list of Drivers (`{driver, with}`), over the
            class's own.
        dynamic_batching: Endpoint → `{preferred_batch_size, timeout}`; timeout in ms.
        components: Executors chained in this one, in order; only in compound Executors.
        source_dir: Folder of the YAML that names it; relative paths are relative to it.
        place: `flow.yml:12:5`, where the YAML names it; for messages.
    """

    uses: str
    py_modules: tuple[str, ...] = ()
    with_: Mapping[str, Any] = field(default_factory=dict)
    metas: Mapping[str, Any] = field(default_factory=dict)
    requests: Mapping[str, Any] = field(default_factory=dict)
    dynamic_batching: Mapping[str, Any] = field(default_factory=dict)
    components: tuple[ExecutorPlan, ...] = ()
    source_dir: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FusedPlan:
    """A Pod that runs in the process of the Pod before it (`runtime: inprocess`).

    Attributes:
        pod: Its name.
        executor: What it loads.
        workspace: Folder for what its Executor keeps.
        when: Condition on documents; None passes all.
        allow_concurrent: As in `PeaPlan`, as are the next two.
    """

    pod: str
    executor: ExecutorPlan
    workspace: str
    when: Mapping[str, Any] | None = None
    allow_concurrent: bool = False
    exit_on_exceptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """What a process says of itself to those who watch it.

    Attributes:
        monitoring: Whether it counts and times for Prometheus.
        port_monitoring: Where it serves these numbers itself; 0 nowhere.
        traces_to: `host:port` of an OTLP collector of spans (gRPC); empty for none.
        metrics_to: The same for measurements.
    """

    monitoring: bool = False
    port_monitoring: int = 0
    traces_to: str = ""
    metrics_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadPlan:
    """What the head of a sharded Pod needs to know.

    Attributes:
        shards: For each shard the addresses of its replicas.
        polling: Endpoint → which shards it goes to; `*` for those not named.
        before: Executor that sees a request before the shards do (`uses_before`).
        after: Executor that sees the merged answer (`uses_after`).
        partial: Whether what some shards answered is enough where others failed.
        retries: As in `Route`, among the replicas of a shard.
        idempotent: As in `Route`.
    """

    shards: tuple[tuple[str, ...], ...]
    polling: Mapping[str, Polling] = field(default_factory=dict)
    before: ExecutorPlan | None = None
    after: ExecutorPlan | None = None
    partial: bool = False
    retries: int = -1
    idempotent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Where the Gateway serves one protocol. Port 0 takes any free one."""

    protocol: Protocol
    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One step of the Flow, as the Gateway sees it.

    Attributes:
        pod: Name of the Pod.
        needs: Pods whose answers it waits for; empty means the request itself. With more
            than one, it gets all of their answers and merges them by document id.
        addresses: Its replicas, or its head alone where it has one. `unix:/path` for our own
            processes, `grpc://host:port` or `grpcs://host:port` for external ones.
        external: Whether somebody else runs it.
        floating: Whether nobody waits for its answer.
        when: Condition on documents (docarray query) of an external Pod; None passes all. A
            Pod of our own has it in its `PeaPlan`, since the Gateway opens no documents.
        timeout_s: Bound on this one step; None leaves it to the request's deadline.
        retries: Tries on another replica after a connection failed; below 0 means as many
            as there are replicas, at least 3.
        no_reduce: Whether its Executor gets the answers of its needs apart, unmerged.
        metadata: gRPC metadata for an external Pod.
        idempotent: Endpoints that may be asked again where a connection broke, beside those
            of `vocabulary.IDEMPOTENT_ENDPOINTS`.
        fused: Pods that run in the same process after this one, in order. It is given all
            parameters and the target, and sorts them out itself.
    """

    pod: str
    needs: tuple[str, ...]
    addresses: tuple[str, ...]
    external: bool = False
    floating: bool = False
    when: Mapping[str, Any] | None = None
    timeout_s: float | None = None
    retries: int = -1
    no_reduce: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)
    idempotent: tuple[str, ...] = ()
    fused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayPlan:
    """What the Gateway needs to know.

    Attributes:
        flow: Name of the Flow.
        listeners: In the order of the YAML; at least one.
        native_address: `unix:/path` for our own clients on this host.
        routes: In an order in which needs come first. Exactly one that is not floating has
            nobody that needs it: its answer is the answer of the Flow. (The planner adds a
            Pod `joiner` that merges where the YAML ends in several.)
        title: Of the HTTP API.
        description: Of the HTTP API.
        cors: Whether any origin may call the HTTP API.
        cors_origins: Origins that may, where not any may: `https://example.org`.
        ssl_certfile: PEM certificate for TLS on all protocols but our own; empty for none.
        ssl_keyfile: PEM key for TLS.
        prefetch: Requests of one stream that are worked on at a time.
        deadline_s: For requests that bring none.
        expose_endpoints: Endpoint → HTTP path and method overrides, as in Jina.
        compression: Of answers, for clients that say that they take it.
    """

    flow: str
    listeners: tuple[Listener, ...]
    native_address: str
    routes: tuple[Route, ...]
    title: str = ""
    description: str = ""
    cors: bool = False
    cors_origins: tuple[str, ...] = ()
    ssl_certfile: str = ""
    ssl_keyfile: str = ""
    prefetch: int = 1000
    deadline_s: float = DEFAULT_DEADLINE_S
    expose_endpoints: Mapping[str, Any] = field(default_factory=dict)
    compression: Compression = Compression.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class PeaPlan:
    """One process of a Flow.

    Attributes:
        name: `gateway`, `encode/rep-0`, `index/head`, `index/shard-1/rep-0`.
        pod: The Pod it is part of.
        role: What it does; says which of `executor`, `head`, `gateway` is there.
        address: `unix:/path` it serves; for the Gateway its `native_address`.
        workspace: Folder for what its Executor keeps, one for each Pod and shard; replicas
            of a shard share it.
        env: Variables it gets on top of the parent's.
        forkable: Whether the spawner may fork it. False where `env` must be there before
            anything is imported, or where another interpreter is asked for.
        python: Interpreter for a cold start.
        ready_within_s: From spawn to ready.
        stop_within_s: From SIGTERM to SIGKILL.
        max_restarts: In a row; after them it has failed.
        needs: Pods that must be stopped after it (it is stopped first). All start at once.
        max_queue: Requests that wait or are worked on here; one more is refused.
        inputs: Pods whose answers come as the bodies of a request, in order; empty for one.
        no_reduce: Whether the Executor gets these answers apart, unmerged.
        allow_concurrent: Whether synchronous methods may be called by several threads at once.
        when: Condition on documents (docarray query): only those that meet it reach the
            Executor, the others leave the request; None passes all.
        fused: Pods that run in this process after its own Executor.
        exit_on_exceptions: Names of exceptions that end the process when a request raises them.
        install_requirements: Whether to install what the Executor's `requirements.txt` asks
            for before it is imported.
        telemetry: What it says of itself.
    """

    name: str
    pod: str
    role: PeaRole
    address: str
    workspace: str
    shard: int = 0
    shards: int = 1
    replica: int = 0
    replicas: int = 1
    executor: ExecutorPlan | None = None
    head: HeadPlan | None = None
    gateway: GatewayPlan | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    forkable: bool = True
    python: str = ""
    ready_within_s: float = 600.0
    stop_within_s: float = 30.0
    restart: Restart = Restart.ON_FAILURE
    max_restarts: int = 5
    needs: tuple[str, ...] = ()
    max_queue: int = MAX_QUEUE
    max_message_bytes: int = MAX_MESSAGE_BYTES
    log_level: str = "INFO"
    inputs: tuple[str, ...] = ()
    no_reduce: bool = False
    allow_concurrent: bool = False
    when: Mapping[str, Any] | None = None
    fused: tuple[FusedPlan, ...] = ()
    exit_on_exceptions: tuple[str, ...] = ()
    install_requirements: bool = False
    telemetry: Telemetry = field(default_factory=Telemetry)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All processes of one Flow.

    Attributes:
        flow: Its name.
        source: Path of the YAML file.
        run_dir: Folder for sockets, identities and the lock; 0700.
        log_dir: Folder of the log files, one for each Pea.
        workspace: Root of the workspaces.
        gateway: The Gateway's process.
        peas: All others, heads included; external Pods have none.
    """

    flow: str
    source: str
    run_dir: str
    log_dir: str
    workspace: str
    gateway: PeaPlan
    peas: tuple[PeaPlan, ...]
