"""`jina completion`: print the completion script of a shell."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

Shell = Literal["bash", "zsh", "fish", "powershell"]

_FILES = {"bash": "jina.bash", "zsh": "jina.zsh", "fish": "jina.fish", "powershell": "jina.ps1"}


def completion(
    ctx: typer.Context,
    shell: Annotated[Shell, typer.Argument(metavar="SHELL", help="Which shell.")],
) -> None:
    """Print the completion script of bash, zsh, fish or powershell.

    For this session: `source <(jina completion bash)`; zsh the same;
    `jina completion fish | source`. To keep it, write it where the shell looks for such
    files; nothing is installed or changed by this command.
    """
    from jina_cli.cli.render import Output
    from jina_cli.cli.settings import settings_of
    from jina_cli.resources import completions_dir

    text = (completions_dir() / _FILES[shell]).read_text("utf-8")
    Output(settings_of(ctx)).result(text.rstrip("\n"))
