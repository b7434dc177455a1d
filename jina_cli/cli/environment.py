"""Files of variables, as `--env-file` reads them."""

from __future__ import annotations

import re
from pathlib import Path

from jina_cli.errors import InputMissing, UsageError

_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)\Z", re.DOTALL)


def read_env_file(path: Path) -> dict[str, str]:
    """Return the variables of a file of `NAME=value` lines.

    Empty lines and lines that begin with `#` are skipped. A value in single or double quotes
    is taken without them; nothing else is expanded.

    Raises:
        InputMissing: The file cannot be read.
        UsageError: A line is no variable; the message names it.
    """
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise InputMissing(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8") from error
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        match = _LINE.match(stripped)
        if match is None:
            raise UsageError(f"{path}:{number}: not NAME=value")
        found[match[1]] = _unquoted(match[2])
    return found


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value
