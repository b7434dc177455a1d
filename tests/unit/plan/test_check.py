"""What is refused before anything is planned, and in which words."""

from __future__ import annotations

import pytest

from jina_cli.diagnostics import Span
from jina_cli.errors import SpecInvalid
from jina_cli.plan.check import problems_of
from jina_cli.spec.models import FlowSpec
from tests.testing.plans import a_flow, a_pod, planned

REFUSED: dict[str, tuple[FlowSpec, list[tuple[str, str, str, str | None]]]] = {
    "GPUs that are none": (
        a_flow(a_pod("x", env={"CUDA_VISIBLE_DEVICES": "RRa:b"})),
        [
            (
                "JNA211",
                "executors[0].env.CUDA_VISIBLE_DEVICES",
                "CUDA_VISIBLE_DEVICES: 'a:b' is no slice such as 0:2",
                "write RR for all GPUs, RR0:2 for a slice, RR1,3 for some",
            )
        ],
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_is_refused(case: str) -> None:
    flow, expected = REFUSED[case]

    assert [(p.code, p.path, p.message, p.hint) for p in problems_of(flow, {})] == expected


def test_all_problems_come_at_once_in_the_order_of_the_file() -> None:
    spans = {
        "/executors/0/env": Span("f.yml", 9, 3, 8),
        "/executors/1": Span("f.yml", 5, 3, 8),
    }
    gpus = {"CUDA_VISIBLE_DEVICES": "RR::0"}
    flow = FlowSpec(executors=(a_pod("x", env=gpus), a_pod("y", env=gpus)), spans=spans)

    with pytest.raises(SpecInvalid) as caught:
        planned(flow)

    assert [(str(d.span), d.code) for d in caught.value.diagnostics] == [
        ("f.yml:5:3", "JNA211"),
        ("f.yml:9:3", "JNA211"),
    ]
