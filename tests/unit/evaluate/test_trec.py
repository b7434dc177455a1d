"""Files of judgements and of runs."""

from __future__ import annotations

import pytest

from jina_cli.errors import BadInput
from jina_cli.evaluate.trec import read_qrels, read_run


def test_judgements_are_read_from_the_files_of_trec_and_of_beir() -> None:
    trec = ["\ufeff1 0 d1 2\r\n", "\n", "1\t0\td2\t-1\n", "2 Q0 d1 0"]
    beir = ["query-id\tcorpus-id\tscore", "1\td1\t2", "1\td2\t-1", "2\td1\t0"]

    for lines in (trec, beir):
        assert read_qrels(lines, "q") == {"1": {"d1": 2, "d2": -1}, "2": {"d1": 0}}


def test_runs_are_read_from_the_files_of_trec_and_from_json_lines() -> None:
    trec = ["1 Q0 d1 1 0.5 jina", "1 Q0 d2 2 0.25 jina", "2 Q0 d1 1 -3 jina"]
    lines = [
        '{"schema":"jina.search/1","query":{"id":"1"},"matches":[{"id":"d1","score":0.5},'
        '{"id":"d2","score":0.25}]}',
        '{"query":{"id":2,"text":"x"},"matches":[{"id":"d1","score":-3}]}',
    ]

    expected = {"1": {"d1": 0.5, "d2": 0.25}, "2": {"d1": -3.0}}
    assert read_run(trec, "r") == expected
    assert read_run(lines, "r") == expected
    assert read_run(['{"query":{"id":"1"},"matches":[]}'], "r") == {"1": {}}


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            ["1 0 d1 1", "1 0 d2"],
            "q:2: a judgement is 'query 0 document grade', and this has 3 columns",
        ),
        (["1 0 d1 good"], "q:1: the grade 'good' is no whole number"),
        (
            ["1 0 d1 1", "", "1 0 d1 2"],
            "q:3: document 'd1' is judged for query '1' on line 1 already",
        ),
        (
            ["query-id corpus-id score", "1 0 d1 1"],
            "q:2: a judgement is 'query document grade', and this has 4 columns",
        ),
        ([" "], "q holds no judgement: a line is: query 0 document grade"),
    ],
)
def test_what_is_no_judgement_is_said_with_its_line(lines: list[str], said: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_qrels(lines, "q")

    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("1 Q0 d2 1", "a line is 'query Q0 document rank score tag', and this has 4 columns"),
        ("1 Q0 d2 1 best t", "the score 'best' is no number"),
        ("1 Q0 d2 1 nan t", "the score nan is not finite"),
        ("1 Q0 d1 1 2 t", "document 'd1' is found for query '1' twice"),
        ('{"id": 1', "this is no JSON: unexpected end of data: line 1 column 9 (char 8)"),
        ('{"id": 1}', "this is no result of jina search --json: it has no query and matches"),
        ('{"query": {"id": 1}, "matches": [{"id": 1}]}', "a match has no id or no score"),
    ],
)
def test_what_is_no_result_is_said_with_its_line(line: str, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_run(["1 Q0 d1 1 0.5 t", line], "r")

    assert str(refused.value) == f"r:2: {said}"
