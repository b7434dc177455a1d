"""One command out of a Typer-annotated function, the shared options added to it."""

from __future__ import annotations

import copy
import inspect
import os
from collections.abc import Callable
from importlib import import_module
from typing import Annotated, Any, cast, get_args, get_origin, get_type_hints

import typer
from typer.models import OptionInfo

from jina_cli.cli.coerce import take_over
from jina_cli.cli.settings import Settings, global_parameters, settings_from, variable
from jina_cli.cli.tree import GLOBALS, Verb

Function = Callable[..., Any]
Prepare = Callable[[Settings], None]


class ReaderGone(Exception):
    """Whoever read our output has enough."""


_EPILOG = "Options of all commands (jina --help): " + " ".join(
    [*(option.long for option in GLOBALS), "--help"]
)


def load(verb: Verb) -> Function | typer.Typer:
    """Import the one module of a verb, and return what its table entry names."""
    module, _, attribute = verb.target.partition(":")
    found = getattr(import_module(f"jina_cli.cli.commands.{module}"), attribute)
    if isinstance(found, typer.Typer):
        return found
    if callable(found):
        return cast(Function, found)
    raise TypeError(f"{verb.target} is neither a function nor a typer.Typer")


def members(group: typer.Typer) -> dict[str, Function]:
    """Return the commands of a group by name, in their order."""
    found: dict[str, Function] = {}
    for info in group.registered_commands:
        if info.callback is not None:
            found[info.name or info.callback.__name__.replace("_", "-")] = info.callback
    return found


def summary(function: Function) -> str:
    """Return the first line of a function's docstring."""
    return (inspect.getdoc(function) or "").partition("\n")[0]


def build(words: tuple[str, ...], function: Function, prepare: Prepare) -> Any:
    """Return the command of a function, ready to be given arguments.

    Each of its options can be set by an environment variable, `JINA_<WORDS>_<FLAG>`. An
    option of the function's own wins over a global one of the same name.

    Args:
        words: What calls it, `("hello", "fashion")`.
        function: Takes a `typer.Context` and arguments with Typer's annotations.
        prepare: Called with the settings before the function is.
    """
    own = _own_parameters(words, function)
    taken = {flag for parameter in own for flag in _flags(parameter)}
    shared = [p for p in global_parameters(words) if not taken & set(_flags(p))]
    shared_names = {p.name for p in shared}

    def call(ctx: typer.Context, **values: Any) -> Any:
        given = {name: values.pop(name) for name in shared_names}
        settings = settings_from(given, os.environ)
        ctx.obj = settings
        prepare(settings)
        if context is not None:
            values[context] = ctx
        try:
            return function(**values)
        except BrokenPipeError as error:
            # Typer would end with 1.
            raise ReaderGone from error

    context = _context_name(function)
    parameters = [p for p in own if p.name != context]
    first = inspect.Parameter(
        "ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
    )
    _give_signature(call, [first, *(p.replace(kind=p.KEYWORD_ONLY) for p in parameters), *shared])
    call.__doc__ = function.__doc__
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(
        name=words[-1],
        epilog=_EPILOG,
        context_settings={"max_content_width": 100},
        # Typer's own imports pydantic; see `coerce`.
        add_help_option=False,
    )(call)
    command: Any = typer.main.get_command(app)
    annotations = {p.name: p.annotation for p in (*parameters, *shared)}
    for parameter in command.params:
        if parameter.name in annotations:
            take_over(parameter, annotations[parameter.name])
    return command


def _give_signature(function: Function, parameters: list[inspect.Parameter]) -> None:
    # Typer reads both, and believes the annotations for those it finds in either.
    function.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    function.__annotations__ = {p.name: p.annotation for p in parameters}


def _own_parameters(words: tuple[str, ...], function: Function) -> list[inspect.Parameter]:
    hints = get_type_hints(function, include_extras=True)
    found = inspect.signature(function).parameters.values()
    return [p.replace(annotation=_with_variable(words, p.name, hints[p.name])) for p in found]


def _context_name(function: Function) -> str | None:
    hints = get_type_hints(function)
    return next((name for name, hint in hints.items() if hint is typer.Context), None)


def _with_variable(words: tuple[str, ...], name: str, annotation: Any) -> Any:
    """Return an option's annotation with its environment variable in it."""
    info = _option_info(annotation)
    if info is None:
        return annotation
    named = copy.copy(info)
    if named.envvar is None:
        flags = [f for f in spellings(info, name) if f.startswith("--")]
        named.envvar = variable(words, flags[0]) if flags else None
    named.show_envvar = False
    base, *extras = get_args(annotation)
    kept = [named if extra is info else extra for extra in extras]
    return Annotated[(base, *kept)]


def _option_info(annotation: Any) -> OptionInfo | None:
    if get_origin(annotation) is not Annotated:
        return None
    return next((a for a in get_args(annotation)[1:] if isinstance(a, OptionInfo)), None)


def spellings(info: OptionInfo, name: str) -> list[str]:
    """Return all flags of an option; within `Annotated` Typer keeps the first as the default."""
    declared = [] if info.default in (..., None) else [str(info.default)]
    declared += info.param_decls or ()
    flags = [part.strip() for text in declared for part in text.split("/")]
    return [f for f in flags if f.startswith("-")] or ["--" + name.replace("_", "-")]


def _flags(parameter: inspect.Parameter) -> list[str]:
    info = _option_info(parameter.annotation)
    return [] if info is None else spellings(info, parameter.name)
