"""Options that say which documents are meant, and how they are looked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import typer

from jina_cli.errors import UsageError

Mode = Literal["auto", "hybrid", "lexical", "vector"]

Where = Annotated[
    str,
    typer.Option(
        metavar="CONDITION",
        help="Only documents of which this holds: \"price < 10 and lang in ('en', 'fr')\".",
    ),
]
ByMode = Annotated[
    Mode,
    typer.Option(help="By words, by vectors, by both; auto takes what the index and query have."),
]
RrfK = Annotated[
    int | None,
    typer.Option(min=1, metavar="K", help="Constant of the fusion of ranks; 60 if left out."),
]
Rerank = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Put the first N into a better order, at more cost."),
]
Fields = Annotated[
    str,
    typer.Option(metavar="A,B", help="Fields to return, besides id and score; all if left out."),
]
Explain = Annotated[
    bool,
    typer.Option("--explain", help="Show the ranks by words and by vectors, and the best chunk."),
]


def where_of(condition: str) -> dict[str, Any]:
    """Return the parameter `filter` for a condition; none for no condition.

    Raises:
        UsageError: It means nothing; the message has the place in it.
    """
    if not condition.strip():
        return {}
    from jina_cli.documents.condition import BadQuery, condition_of

    try:
        condition_of(condition)
    except BadQuery as error:
        raise UsageError(f"--where: {error}", hint="jina explain conditions") from error
    return {"filter": condition}


def fields_of(names: str) -> dict[str, Sequence[str]]:
    """Return the parameter `return_fields` for `a,b`; none for no names."""
    fields = [name.strip() for name in names.split(",") if name.strip()]
    return {"return_fields": fields} if fields else {}


def ranking_of(
    mode: Mode, rrf_k: int | None, rerank: int | None, *, explains: bool
) -> dict[str, Any]:
    """Return the parameters of a search for those options that were given."""
    given: dict[str, Any] = {"rrf_k": rrf_k, "rerank": rerank, "explain": explains or None}
    given["mode"] = None if mode == "auto" else mode
    return {name: value for name, value in given.items() if value is not None}
