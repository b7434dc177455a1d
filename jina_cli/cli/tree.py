"""What the command line offers, as plain tables: the verbs, and the options that all share.

Top-level help, dispatch and completions are made of these tables, so none of them has to
import a command. Nothing heavier than `dataclasses` is imported here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verb:
    """One command.

    Attributes:
        name: What the user types.
        help: One line of top-level help.
        target: `module:attribute` under `jina_cli.cli.commands`: a function with Typer's
            annotations, or a `typer.Typer` whose commands are the words that follow.
        section: Under which heading it is listed.
    """

    name: str
    help: str
    target: str
    section: str


_RUN, _SPEC, _MORE = "Search", "Flows", "More"

VERBS: tuple[Verb, ...] = (
    Verb("hello", "See a search work, on data that is already here.", "hello:hello", _RUN),
    Verb("index", "Index files, rows or lines, so that they can be found.", "index:index", _RUN),
    Verb("search", "Find what was indexed.", "search:search", _RUN),
    Verb("get", "Print documents of an index by their ids.", "get:get", _RUN),
    Verb("count", "Say how many documents are indexed.", "count:count", _RUN),
    Verb("delete", "Take documents out of an index.", "delete:delete", _RUN),
    Verb("dump", "Write all that is indexed to a file.", "dump:dump", _RUN),
    Verb("load", "Index what dump wrote; nothing is encoded again.", "load:load", _RUN),
    Verb("eval", "Say how good a search is, given judgements.", "eval:evaluate", _RUN),
    Verb("train", "Let the Executors of a Flow learn from documents.", "train:train", _RUN),
    Verb("post", "Send documents to any endpoint of a Flow.", "post:post", _RUN),
    Verb("flow", "Start a Flow from its YAML file and stay with it.", "flow:flow", _SPEC),
    Verb("executor", "Serve one Executor alone.", "executor:executor", _SPEC),
    Verb("deployment", "Serve what a Deployment's YAML describes.", "executor:executor", _SPEC),
    Verb("gateway", "Serve a Gateway before Executors elsewhere.", "gateway:gateway", _SPEC),
    Verb("ping", "Ask whether a Flow or an Executor is ready.", "ping:ping", _SPEC),
    Verb("validate", "Check YAML files; starts nothing.", "validate:validate", _SPEC),
    Verb("config", "Print a Flow with all its defaults filled in.", "config:config", _SPEC),
    Verb("explain", "Explain a key of the YAML, a code, or a topic.", "explain:explain", _SPEC),
    Verb("export", "Write a flowchart, schemas, .proto files.", "export:export", _SPEC),
    Verb("completion", "Print the completion script of a shell.", "completion:completion", _MORE),
)

ALIASES: dict[str, tuple[str, ...]] = {"hello-world": ("hello", "fashion")}
"""Other names of commands, and the words each stands for."""


@dataclass(frozen=True, slots=True)
class GlobalOption:
    """An option that stands before or after the verb.

    Attributes:
        name: Of the parameter, and of the field of `Settings`.
        flags: All spellings, the long one last.
        help: One line.
        metavar: What the value is called; empty for a switch.
        choices: All values it may have; empty for any.
        counted: Whether it may be repeated for more of it.
    """

    name: str
    flags: tuple[str, ...]
    help: str
    metavar: str = ""
    choices: tuple[str, ...] = ()
    counted: bool = False

    @property
    def long(self) -> str:
        return self.flags[-1]


GLOBALS: tuple[GlobalOption, ...] = (
    GlobalOption("json", ("--json",), "Machine-readable output, errors too."),
    GlobalOption(
        "output",
        ("--output",),
        "How problems are shown.",
        metavar="STYLE",
        choices=("human", "concise", "json", "github"),
    ),
    GlobalOption("quiet", ("-q", "--quiet"), "Only results and errors."),
    GlobalOption("verbose", ("-v", "--verbose"), "More detail; -vv for all of it.", counted=True),
    GlobalOption(
        "color",
        ("--color",),
        "When to use colour.",
        metavar="WHEN",
        choices=("auto", "always", "never"),
    ),
    GlobalOption("no_progress", ("--no-progress",), "No progress bar or progress lines."),
    GlobalOption("no_input", ("--no-input",), "Never ask anything."),
    GlobalOption("directory", ("-C", "--directory"), "Go there first.", metavar="DIR"),
    GlobalOption("env_file", ("--env-file",), "Read variables from a file.", metavar="FILE"),
    GlobalOption("project", ("--project",), "Keep Flows of one name apart.", metavar="NAME"),
    GlobalOption("debug", ("--debug",), "Show tracebacks."),
)


def verb_of(name: str) -> Verb | None:
    """Return the verb of that name, or None."""
    return next((verb for verb in VERBS if verb.name == name), None)


def global_of(flag: str) -> GlobalOption | None:
    """Return the global option with that spelling, or None."""
    return next((option for option in GLOBALS if flag in option.flags), None)
