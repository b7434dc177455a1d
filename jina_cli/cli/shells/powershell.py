"""The script for PowerShell, Windows's own and the portable one."""

from __future__ import annotations

from collections.abc import Iterable

from jina_cli.cli.described import VERSION, Command, Option, Takes, Tree

_HEAD = """\
# PowerShell completion for jina; made by: python -m jina_cli.cli.completions --write
# Add to $PROFILE: jina completion powershell | Out-String | Invoke-Expression

Register-ArgumentCompleter -Native -CommandName jina -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

"""

_TAIL = """\

    $words = @()
    $previous = ''
    $skip = $false
    foreach ($element in $commandAst.CommandElements | Select-Object -Skip 1) {
        if ($element.Extent.EndOffset -ge $cursorPosition -and $wordToComplete) { break }
        $text = $element.ToString()
        $previous = $text
        if ($skip) { $skip = $false; continue }
        if ($text.StartsWith('-')) { $skip = $shared[$text] -is [array]; continue }
        $words += $text
    }

    $command = ''
    foreach ($count in 2, 1) {
        if ($words.Count -ge $count) {
            $name = ($words | Select-Object -First $count) -join ' '
            if ($commands.ContainsKey($name)) { $command = $name; break }
        }
    }

    $options = $shared
    if ($command) {
        $options = $shared.Clone()
        foreach ($entry in $commands[$command].GetEnumerator()) {
            $options[$entry.Key] = $entry.Value
        }
    }

    if ($options[$previous] -is [array]) {
        $candidates = $options[$previous]
    } elseif ($wordToComplete.StartsWith('-')) {
        $candidates = $options.Keys | Sort-Object
    } elseif ($words.Count -eq 0) {
        $candidates = $verbs.Keys | Sort-Object
    } else {
        $candidates = $seconds[($words -join ' ')]
    }

    $candidates | Where-Object { $_ -like "$wordToComplete*" } | ForEach-Object {
        $help = $verbs[$_]
        if (-not $help) { $help = $_ }
        [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $help)
    }
}
"""


def powershell(tree: Tree) -> str:
    """Return the script. An option that takes a value has an array, if an empty one."""
    lines = [_HEAD + "    $verbs = @{"]
    lines += [f"        {_quoted(name)} = {_quoted(text)}" for name, text in tree.verbs]
    lines += [
        "    }",
        "",
        "    $shared = @{",
        *_table((*tree.shared, VERSION), "        "),
        "    }",
    ]
    lines += ["", "    $commands = @{"]
    for command in tree.commands:
        lines.append(f"        {_quoted(' '.join(command.words))} = @{{")
        lines += [*_table(command.options, "            "), "        }"]
    lines += ["    }", "", "    $seconds = @{"]
    for words, seconds in _seconds(tree):
        lines.append(f"        {_quoted(words)} = {_array(seconds)}")
    return "\n".join([*lines, "    }"]) + "\n" + _TAIL


def _seconds(tree: Tree) -> Iterable[tuple[str, list[str]]]:
    for group in tree.groups:
        yield group, [c.words[1] for c in tree.commands if c.words[0] == group]
    for command in tree.commands:
        if command.choices:
            yield _name(command), list(command.choices)


def _name(command: Command) -> str:
    return " ".join(command.words)


def _table(options: Iterable[Option], indent: str) -> list[str]:
    rows: list[str] = []
    for option in options:
        value = "$true" if option.takes is Takes.NOTHING else _array(option.choices)
        rows += [f"{indent}{_quoted(flag)} = {value}" for flag in option.flags]
    return rows


def _array(words: Iterable[str]) -> str:
    return f"@({', '.join(_quoted(word) for word in words)})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
