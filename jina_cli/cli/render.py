"""What commands show: text on the two streams, colour where it is wanted."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any, TextIO

import orjson

from jina_cli.cli.settings import Settings, When

BOLD, DIM, RED, GREEN, YELLOW = "1", "2", "31", "32", "33"


def uses_color(when: When, stream: TextIO, environ: Mapping[str, str] | None = None) -> bool:
    """Return whether to colour what goes to a stream.

    `--color` decides; then `NO_COLOR`, then `FORCE_COLOR` and `CLICOLOR_FORCE`, then
    `TERM=dumb`, then whether it is a terminal.
    """
    known = os.environ if environ is None else environ
    if when != "auto":
        return when == "always"
    if known.get("NO_COLOR"):
        return False
    if any(known.get(name, "0") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return known.get("TERM") != "dumb" and stream.isatty()


class Output:
    """Writes results to stdout and everything else to stderr.

    Args:
        settings: What the user wants of colour and quiet.
        out: Where results go; stdout if None.
        err: Where notes go; stderr if None.
    """

    def __init__(
        self, settings: Settings, *, out: TextIO | None = None, err: TextIO | None = None
    ) -> None:
        self._out = sys.stdout if out is None else out
        self._err = sys.stderr if err is None else err
        self._quiet = settings.quiet
        self._colors = uses_color(settings.color, self._out)
        self.err_colors = uses_color(settings.color, self._err)

    @property
    def width(self) -> int:
        """Columns of the terminal results go to; 0 for none, where nothing is cut."""
        if not self._out.isatty():
            return 0
        import shutil

        return shutil.get_terminal_size().columns

    def result(self, text: str) -> None:
        """Write a line that was asked for."""
        print(text, file=self._out, flush=True)

    def json(self, data: Mapping[str, Any]) -> None:
        """Write an object as one line. What is not finite becomes null."""
        self.result(orjson.dumps(data, option=orjson.OPT_SERIALIZE_NUMPY).decode())

    def note(self, text: str) -> None:
        """Say something that is no result, unless the user wants quiet."""
        if not self._quiet:
            print(text, file=self._err, flush=True)

    def warn(self, text: str) -> None:
        """Say what needs a look."""
        mark = f"\x1b[{YELLOW}mwarning\x1b[0m" if self.err_colors else "warning"
        print(f"jina: {mark}: {text}", file=self._err, flush=True)

    def paint(self, text: str, style: str) -> str:
        """Return a text for `result` in a style, where colours are used."""
        return f"\x1b[{style}m{text}\x1b[0m" if self._colors and text else text
