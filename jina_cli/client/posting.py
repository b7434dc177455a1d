"""Jina's `post` on the core: its options, its callbacks, its ways to fail."""

from __future__ import annotations

import base64
import logging
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

from jina_cli.client.core import Core, Pace
from jina_cli.client.errors import BadClient, BadClientCallback, error_of
from jina_cli.client.inputs import Threaded, batches_of
from jina_cli.client.progress import Progress, progress_on
from jina_cli.client.question import Question
from jina_cli.client.response import Response
from jina_cli.client.retries import Retries
from jina_cli.client.returned import ReturnType
from jina_cli.nearest import nearest
from jina_cli.wire.messages import with_slash

if TYPE_CHECKING:
    from jina_cli.client.inputs import Inputs
    from jina_cli.documents.batch import DocumentBatch

log = logging.getLogger(__name__)

Callback: TypeAlias = Callable[[Response], Any]
InPlace: TypeAlias = Callable[[Callback, Response], Awaitable[None]]
"""Calls a callback where the caller's code runs."""

DEFAULT_WINDOW = 64
REQUEST_SIZE = 100


class PostOptions(TypedDict, total=False):
    """What `post` takes beside endpoint and inputs; the names are Jina's.

    Keys:
        on_done: Called with each answer that is no error; so is `on_error` with each that is,
            which is then not raised, and `on_always` with every one.
        parameters: Values for the Executors; `name__key` is for the Executor `name` alone.
        target_executor: Regular expression: others are passed by.
        request_size: Documents in a request (100); 0 or less puts all into one.
        show_progress: Whether to show on stderr how far it is.
        continue_on_error: Whether answers that are errors are logged, and not raised.
        return_responses: Whether to return `Response`s, and not documents.
        max_attempts: Tries of a request that found nobody (1), with pauses as `Retries` says:
            `initial_backoff` (0.5 s), `max_backoff` (2 s), `backoff_multiplier` (1.5).
        idempotent: Whether a request may be acted on twice, so that it may be sent again also
            where it is not known if it was; None where its endpoint says so, as `/search`.
        results_in_order: Answers come in the order of the inputs unless this is False.
        stream: Whether all requests go over one RPC, in gRPC (True); where their answers may
            come in any order, each has its own.
        prefetch: Requests that are under way at a time (the client's: 64).
        return_type: `DocList[YourDoc]`, or `YourDoc` for one document.
        metadata: Names and values that travel with the requests; so do `headers`.
        timeout: Seconds that each request may take; None leaves it to the Flow.
        auth: Name and password, for a proxy before the Flow.
        cookies: For a proxy before the Flow.
        compression: Of the client, for all its requests: see there.
    """

    on_done: Callback | None
    on_error: Callback | None
    on_always: Callback | None
    parameters: Any
    target_executor: str | None
    request_size: int
    show_progress: bool
    continue_on_error: bool
    return_responses: bool
    max_attempts: int
    initial_backoff: float
    max_backoff: float
    backoff_multiplier: float
    idempotent: bool | None
    results_in_order: bool
    stream: bool
    prefetch: int | None
    return_type: Any
    metadata: Mapping[str, str] | Iterable[tuple[str, str]] | None
    headers: Mapping[str, str] | None
    timeout: float | None
    auth: Any
    cookies: Mapping[str, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One call of `post`, its options sorted out.

    Attributes:
        shows: What is shown as progress; empty for none.
        whole: Whether `Response`s are wanted, not documents.
        tolerant: Whether answers that are errors are not raised.
    """

    question: Question
    pace: Pace
    request_size: int
    returns: ReturnType
    on_done: Callback | None
    on_error: Callback | None
    on_always: Callback | None
    shows: str
    whole: bool
    tolerant: bool

    @property
    def is_collected(self) -> bool:
        """Whether answers are returned: callbacks take them instead."""
        return self.on_done is None and self.on_always is None

    async def run(
        self, core: Core, inputs: Inputs, *, threaded: Threaded, in_place: InPlace
    ) -> AsyncGenerator[Response, None]:
        """Post the inputs, call the callbacks and yield the answers, also those that failed.

        Raises:
            BadServer: An answer is an error, and neither `on_error` nor `continue_on_error`
                takes care of it.
            BadClientCallback: A callback raised.
            JinaError: As `Core.ask_all`, and what the inputs are not.
        """
        batches: AsyncIterator[DocumentBatch | None] = _nothing()
        if inputs is not None:
            batches = batches_of(inputs, self.request_size, threaded)
        pairs = core.ask_all(self.question, batches, self.pace)
        try:
            with self._progress() as progress:
                async for request, raw in pairs:
                    response = Response(request, raw, self.returns)
                    await self._called(response, in_place)
                    progress.advance(1)
                    yield response
        finally:
            await pairs.aclose()

    async def _called(self, response: Response, in_place: InPlace) -> None:
        if response.ok:
            if self.on_done is not None:
                await self._call(self.on_done, response, in_place)
        elif self.on_error is not None:
            await self._call(self.on_error, response, in_place)
        elif self.tolerant:
            log.error("%s: %s", self.question.endpoint, response.status.description)
        else:
            raise self.failure(response)
        if self.on_always is not None:
            await self._call(self.on_always, response, in_place)

    async def _call(self, callback: Callback, response: Response, in_place: InPlace) -> None:
        try:
            await in_place(callback, response)
        except Exception as error:
            name = getattr(callback, "__name__", repr(callback))
            text = f"the callback {name} raised {type(error).__name__}: {error}"
            if not self.tolerant:
                raise BadClientCallback(text) from error
            log.exception("%s", text)

    def failure(self, response: Response) -> Exception:
        """Return what an answer that is an error is raised as."""
        question = self.question
        error = error_of(
            response.raw.status, question.endpoint, question.timeout_s, response.request_id
        )
        assert error is not None
        return error

    def _progress(self) -> Progress:
        color = "NO_COLOR" not in os.environ
        return progress_on(self.shows, shown=bool(self.shows), color=color, noun="requests")


async def _nothing() -> AsyncIterator[None]:
    yield None


def posting_of(
    on: str, options: PostOptions, *, prefetch: int, metadata: Mapping[str, str]
) -> Posting:
    """Return what the options of a call say.

    Args:
        prefetch: Of the client.
        metadata: Of the client.

    Raises:
        BadClient: There is no such option.
    """
    unknown = sorted(options.keys() - PostOptions.__annotations__.keys())
    if unknown:
        raise BadClient(f"post has no option {unknown[0]!r}", hint=_nearest(unknown[0]))
    window = options.get("prefetch")
    ordered = options.get("results_in_order", True)
    return Posting(
        question=question_of(on, options, metadata),
        pace=Pace(
            window=prefetch if window is None or window <= 0 else window,
            ordered=ordered,
            # On one RPC the Gateway itself answers in the order of the requests.
            one_rpc=ordered and options.get("stream", True),
            retries=_retries(options),
        ),
        request_size=options.get("request_size", REQUEST_SIZE),
        returns=ReturnType(options.get("return_type")),
        on_done=options.get("on_done"),
        on_error=options.get("on_error"),
        on_always=options.get("on_always"),
        shows=on if options.get("show_progress") else "",
        whole=options.get("return_responses", False),
        tolerant=options.get("continue_on_error", False),
    )


def question_of(on: str, options: Mapping[str, Any], metadata: Mapping[str, str]) -> Question:
    """Return the question that a call asks with each request."""
    return Question(
        endpoint=with_slash(on),
        parameters=_parameters(options.get("parameters")),
        target=options.get("target_executor") or "",
        timeout_s=options.get("timeout"),
        metadata={**metadata, **_metadata(options)},
    )


def _retries(options: PostOptions) -> Retries:
    return Retries(
        max_attempts=max(1, options.get("max_attempts", 1)),
        initial_backoff_s=options.get("initial_backoff", 0.5),
        max_backoff_s=options.get("max_backoff", 2.0),
        multiplier=options.get("backoff_multiplier", 1.5),
        idempotent=options.get("idempotent"),
    )


def _parameters(given: Any) -> Mapping[str, Any]:
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return given
    dump = getattr(given, "model_dump", None)  # a pydantic model
    if dump is None:
        raise BadClient(f"parameters are a {type(given).__name__}", hint="give a dict")
    dumped: Mapping[str, Any] = dump(mode="json")
    return dumped


def _metadata(options: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for option in ("metadata", "headers"):
        pairs = options.get(option) or ()
        for key, value in pairs.items() if isinstance(pairs, Mapping) else pairs:
            found[str(key).lower()] = str(value)
    if auth := options.get("auth"):
        name, password = (auth.login, auth.password) if hasattr(auth, "login") else auth
        code = base64.b64encode(f"{name}:{password}".encode()).decode()
        found["authorization"] = f"Basic {code}"
    if cookies := options.get("cookies"):
        found["cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return found


def _nearest(name: str) -> str:

    close = nearest(name, PostOptions.__annotations__)
    return f"did you mean {close}?" if close else ""
