"""Top-level help, written from the tables alone: no command is imported for it."""

from __future__ import annotations

from collections.abc import Sequence

from jina_cli.cli.tree import GLOBALS, VERBS

_USAGE = "Usage: jina [OPTIONS] COMMAND ..."
_ABOUT = "Search anything by meaning, from one YAML file."


def top_help() -> str:
    """Return what `jina --help` prints, without a line end after it."""
    lines = [_USAGE, "", _ABOUT]
    for section in dict.fromkeys(verb.section for verb in VERBS):
        rows = [(verb.name, verb.help) for verb in VERBS if verb.section == section]
        lines += ["", f"{section}:", *rows_of(rows, width=12)]
    options = [(_spelling(o.flags, o.metavar), o.help) for o in GLOBALS]
    options.append(("--version", "Print the version."))
    options.append(("-h, --help", "Print help, of a command if it follows one."))
    lines += ["", "Options, before or after the command:", *rows_of(options, width=22)]
    lines += ["", "First steps:  jina hello fashion    jina COMMAND --help"]
    return "\n".join(lines)


def group_help(words: Sequence[str], about: str, rows: Sequence[tuple[str, str]]) -> str:
    """Return the help of a command whose next word is one of `rows`."""
    width = max(len(name) for name, _ in rows) + 2
    usage = f"Usage: jina {' '.join(words)} COMMAND ..."
    return "\n".join([usage, "", about, "", "Commands:", *rows_of(rows, width=width)])


def rows_of(rows: Sequence[tuple[str, str]], *, width: int) -> list[str]:
    return [f"  {name:<{width}}{text}" for name, text in rows]


def _spelling(flags: Sequence[str], metavar: str) -> str:
    text = ", ".join(flags)
    return f"{text} {metavar}" if metavar else text
