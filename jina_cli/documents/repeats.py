"""Regular expressions that may take for ever, told by how they are written.

Python's matcher tries again what it has matched: where a group that is repeated without bound can
match the same text in several ways, the ways multiply with every repeat. That needs a repeat or
an alternative inside the group; expressions without either take a time that is a power of the
length of the text, not an exponent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""(?P<escaped>\\.)
    | (?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])
    | (?P<open>\((?:\?(?:P<\w+>|[:=!>]|<[=!]|[aiLmsux-]+:?))?)
    | (?P<close>\))
    | (?P<bar>\|)
    | (?P<unbounded>[*+]|\{\d*,\})
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(slots=True)
class _Group:
    multiplies: bool = False


def may_explode(pattern: str) -> bool:
    """Return whether a group that is repeated without bound has a repeat or `|` inside."""
    groups = [_Group()]
    closed: _Group | None = None
    for token in _TOKEN.finditer(pattern):
        match token.lastgroup:
            case "open":
                groups.append(_Group())
            case "close" if len(groups) > 1:
                closed = groups.pop()
                groups[-1].multiplies |= closed.multiplies
                continue
            case "bar":
                groups[-1].multiplies = True
            case "unbounded":
                if closed is not None and closed.multiplies:
                    return True
                groups[-1].multiplies = True
        closed = None
    return False
