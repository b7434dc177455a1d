"""Plans as JSON: what comes out is what went in."""

from __future__ import annotations

import json

import pytest

from jina_cli.plan.codec import from_json, to_json
from jina_cli.plan.models import ExecutorPlan, HeadPlan, Listener, PeaPlan
from jina_cli.vocabulary import PeaRole, Polling, Protocol, Restart


def test_enums_are_their_values_and_tuples_lists() -> None:
    head = HeadPlan(shards=(("unix:/a", "unix:/b"), ("unix:/c",)), polling={"*": Polling.ALL})

    assert to_json(head) == {
        "shards": [["unix:/a", "unix:/b"], ["unix:/c"]],
        "polling": {"*": "ALL"},
        "before": None,
        "after": None,
        "partial": False,
        "retries": -1,
        "idempotent": [],
    }


def test_a_process_with_all_that_it_can_have_survives() -> None:
    executor = ExecutorPlan(
        uses="X",
        with_={"a": [1, {"b": None}]},
        requests={"/foo": [{"driver": "D", "with": {}}]},
        components=(ExecutorPlan(uses="Y"),),
    )
    pea = PeaPlan(
        name="x/head",
        pod="x",
        role=PeaRole.HEAD,
        address="unix:/p0.sock",
        workspace="/w",
        executor=executor,
        head=HeadPlan(shards=(("unix:/a",),), before=executor),
        env={"A": "1"},
        restart=Restart.ALWAYS,
        needs=("y",),
    )

    assert from_json(PeaPlan, json.loads(json.dumps(to_json(pea)))) == pea


def test_a_key_that_is_no_field_is_refused() -> None:
    data = to_json(Listener(protocol=Protocol.GRPC, host="::1", port=1))

    with pytest.raises(TypeError, match="colour"):
        from_json(Listener, data | {"colour": "red"})
