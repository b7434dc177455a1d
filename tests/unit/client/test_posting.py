"""What the options of a `post` come to."""

from __future__ import annotations

from typing import Any

import pytest

from jina_cli.client.posting import posting_of


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, (True, True)),
        ({"stream": False}, (True, False)),
        # A Gateway answers the requests of one RPC in their order.
        ({"results_in_order": False}, (False, False)),
        ({"results_in_order": False, "stream": True}, (False, False)),
    ],
)
def test_answers_in_any_order_have_an_rpc_each(options: Any, expected: tuple[bool, bool]) -> None:
    pace = posting_of("/x", options, prefetch=4, metadata={}).pace

    assert (pace.ordered, pace.one_rpc) == expected
