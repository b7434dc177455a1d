"""Dealing GPUs to replicas."""

from __future__ import annotations

from pathlib import Path

import pytest

from jina_cli.plan.gpus import count_devices, deal

DEALT: dict[str, tuple[str, int, int, tuple[str, ...]]] = {
    "all of them, over again": ("RR", 3, 2, ("0", "1", "0")),
    "a slice": ("RR0:2", 3, 4, ("0", "1", "0")),
    "a slice from the second on": ("RR1:", 3, 4, ("1", "2", "3")),
    "every other one": ("RR::2", 2, 4, ("0", "2")),
    "some of them": ("RR1,3", 3, 4, ("1", "3", "1")),
    "one of them": ("RR2", 2, 4, ("2", "2")),
    "in brackets": ("RR[0:2]", 2, 4, ("0", "1")),
    "by UUID": ("RRGPU-ab,GPU-cd", 3, 0, ("GPU-ab", "GPU-cd", "GPU-ab")),
    "a slice with an end and no driver": ("RR1:3", 2, 0, ("1", "2")),
    "all of none": ("RR", 2, 0, ("", "")),
}


@pytest.mark.parametrize("case", DEALT)
def test_deals(case: str) -> None:
    value, replicas, devices, expected = DEALT[case]

    assert deal(value, replicas, devices) == expected


@pytest.mark.parametrize("value", ["RRa:b", "RR1:2:3:4", "RR0:2:0", "RR7:9"])
def test_a_choice_that_makes_no_sense_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"is no slice|chooses none"):
        deal(value, 2, 4)


def test_gpus_are_counted_by_the_variable_or_the_driver(tmp_path: Path) -> None:
    (tmp_path / "0000:01:00.0").mkdir()

    assert count_devices({"CUDA_TOTAL_DEVICES": "4"}, tmp_path) == 4
    assert count_devices({}, tmp_path) == 1
    assert count_devices({}, tmp_path / "missing") == 0
