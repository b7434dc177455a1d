"""The script for fish."""

from __future__ import annotations

from jina_cli.cli.described import VERSION, Command, Option, Takes, Tree

_HEAD = """\
# fish completion for jina; made by: python -m jina_cli.cli.completions --write
# Put it into ~/.config/fish/completions, or: jina completion fish | source

function __jina_words --description 'The words of the command line that are no options'
    set --local skip ''
    # The long name of this option changed with fish 4; its letters did not.
    for word in (commandline -opc)[2..]
        if test -n "$skip"
            set skip ''
            continue
        end
        switch $word
"""

_TAIL = """\
            case '-*'
                continue
            case '*'
                echo $word
        end
    end
end

function __jina_at --description 'Whether these are the first words'
    set --local words (__jina_words)
    test (count $words) -ge (count $argv); or return 1
    for place in (seq (count $argv))
        test "$words[$place]" = "$argv[$place]"; or return 1
    end
end

function __jina_starts --description 'Whether these are all the words'
    test (count (__jina_words)) -eq (count $argv); or return 1
    test (count $argv) -eq 0; or __jina_at $argv
end

complete --command jina --no-files
"""


def fish(tree: Tree) -> str:
    """Return the script."""
    values = [f for o in tree.shared if o.takes is not Takes.NOTHING for f in o.flags]
    lines = [f"            case {' '.join(_quoted(flag) for flag in values)}"]
    lines += ["                set skip yes"]
    text = _HEAD + "\n".join(lines) + "\n" + _TAIL
    rows: list[str] = []
    for name, help_ in tree.verbs:
        rows.append(_word("__jina_starts", name, help_))
    for option in (*tree.shared, VERSION):
        rows.append(_option("" if option is not VERSION else "__jina_starts", option))
    for command in tree.commands:
        rows += _command(command, tree)
    return text + "\n".join(rows) + "\n"


def _command(command: Command, tree: Tree) -> list[str]:
    rows: list[str] = []
    if command.words[0] in tree.groups:
        rows.append(_word(f"__jina_starts {command.words[0]}", command.words[1], command.help))
    at = f"__jina_at {' '.join(command.words)}"
    rows += [_option(at, option) for option in command.options]
    rows += [_word(f"__jina_starts {' '.join(command.words)}", w, "") for w in command.choices]
    if command.argument is Takes.FILE:
        rows.append(f"complete -c jina -n {_quoted(at)} --force-files")
    if command.argument is Takes.FOLDER:
        rows.append(f"complete -c jina -n {_quoted(at)} -a '(__fish_complete_directories)'")
    return rows


def _word(condition: str, word: str, help_: str) -> str:
    described = f" -d {_quoted(help_)}" if help_ else ""
    return f"complete -c jina -n {_quoted(condition)} -a {_quoted(word)}{described}"


def _option(condition: str, option: Option) -> str:
    parts = ["complete -c jina"]
    if condition:
        parts.append(f"-n {_quoted(condition)}")
    for flag in option.flags:
        parts.append(f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}")
    if option.takes is Takes.CHOICE:
        parts.append(f"-x -a {_quoted(' '.join(option.choices))}")
    elif option.takes is Takes.FILE:
        parts.append("-r -F")
    elif option.takes is Takes.FOLDER:
        parts.append("-x -a '(__fish_complete_directories)'")
    elif option.takes is Takes.OTHER:
        parts.append("-x")
    if option.help:
        parts.append(f"-d {_quoted(option.help)}")
    return " ".join(parts)


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
