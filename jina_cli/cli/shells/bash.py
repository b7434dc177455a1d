"""The script for bash. It needs bash 3.2 and nothing else, and starts no process."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from jina_cli.cli.described import VERSION, Command, Option, Takes, Tree

_HEAD = """\
# bash completion for jina; made by: python -m jina_cli.cli.completions --write
# Put it where bash-completion looks, or: source <(jina completion bash)

_jina_reply() {  # reply with those of the words that fit
    local IFS=$' \\t\\n'
    COMPREPLY=($(compgen -W "$1" -- "$2"))
}

_jina_paths() {  # reply with files, or with folders alone
    local IFS=$'\\n'
    COMPREPLY=($(compgen "$1" -- "$2"))
    compopt -o filenames 2>/dev/null
}

_jina() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
    local word command='' group='' skip='' place
    COMPREPLY=()
    # `--flag=value` comes as three words.
    if [[ $current == '=' ]]; then
        current=''
    elif [[ $previous == '=' ]]; then
        previous=${COMP_WORDS[COMP_CWORD-2]}
    fi
    for ((place = 1; place < COMP_CWORD; place++)); do
        word=${COMP_WORDS[place]}
        if [[ -n $skip ]]; then skip=''; continue; fi
        if [[ -n $group ]]; then
            case $word in
                -*) ;;
                *) command="$group $word"; break ;;
            esac
        fi
        case $word in
"""


def bash(tree: Tree) -> str:
    """Return the script."""
    lines = [_HEAD.rstrip("\n")]
    values = [flag for option in tree.shared if _has_value(option) for flag in option.flags]
    lines.append(f"            {'|'.join(values)}) skip=yes ;;")
    lines.append("            -*|=) ;;")
    if tree.groups:
        lines.append(f"            {'|'.join(tree.groups)}) group=$word ;;")
    lines += ["            *) command=$word; break ;;", "        esac", "    done", ""]
    lines += ["    if [[ -z $command && -z $group ]]; then"]
    lines += _values(tree.shared, "        ")
    verbs = " ".join(name for name, _ in tree.verbs)
    flags = _flags((*tree.shared, VERSION))
    lines += [_either("        ", flags, verbs), "        return", "    fi", ""]
    lines.append("    case $command in")
    for command in tree.commands:
        lines += _command(command, tree)
    lines.append("        *)")
    for group in tree.groups:
        seconds = " ".join(c.words[1] for c in tree.commands if c.words[0] == group)
        text = f"            if [[ $group == {group} && -z $command ]]; then"
        lines += [text, _either("                ", _flags(tree.shared), seconds), "            fi"]
    lines += ["            ;;", "    esac", "}", "", "complete -F _jina jina", ""]
    return "\n".join(lines)


def _command(command: Command, tree: Tree) -> list[str]:
    own = {flag for option in command.options for flag in option.flags}
    shared = [option for option in tree.shared if not own & set(option.flags)]
    options = (*command.options, *shared)
    lines = [f"        {_quoted(' '.join(command.words))})"]
    lines += _values(options, "            ")
    lines.append("            if [[ $current == -* ]]; then")
    lines.append(f'                _jina_reply {_quoted(_flags(options))} "$current"')
    if command.choices:
        lines += ["            else", f"                {_reply(command.choices)}"]
    elif command.argument is Takes.FILE:
        lines += ["            else", '                _jina_paths -f "$current"']
    elif command.argument is Takes.FOLDER:
        lines += ["            else", '                _jina_paths -d "$current"']
    return [*lines, "            fi", "            ;;"]


def _values(options: Sequence[Option], indent: str) -> list[str]:
    """Return what completes the value of an option, and returns then."""
    lines = [f"{indent}case $previous in"]
    for option in options:
        if not _has_value(option):
            continue
        action = {
            Takes.CHOICE: _reply(option.choices),
            Takes.FILE: '_jina_paths -f "$current"',
            Takes.FOLDER: '_jina_paths -d "$current"',
        }.get(option.takes, "")
        does = f"{action}; return" if action else "return"
        lines.append(f"{indent}    {'|'.join(option.flags)}) {does} ;;")
    return [*lines, f"{indent}esac"] if len(lines) > 1 else []


def _either(indent: str, flags: str, words: str) -> str:
    return "\n".join(
        [
            f"{indent}if [[ $current == -* ]]; then",
            f'{indent}    _jina_reply {_quoted(flags)} "$current"',
            f"{indent}else",
            f'{indent}    _jina_reply {_quoted(words)} "$current"',
            f"{indent}fi",
        ]
    )


def _reply(words: Iterable[str]) -> str:
    return f'_jina_reply {_quoted(" ".join(words))} "$current"'


def _flags(options: Iterable[Option]) -> str:
    return " ".join(flag for option in options for flag in option.flags)


def _has_value(option: Option) -> bool:
    return option.takes is not Takes.NOTHING


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
