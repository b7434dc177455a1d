"""Options of the commands that bring documents to a Flow: `index`, `search` and `post`."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

InputFormat = Literal["auto", "jsonl", "json", "csv", "lines", "text", "npy", "parquet"]

Uses = Annotated[
    str,
    typer.Option(
        metavar="FLOW",
        help="YAML of the Flow or name of a ready-made one; left out, a text search.",
    ),
]
RunningFlow = Annotated[str, typer.Option(metavar="URL", help="A Flow that runs already.")]
IndexFolder = Annotated[
    str, typer.Option(metavar="DIR", help="Where the index is kept; .jina if left out.")
]
InputFiles = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="INPUT",
        help="Files, patterns, folders; - for stdin, which is read if nothing is named.",
    ),
]
Target = Annotated[str, typer.Option(metavar="REGEX", help="Only Pods of such names.")]
Inputs = Annotated[InputFormat, typer.Option(help="What the inputs are.")]
FieldMap = Annotated[
    list[str] | None,
    typer.Option(metavar="A=B", help="Take field A as B: title=text,docno=id."),
]
Batch = Annotated[int, typer.Option(min=1, help="Documents in a request.")]
Concurrency = Annotated[int, typer.Option(min=1, help="Requests at a time.")]
Timeout = Annotated[str, typer.Option(metavar="TIME", help="For each request, `90s` or `2m`.")]
Parameters = Annotated[
    list[str] | None, typer.Option(metavar="NAME=VALUE", help="A parameter for Executors.")
]
DumpFormat = Annotated[
    Literal["auto", "jsonl", "parquet"],
    typer.Option(help="Of the files; auto takes what their names tell, else jsonl."),
]
