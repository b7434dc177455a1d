"""`jina explain`: what a key of the YAML, a code of an error or a topic means."""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jina_cli.cli.settings import settings_of
from jina_cli.cli.topics import TOPICS, Topic
from jina_cli.errors import JinaError, NothingMatched
from jina_cli.nearest import nearest

if TYPE_CHECKING:
    from jina_cli.spec.explain import Explanation, Listed

WIDTH = 88

_FAMILIES = (
    *("crafters", "segmenters", "encoders", "indexers"),
    *("rankers", "classifiers", "evaluators", "others"),
)
"""Packages of the built-in Executors, in the order in which documents meet them."""


def explain(
    ctx: typer.Context,
    key: Annotated[
        str,
        typer.Argument(
            metavar="[KEY|CODE|TOPIC]",
            help="A key, `executors.replicas` or `replicas`, an Executor, `TextIndexer`, "
            "a code, `JNA101`, or a topic, `limits`.",
            show_default=False,
        ),
    ] = "flow",
) -> None:
    """Explain a key of the YAML, a built-in Executor, a code of an error, or a topic.

    A key alone is looked for everywhere; with the key it stands under, in that one place.
    Without an argument, the keys of a Flow, and the topics; `executors` lists the Executors
    by family too, each with an example, and `drivers` the Drivers. Exits with 5 if there is
    nothing of that name.
    """
    from jina_cli.cli.render import Output

    settings = settings_of(ctx)
    output = Output(settings)
    records = records_of(key)
    for place, record in enumerate(records):
        if settings.json:
            output.json(record)
        else:
            output.result(("\n" if place else "") + text_of(record))
    if key == "flow" and not settings.json:
        output.result("\n" + _topics())
    if key == "drivers" and not settings.json:
        output.result("\nWhere they stand, and what a traversal path is: jina explain paths")


def records_of(key: str) -> list[dict[str, Any]]:
    """Return what is known under a key, a code or a topic, as plain data.

    Raises:
        NothingMatched: There is none of that name.
    """
    from jina_cli.spec.explain import explain as explain_key
    from jina_cli.spec.explain import nearest_keys

    if key.upper().startswith("JNA"):
        return [_code(key.upper())]
    if key in TOPICS:
        return [_topic(key, TOPICS[key])]
    if key == "drivers":
        return [_drivers()]
    found = explain_key(key)
    if key == "executors":
        return [*({**_record(each), "built_in": {}} for each in found), *_families()]
    if not found:
        near = [each for each in (nearest(key, TOPICS), *nearest_keys(key)) if each]
        hint = "did you mean " + " or ".join(map(repr, near)) + "?" if near else "see jina explain"
        raise NothingMatched(f"there is no key {key!r}", hint=hint)
    return [_record(each) for each in found]


def text_of(record: dict[str, Any]) -> str:
    """Return one of `records_of` as text for people."""
    if "code" in record:
        return f"{record['code']}: {record['title']}\n\n{_wrapped(record['text'])}"
    if "topic" in record:
        return f"{record['topic']}: {record['title']}\n\n{record['text']}"
    if "list" in record:
        return "\n\n".join([f"{record['list'].capitalize()}:", *map(_item, record["items"])])
    lines = [_headline(record), _wrapped(record["description"])]
    if record["note"]:
        lines.append(_wrapped(record["note"]))
    under = "`with`" if "Driver" in record["types"] else "`with` or `uses_with`"
    tables = (
        ("Built in:", record["built_in"]),
        ("Keys:", record["keys"]),
        (f"Arguments, under {under}:", record["arguments"]),
    )
    for title, table in tables:
        if table:
            lines += ["", title.replace("`", "'"), *_table(table)]
    if record["endpoints"]:
        lines += ["", "Endpoints:", "  " + ", ".join(map(_endpoint, record["endpoints"]))]
    if record["example"]:
        lines += ["", "Example:", textwrap.indent(record["example"], "  ")]
    return "\n".join(lines)


def _headline(record: dict[str, Any]) -> str:
    said = " or ".join(record["choices"] or record["types"])
    parts = [said] if said else []
    if record["default"] not in (None, "", {}, []):
        parts.append(f"default {json.dumps(record['default'], ensure_ascii=False)}")
    return f"{record['key']}: {', '.join(parts)}" if parts else record["key"]


def _endpoint(name: str) -> str:
    return "all" if name == "/default" else name


def _wrapped(text: str) -> str:
    return textwrap.fill(text, WIDTH, initial_indent="  ", subsequent_indent="  ")


def _table(rows: dict[str, str]) -> list[str]:
    width = max(map(len, rows)) + 2
    return [
        textwrap.fill(
            text.replace("`", "'"),
            WIDTH,
            initial_indent=f"  {name:<{width}}",
            subsequent_indent=" " * (width + 2),
        )
        for name, text in rows.items()
    ]


def _topics() -> str:
    return "\n".join(["Topics:", *_table({name: topic.title for name, topic in TOPICS.items()})])


def _topic(name: str, topic: Topic) -> dict[str, Any]:
    return {
        "schema": "jina.explain/1",
        "topic": name,
        "title": topic.title,
        "text": topic.text,
    }


def _families() -> list[dict[str, Any]]:
    """Return the built-in Executors, a list for each family, in the order of a Flow."""
    from jina_cli.executors.registry import BUILT_IN
    from jina_cli.spec.explain import listed_executors

    families: dict[str, list[Listed]] = {name: [] for name in _FAMILIES}
    for each in listed_executors():
        place = BUILT_IN[each.name].partition(":")[0].split(".")
        families[place[2] if place[2] in families else "others"].append(each)
    return [_list(name, items) for name, items in families.items() if items]


def _drivers() -> dict[str, Any]:
    from jina_cli.spec.explain import listed_drivers

    return _list("drivers", listed_drivers())


def _list(name: str, items: list[Listed]) -> dict[str, Any]:
    return {"schema": "jina.explain/1", "list": name, "items": [asdict(item) for item in items]}


def _item(item: dict[str, Any]) -> str:
    head = "  ".join(filter(None, (item["name"], ", ".join(map(_endpoint, item["endpoints"])))))
    if not item["example"]:
        return textwrap.indent(f"{head}  {item['description'].replace('`', chr(39))}", "  ")
    example = textwrap.indent(item["example"], "    ")
    return f"  {head}\n{_wrapped(item['description'])}\n{example}"


def _record(explanation: Explanation) -> dict[str, Any]:
    return {"schema": "jina.explain/1", **asdict(explanation)}


def _code(code: str) -> dict[str, Any]:
    from jina_cli.spec.codes import CODES

    known = {cls.code: _failure(cls) for cls in _failures(JinaError)}
    known |= {name: (each.title, each.text) for name, each in CODES.items()}
    if code not in known:
        near = nearest(code, known)
        hint = f"did you mean {near}?" if near else ""
        raise NothingMatched(f"there is no code {code!r}", hint=hint)
    title, text = known[code]
    return {"schema": "jina.explain/1", "code": code, "title": title, "text": text}


def _failures(root: type[JinaError]) -> list[type[JinaError]]:
    return [root, *(each for cls in root.__subclasses__() for each in _failures(cls))]


def _failure(cls: type[JinaError]) -> tuple[str, str]:
    first = (cls.__doc__ or "").partition("\n")[0]
    return first.rstrip("."), f"A command that ends with this exits with {int(cls.exit_code)}."
