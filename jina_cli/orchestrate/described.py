"""What YAML says of one Executor that is made here, in this program, and in no Flow."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jina_cli.diagnostics import Diagnostic
from jina_cli.orchestrate.draft import Reading, invalid, read_draft
from jina_cli.orchestrate.places import caller
from jina_cli.orchestrate.values import plain
from jina_cli.spec.dialect import kind_of
from jina_cli.spec.nodes import Entry, ListNode, MapNode, ScalarNode, from_data, text_of, to_data

if TYPE_CHECKING:
    from jina_cli.plan.models import ExecutorPlan


def described(
    source: Any,
    over: Mapping[str, Any],
    is_known: Callable[[str], bool],
    *,
    context: Mapping[str, Any],
    substitute: bool = True,
    allow_py_modules: bool = True,
) -> ExecutorPlan:
    """Return what a file, a text or a dict says of an Executor.

    Args:
        source: Path of a file, YAML text, something with `read`, or a dict.
        over: Keys of a Pod laid over it: `uses_with`, `uses_metas`, `py_modules`, …
        is_known: Says whether this program defines a class of that name, which is meant then.
        context: What `${{ CONTEXT.x }}` stands for.
        substitute: Whether variables are put in.
        allow_py_modules: False refuses one that has Python files imported.

    Raises:
        InputMissing: There is no such file.
        SpecInvalid: With all that is wrong.
    """
    from jina_cli.plan.expand import executor_plan

    span = caller()
    how = Reading(env=os.environ, context=context, substitute=substitute)
    draft = read_draft(source, how, span)
    root = draft.root
    if kind_of(root) != "executor":
        raise invalid((_no_executor(root),))
    if not allow_py_modules:
        draft.refuse_py_modules()
    values = {key: plain(value, key) for key, value in over.items() if value}
    name, with_ = text_of(root.get("jtype")), None
    if "py_modules" not in {*root.entries, *values, *_entries(root, "metas")} and is_known(name):
        # Nothing is looked up for it, and nobody but the class itself knows what it takes.
        held = root.get("with")
        with_ = {**(to_data(held) if held else {}), **values.pop("uses_with", {})}
        stand_in = Entry(root.entries["jtype"].span, ScalarNode("BaseExecutor", span))
        root = root.with_entries({**root.without("with").entries, "jtype": stand_in})
    pod = MapNode({"uses": Entry(root.span, root)}, root.span)
    for key, value in values.items():
        pod = pod.with_entries({**pod.entries, key: Entry(span, from_data(value, span))})
    entries = {
        "jtype": Entry(span, ScalarNode("Flow", span)),
        "executors": Entry(span, ListNode((pod,), span)),
    }
    flow = replace(draft, root=MapNode(entries, root.span), is_file=False)
    plan = executor_plan(flow.checked(os.environ).spec.executors[0].uses)
    return plan if with_ is None else replace(plan, uses=name, with_=with_)


def _entries(node: MapNode, key: str) -> Mapping[str, Entry]:
    held = node.get(key)
    return held.entries if isinstance(held, MapNode) else {}


def _no_executor(root: MapNode) -> Diagnostic:
    kind = kind_of(root)
    what = f"a {kind.capitalize()}" if kind else "no Executor"
    return Diagnostic(
        code="JNA507",
        message=f"this describes {what}, and an Executor is needed",
        span=root.span,
        hint="begin it with 'jtype:' and the name of a class",
    )
