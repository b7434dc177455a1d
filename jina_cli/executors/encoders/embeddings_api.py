"""The embeddings endpoint of OpenAI, which many servers offer as well, over HTTP."""

from __future__ import annotations

import email.message
import email.utils
import http.client
import json
import random
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from jina_cli.errors import JinaError, UsageError

_LONGEST_WAIT_S = 60.0
_FIRST_WAIT_S = 0.5
_TRY_AGAIN = frozenset({408, 409, 429, 500, 502, 503, 504})
_MOST_BYTES = 256 * 1024 * 1024
_MOST_SAID = 300


class ServiceFailed(JinaError):
    """A service over HTTP does not answer, or refuses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Where embeddings are made.

    Attributes:
        url: Of the API (`https://host/v1`) or of its endpoint (`https://host/v1/embeddings`).
        model: Its name there.
        key: Sent as a bearer token; empty for none. It is in no message.
        dimensions: Asked for; 0 for as many as the model has.
        timeout_s: That one request may take.
        retries: More tries where trying again may help.
    """

    url: str
    model: str
    key: str = ""
    dimensions: int = 0
    timeout_s: float = 60.0
    retries: int = 5

    def __repr__(self) -> str:
        return f"Service({self.endpoint!r}, {self.model!r})"

    @property
    def endpoint(self) -> str:
        """What is posted to."""
        base = self.url.rstrip("/")
        return base if base.endswith("/embeddings") else f"{base}/embeddings"

    @property
    def place(self) -> str:
        """The endpoint without what a query may hide, for messages."""
        parts = urlsplit(self.endpoint)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"


class Embeddings:
    """Asks a service for embeddings.

    Requests that fail in a way that may pass are sent again: after as long as the service says
    (`Retry-After`), else after 0.5 s, 1 s, 2 s … and a random share. Redirects are refused, so
    that the key goes nowhere but where it was meant for.

    Args:
        service: Where.
        pause: Waits that many seconds, and says whether to give up.

    Raises:
        UsageError: The URL is none.
    """

    def __init__(self, service: Service, *, pause: Callable[[float], bool] | None = None) -> None:
        parts = urlsplit(service.endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(f"{service.url!r} is no URL", hint="use https://host/v1")
        self._service = service
        self._closed = threading.Event()
        self._pause = pause or self._closed.wait
        self._opener = urllib.request.build_opener(_NoRedirects())

    def close(self) -> None:
        """Give up requests that wait to be sent again."""
        self._closed.set()

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the embeddings of at least one text, as the service gives them: `(n, dim)`.

        Raises:
            ServiceFailed: It does not answer, refuses, or answers with something else.
        """
        service = self._service
        asked: dict[str, Any] = {
            "model": service.model,
            "input": list(texts),
            "encoding_format": "float",
        }
        if service.dimensions:
            asked["dimensions"] = service.dimensions
        return self._read(self._answer(json.dumps(asked).encode()), len(texts))

    def _answer(self, body: bytes) -> bytes:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._service.key:
            headers["Authorization"] = f"Bearer {self._service.key}"
        request = urllib.request.Request(self._service.endpoint, body, headers, method="POST")
        wait_s = _FIRST_WAIT_S
        for left in range(self._service.retries, -1, -1):
            try:
                with self._opener.open(request, timeout=self._service.timeout_s) as response:
                    answer: bytes = response.read(_MOST_BYTES)
                    return answer
            except urllib.error.HTTPError as error:
                with error:
                    said = _said(error)
                failure = self._refused(error.code, said)
                asked_s = _retry_after(error.headers)
                if error.code not in _TRY_AGAIN or not left:
                    raise failure from None
            except (OSError, http.client.HTTPException) as error:
                failure = self._failed(f"does not answer: {_reason(error)}")
                asked_s = None
                if not left:
                    raise failure from error
            waits = wait_s * random.uniform(1, 1.5) if asked_s is None else asked_s
            if waits > _LONGEST_WAIT_S or self._pause(waits):
                raise failure
            wait_s *= 2
        raise AssertionError("the last try returns or raises")

    def _refused(self, status: int, said: str) -> ServiceFailed:
        hint = ""
        if status in (401, 403):
            hint = (
                "check the variable that 'api_key_env' names"
                if self._service.key
                else ("name the variable that holds the key as 'api_key_env'")
            )
        elif status == 404:
            hint = f"check the URL and the model {self._service.model!r}"
        elif 300 <= status < 400:
            hint = "redirects are not followed; give the URL it leads to"
        return self._failed(f"answered {status}{f': {said}' if said else ''}", hint)

    def _failed(self, what: str, hint: str = "") -> ServiceFailed:
        return ServiceFailed(f"{self._service.place} {what}", hint=hint)

    def _read(self, answer: bytes, count: int) -> NDArray[np.float32]:
        try:
            data = json.loads(answer)["data"]
            rows = sorted(data, key=lambda item: item["index"])
            vectors = np.array([row["embedding"] for row in rows], np.float32)
            places = [row["index"] for row in rows]
        except (ValueError, KeyError, TypeError) as error:
            raise self._failed("answered with no list of embeddings") from error
        wanted = self._service.dimensions
        is_right = vectors.ndim == 2 and wanted in (0, vectors.shape[1])
        if places != list(range(count)) or not is_right or not np.isfinite(vectors).all():
            shape = vectors.shape
            raise self._failed(f"answered with embeddings of shape {shape} for {count} texts")
        return vectors


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Return nothing: then the redirect is an error."""


def _said(error: urllib.error.HTTPError) -> str:
    """Return what a service says of its refusal, on one line."""
    try:
        text = error.read(64 * 1024).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        return ""
    try:
        data = json.loads(text)
        inner = data.get("error", data)
        text = inner.get("message", text) if isinstance(inner, Mapping) else str(inner)
    except (ValueError, AttributeError):
        pass
    return " ".join(str(text).split())[:_MOST_SAID]


def _retry_after(headers: email.message.Message | None) -> float | None:
    """Return the seconds that a service asks for: a number or a date, as of RFC 9110, 10.2.3."""
    value = headers.get("Retry-After") if headers is not None else None
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        when = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, when.timestamp() - time.time())


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", error)
    return str(reason) or type(error).__name__
