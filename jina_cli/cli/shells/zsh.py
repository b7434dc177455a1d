"""The script for zsh, with the help of each command and option beside it."""

from __future__ import annotations

from collections.abc import Sequence

from jina_cli.cli.described import VERSION, Command, Option, Takes, Tree

_HEAD = """\
#compdef jina
# zsh completion for jina; made by: python -m jina_cli.cli.completions --write
# Put it as _jina into a folder of $fpath, or: source <(jina completion zsh)
"""


def zsh(tree: Tree) -> str:
    """Return the script."""
    lines = [
        _HEAD,
        "_jina() {",
        "  local curcontext=$curcontext state line",
        "  typeset -A opt_args",
    ]
    lines += ["  local -a shared=("]
    lines += [f"    {spec}" for option in tree.shared for spec in _specs(option)]
    lines += ["  )", "  _arguments -C -s $shared \\"]
    lines += [f"    {spec} \\" for spec in _specs(VERSION)]
    lines += ["    '1: :->verb' '*:: :->rest' && return 0", "  case $state in", "    verb)"]
    lines += _describe("      ", "command", tree.verbs)
    lines += ["      ;;", "    rest)", "      case $words[1] in"]
    for command in tree.commands:
        if command.words[0] not in tree.groups:
            lines += _command(command, tree, "        ", command.words[0])
    for group in tree.groups:
        lines += _group(group, tree)
    lines += ["      esac", "      ;;", "  esac", "}", ""]
    # Sourced, it has to register itself; in $fpath, its first call must complete already.
    lines += ["if [[ $zsh_eval_context[-1] == loadautofunc ]]; then", '  _jina "$@"', "else"]
    lines += ["  compdef _jina jina", "fi", ""]
    return "\n".join(lines)


def _group(group: str, tree: Tree) -> list[str]:
    commands = [command for command in tree.commands if command.words[0] == group]
    rows = [(command.words[1], command.help) for command in commands]
    lines = [f"        {group})", "          _arguments -C -s $shared \\"]
    lines += ["            '1: :->second' '*:: :->third' && return 0", "          case $state in"]
    lines += ["            second)", *_describe("              ", "command", rows)]
    lines += ["              ;;", "            third)", "              case $words[1] in"]
    for command in commands:
        lines += _command(command, tree, "                ", command.words[1])
    return [*lines, "              esac", "              ;;", "          esac", "          ;;"]


def _command(command: Command, tree: Tree, indent: str, label: str) -> list[str]:
    own = {flag for option in command.options for flag in option.flags}
    clash = any(own & set(option.flags) for option in tree.shared)
    shared = [option for option in tree.shared if not own & set(option.flags)]
    options = (*command.options, *shared) if clash else command.options
    specs = [spec for option in options for spec in _specs(option)]
    if not clash:
        specs.append("$shared")
    if command.choices:
        specs.append(f"'1: :({' '.join(command.choices)})'")
    if command.argument is not Takes.NOTHING:
        specs.append("'*: :_files -/'" if command.argument is Takes.FOLDER else "'*: :_files'")
    body = " \\\n".join(f"{indent}    {spec}" for spec in specs)
    return [f"{indent}{label})", f"{indent}  _arguments -s \\", body, f"{indent}  ;;"]


def _describe(indent: str, what: str, rows: Sequence[tuple[str, str]]) -> list[str]:
    items = [f"{indent}  {_quoted(_colons(name) + ':' + text)}" for name, text in rows]
    return [f"{indent}local -a rows=(", *items, f"{indent})", f"{indent}_describe {what} rows"]


def _specs(option: Option) -> list[str]:
    action = {
        Takes.NOTHING: "",
        Takes.CHOICE: f": :({' '.join(option.choices)})",
        Takes.FILE: ": :_files",
        Takes.FOLDER: ": :_files -/",
        Takes.OTHER: ": : ",
    }[option.takes]
    text = option.help.replace("[", "(").replace("]", ")").replace(":", "\\:")
    found: list[str] = []
    for flag in option.flags:
        mark = ("=" if flag.startswith("--") else "+") if option.takes is not Takes.NOTHING else ""
        found.append(_quoted(f"*{flag}{mark}[{text}]{action}"))
    return found


def _colons(text: str) -> str:
    return text.replace(":", "\\:")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
