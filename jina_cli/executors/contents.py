"""What an array function is given, checked where its kind matters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jina_cli.documents.batch import BadField


def texts_in(content: Any, *, what: str) -> Sequence[str]:
    """Return content that is text.

    Args:
        what: Who needs it, as the error shall say.

    Raises:
        BadField: Some of it is none.
    """
    wrong = next((item for item in content if not isinstance(item, str)), None)
    if wrong is not None:
        raise BadField(f"{what} takes text, and got {type(wrong).__name__}")
    return content  # type: ignore[no-any-return]
