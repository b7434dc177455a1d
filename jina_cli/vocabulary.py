"""Words with one meaning everywhere: enums shared by schema, plan and wire."""

from __future__ import annotations

import enum


class Polling(enum.Enum):
    """Which shards a request goes to."""

    ANY = "ANY"  # each document to one shard, by the hash of its id
    ALL = "ALL"  # every document to every shard


class PeaRole(enum.Enum):
    """What a process of a Flow does."""

    GATEWAY = "gateway"
    HEAD = "head"  # spreads requests over shards and merges what they answer
    WORKER = "worker"  # runs an Executor


class Protocol(enum.Enum):
    """How clients talk to a Gateway."""

    GRPC = "grpc"
    HTTP = "http"
    WEBSOCKET = "websocket"
    NATIVE = "native"


class Metric(enum.Enum):
    """How alike two vectors are. In results a higher score is always better."""

    COSINE = "cosine"
    INNER_PRODUCT = "inner_product"
    L2 = "l2"  # score is minus the Euclidean distance


class Compression(enum.Enum):
    """How a Gateway compresses what it answers, for clients that take it."""

    NONE = "NoCompression"
    DEFLATE = "Deflate"
    GZIP = "Gzip"


class Runtime(enum.Enum):
    """Where a Pod's Executor runs."""

    PROCESS = "process"  # in processes of its own
    INPROCESS = "inprocess"  # in those of the Pod before it


class Partial(enum.Enum):
    """What becomes of an answer where some shards failed."""

    ALLOW = "allow"
    REFUSE = "refuse"


class Restart(enum.Enum):
    """When a Pea that ended is started again."""

    NO = "no"
    ON_FAILURE = "on-failure"
    ALWAYS = "always"


DEFAULT_ENDPOINT = "/default"
"""Answers every request whose endpoint nothing else is for."""

RESULTS = "__results__"
"""The parameter in which the dicts that Executors returned travel, by name of their Pea."""

TRAIN_ENDPOINT = "/train"
"""Goes to every replica of every shard, since all of them must learn the same."""

DRY_RUN_ENDPOINT = "_jina_dry_run_"
"""Passes through all Pods and does nothing; asks whether all of them answer."""

IDEMPOTENT_ENDPOINTS = frozenset(
    {"/search", "/get", "/count", "/dump", "/status", DRY_RUN_ENDPOINT}
)
"""May be sent again to another replica after a connection broke: they change nothing."""

DEFAULT_WORKSPACE = ".jina"
"""Beside the data, as `.git` and `.venv` are: what is indexed in a folder is found in it."""

MAX_TOP_K = 100_000
"""Matches that a query may ask for; more is a mistake, or an export."""

ALLOW_INSTALL = "JINA_ALLOW_INSTALL"
"""Variable that lets a Flow install what its Executors ask for; `--allow-install` sets it."""

PASSED_ON = (b"traceparent", b"tracestate", b"baggage")
"""Headers and metadata of a call to the Gateway that travel with the request to the Pods."""
