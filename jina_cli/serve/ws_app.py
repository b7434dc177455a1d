"""The WebSocket edge: which session a client gets that asks for one."""

from __future__ import annotations

from jina_cli.serve.http_connection import House, Upgrade
from jina_cli.serve.http_message import HttpRequest, Page, passed_on, problem
from jina_cli.serve.slots import Slots
from jina_cli.serve.ws_dialect import DIALECTS, subprotocol_of
from jina_cli.serve.ws_session import DryRunSession, RequestSession, SessionSettings
from jina_cli.wire.budget import Budget
from jina_cli.wire.messages import Answer

_DRY_RUN = "/dry_run"


class WebSockets:
    """Makes a session for each client: requests at `/`, a dry run at `/dry_run`.

    Args:
        answer: Carries a request through the Flow.
        settings: Of each session.
        slots: Of the requests that come by streams, of every protocol.
        budget: Room for the bytes of requests.
    """

    def __init__(
        self, answer: Answer, settings: SessionSettings, *, slots: Slots, budget: Budget
    ) -> None:
        self._answer = answer
        self._settings = settings
        self._slots = slots
        self._budget = budget

    def __call__(self, request: HttpRequest, house: House) -> Upgrade | Page:
        """Return what speaks WebSocket on the connection of a request, or why nobody does."""
        # Most Gateways are never asked for one, and start sooner without.
        from jina_cli.serve.ws_connection import WsConnection

        if request.path == _DRY_RUN:
            # Its answer is binary, whatever the client calls what it speaks.
            return WsConnection(house, DryRunSession(self._answer, self._budget), DIALECTS["bytes"])
        if request.path != "/":
            return problem(404, "a WebSocket is served at / and at /dry_run")
        offered = request.headers.get(b"sec-websocket-protocol", b"").decode("latin-1")
        name = subprotocol_of(offered)
        if name is None:
            known = " and ".join(DIALECTS)
            return problem(400, f"of {offered[:100]} none is known: there are {known}")
        dialect = DIALECTS[name]
        session = RequestSession(
            self._answer,
            dialect,
            self._settings,
            slots=self._slots,
            budget=self._budget,
            metadata=passed_on(request.headers),
        )
        return WsConnection(house, session, dialect)
