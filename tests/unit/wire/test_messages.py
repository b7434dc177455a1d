"""What a failed gRPC call means, and the names of requests."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest

from jina_cli.wire.messages import (
    GRPC_STATUS_KEY,
    STATUSES,
    EndpointInfo,
    StatusCode,
    new_request_id,
    status_of_grpc,
)

FAILURES = [code for code in StatusCode if code is not StatusCode.OK]


@pytest.mark.parametrize("code", FAILURES)
def test_what_our_gateway_names_is_what_it_was(code: StatusCode) -> None:
    trailing = (("other", b"x"), (GRPC_STATUS_KEY, code.name))

    assert status_of_grpc(STATUSES[code][0], trailing) is code


@pytest.mark.parametrize("told", ["OK", "NONSENSE", b"STORAGE"])
def test_a_name_that_cannot_be_is_not_believed(told: str | bytes) -> None:
    assert status_of_grpc(14, [(GRPC_STATUS_KEY, told)]) is StatusCode.UNAVAILABLE


@pytest.mark.parametrize(
    ("number", "details", "expected"),
    [
        (4, "", StatusCode.DEADLINE),
        (8, "queue full", StatusCode.OVERLOADED),
        (8, "Received message larger than max (9 vs. 5)", StatusCode.TOO_LARGE),
        (12, "", StatusCode.NOT_FOUND),
        (16, "", StatusCode.INVALID),
        (2, "", StatusCode.EXECUTOR),
        (99, "", StatusCode.EXECUTOR),
    ],
)
def test_without_a_name_it_is_what_the_grpc_status_most_likely_means(
    number: int, details: str, expected: StatusCode
) -> None:
    assert status_of_grpc(number, None, details) is expected


def test_an_endpoint_of_two_executors_takes_as_the_first_and_gives_as_the_last() -> None:
    first = EndpointInfo(input={"title": "A"}, output={"title": "B"}, is_generator=True)
    last = EndpointInfo(input={"title": "B"}, output={"title": "C"}, parameters={"title": "P"})

    both = first.then(last)

    assert (both.input, both.output) == ({"title": "A"}, {"title": "C"})
    assert (both.parameters, both.is_generator) == ({"title": "P"}, True)
    assert last.then(EndpointInfo()).output == {"title": "C"}


def test_request_ids_are_others_though_a_program_seeds_its_numbers() -> None:
    found = set()
    for _ in range(2):
        random.seed(1)
        found.add(new_request_id())

    assert len(found) == 2
    assert all(len(name) == 32 and int(name, 16) for name in found)


def test_request_ids_of_a_fork_are_others() -> None:
    program = (
        "import os; from jina_cli.wire.messages import new_request_id; child = os.fork();"
        "os.write(1, new_request_id().encode() + b' '); child and os.waitpid(child, 0)"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert len(set(done.stdout.split())) == 2
