"""What somebody most likely meant."""

from __future__ import annotations

from collections.abc import Iterable

LIKENESS = 0.6


def nearest(word: str, known: Iterable[str], likeness: float = LIKENESS) -> str:
    """Return the known word that is most like `word`; empty where none is like it.

    Args:
        likeness: From 0 to 1; what is less like it is not proposed.
    """
    from difflib import get_close_matches

    near = get_close_matches(word, list(known), n=1, cutoff=likeness)
    return near[0] if near else ""
