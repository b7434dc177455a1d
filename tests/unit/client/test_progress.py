"""Progress where there is no terminal."""

from __future__ import annotations

import io

from jina_cli.client.progress import Lines, Silent, progress_on


def test_no_terminal_gets_a_line_now_and_then() -> None:
    out = io.StringIO()

    with Lines("indexing", out, every_s=0.0) as progress:
        progress.advance(1000)
        progress.advance(500)

    first, second = out.getvalue().splitlines()
    assert first.startswith("indexing: 1,000 (")
    assert second.startswith("indexing: 1,500 (")


def test_a_short_run_says_nothing() -> None:
    out = io.StringIO()

    with progress_on("indexing", shown=True, color=False, out=out) as progress:
        progress.advance(10)

    assert out.getvalue() == ""


def test_who_wants_no_progress_gets_none() -> None:
    assert isinstance(progress_on("indexing", shown=False, color=False), Silent)
