"""Canonical nodes → models. Whatever reaches this has the right type; defaults fill the rest.

Names of files become absolute, names of classes are resolved, `needs` are worked out. What is
found wrong on the way is noted, and the model is built all the same, so that one run finds all.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jina_cli.diagnostics import Diagnostic, Span
from jina_cli.spec.models import (
    TELEMETRY,
    DriverSpec,
    ExecutorSpec,
    FlowSpec,
    GatewaySpec,
    PodSpec,
)
from jina_cli.spec.nodes import ListNode, MapNode, Node, ScalarNode, spans_of, text_of, to_data
from jina_cli.spec.topology import Placed, Step, place
from jina_cli.spec.uses import Classes, Site, find_file
from jina_cli.vocabulary import Compression, Partial, Polling, Protocol, Restart, Runtime

FolderOf = Callable[[Span], Path]
"""Absolute folder of the file that a place is in."""


@dataclass(frozen=True, slots=True)
class Built:
    """A Flow's model, the steps that its needs were worked out of, and what is wrong."""

    spec: FlowSpec
    steps: tuple[Step, ...]
    placed: tuple[Placed, ...]
    problems: list[Diagnostic]


def build_flow(flow: MapNode, *, source: Path, folder_of: FolderOf) -> Built:
    """Return a Flow whose `with` is spread and whose files are read in."""
    builder = _Builder(folder_of)
    inspect = text_of(flow.get("inspect")).upper() or "COLLECT"
    pods = [pod for pod in _items(flow.get("executors")) if isinstance(pod, MapNode)]
    if inspect == "REMOVE":
        pods = [pod for pod in pods if text_of(pod.get("method")) != "inspect"]
    names = _names(pods)
    steps = tuple(_step(pod, name) for pod, name in zip(pods, names, strict=True))
    placed = place(steps, inspect)
    workspace = builder.folder(flow.get("workspace"))
    spec = FlowSpec(
        name=text_of(flow.get("name")) or source.stem,
        workspace=workspace,
        env=_environment(flow.get("env")),
        **_given(flow, "colocate"),
        gateway=builder.gateway(flow),
        executors=tuple(
            builder.pod(pod, at, f"executors[{index}]", workspace)
            for index, (pod, at) in enumerate(zip(pods, placed, strict=True))
        ),
        source=str(source),
        spans=dict(spans_of(flow)),
    )
    return Built(spec, steps, placed, [*builder.problems, *builder.classes.problems])


def build_executor(node: MapNode, *, folder_of: FolderOf) -> tuple[ExecutorSpec, list[Diagnostic]]:
    """Return one Executor of a file of its own."""
    builder = _Builder(folder_of)
    spec = builder.executor(node, None, "")
    return spec, [*builder.problems, *builder.classes.problems]


class _Builder:
    def __init__(self, folder_of: FolderOf) -> None:
        self._folder_of = folder_of
        self.classes = Classes()
        self.problems: list[Diagnostic] = []

    def folder(self, node: Node | None) -> str | None:
        """Return a folder as an absolute path; it need not be there."""
        text = text_of(node)
        if not text or node is None:
            return None
        return os.path.normpath(self._folder_of(node.span) / os.path.expanduser(text))

    def gateway(self, flow: MapNode) -> GatewaySpec:
        entry = flow.entries.get("gateway")
        node = entry.value if entry and isinstance(entry.value, MapNode) else None
        if entry is None or node is None:
            return GatewaySpec(span=flow.span)
        protocols = tuple(Protocol(p.lower()) for p in _texts(node.get("protocol")))
        protocol = protocols or GatewaySpec().protocol
        return GatewaySpec(
            **_given(node, "host", "title", "description"),
            **_given(node, "prefetch", "timeout_ready", "max_restarts", "stop_timeout"),
            **_given(node, "max_message_bytes", "port_monitoring", *TELEMETRY),
            cors=_origins(node.get("cors")),
            port=_numbers(node.get("port")) or (0,) * len(protocol),
            protocol=protocol,
            expose_endpoints=_mapping(node.get("expose_endpoints")),
            ssl_certfile=self._file(node.get("ssl_certfile"), "gateway.ssl_certfile"),
            ssl_keyfile=self._file(node.get("ssl_keyfile"), "gateway.ssl_keyfile"),
            timeout_send=_limit(node.get("timeout_send")),
            env=_environment(node.get("env")),
            restart=Restart(text_of(node.get("restart")) or GatewaySpec().restart.value),
            compression=Compression(text_of(node.get("compression")) or Compression.NONE.value),
            span=entry.span,
        )

    def pod(self, pod: MapNode, at: Placed, path: str, flow_workspace: str | None) -> PodSpec:
        uses = self._executor_of(pod, "uses", path)
        assert uses is not None, "a Pod always runs something"
        workspace = self.folder(pod.get("workspace"))
        if workspace is None and flow_workspace is None:
            workspace = uses.metas.get("workspace")
        return PodSpec(
            name=at.name,
            needs=at.needs,
            floating=at.floating,
            uses=uses,
            **_given(pod, "method"),
            **_given(pod, "shards", "replicas", "external", "tls", "no_reduce", "retries"),
            **_given(pod, "timeout_ready", "max_restarts", "stop_timeout"),
            **_given(pod, "allow_concurrent", "max_queue"),
            **_given(pod, "install_requirements", *TELEMETRY),
            when=_mapping(pod.get("when")) or None,
            polling=_polling(pod.get("polling")),
            uses_before=self._executor_of(pod, "uses_before", path),
            uses_after=self._executor_of(pod, "uses_after", path),
            host=_texts(pod.get("host")) or PodSpec(name="").host,
            port=_numbers(pod.get("port")),
            grpc_metadata=_environment(pod.get("grpc_metadata")),
            workspace=workspace,
            env=_environment(pod.get("env")),
            timeout_send=_limit(pod.get("timeout_send")),
            restart=Restart(text_of(pod.get("restart")) or PodSpec(name="").restart.value),
            idempotent=tuple(_with_slash(each) for each in _texts(pod.get("idempotent"))),
            partial=Partial(text_of(pod.get("partial")) or Partial.REFUSE.value),
            runtime=_runtime(pod.get("runtime")),
            exit_on_exceptions=_texts(pod.get("exit_on_exceptions")),
            port_monitoring=_numbers(pod.get("port_monitoring")),
            **self._as_written(pod),
            span=pod.span,
        )

    def _as_written(self, pod: MapNode) -> dict[str, Any]:
        keys = ("uses_with", "uses_metas", "uses_requests", "uses_dynamic_batching")
        found: dict[str, Any] = {key: _mapping(pod.get(key)) for key in keys}
        found["py_modules"] = _texts(pod.get("py_modules"))
        found["extra_search_paths"] = _texts(pod.get("extra_search_paths"))
        return found

    def _executor_of(self, pod: MapNode, key: str, path: str) -> ExecutorSpec | None:
        """Return what `uses` names, with the Pod's own `uses_…` over it."""
        held = pod.get(key)
        over = pod if key == "uses" else None
        if held is None and over is not None:
            held = ScalarNode(ExecutorSpec().jtype, pod.span)
        if isinstance(held, MapNode):
            return self.executor(held, over, f"{path}.{key}")
        name = text_of(held)
        if held is None or not name:
            return None
        site = self._site(held.span, f"{path}.{key}", over)
        modules = self._modules([pod.get("py_modules")], path, over)
        jtype = self.classes.name_of(name, modules, site)
        spec = ExecutorSpec(
            jtype=jtype, py_modules=modules or (), source_dir=str(site.folder), span=held.span
        )
        return spec if over is None else self._laid_over(spec, over)

    def executor(
        self, node: MapNode, pod: MapNode | None, path: str, above: Sequence[Node | None] = ()
    ) -> ExecutorSpec:
        """Return an Executor's mapping as a model.

        Args:
            pod: The one that uses it; None for a component.
            above: The `py_modules` of those that a component is in.
        """
        named = node.entries.get("jtype")
        span = named.value.span if named else node.span
        site = self._site(span, path, pod)
        metas = node.get("metas")
        inner = metas.get("py_modules") if isinstance(metas, MapNode) else None
        given = [*above, node.get("py_modules"), inner, pod.get("py_modules") if pod else None]
        modules = self._modules(given, path, pod)
        parts = [part for part in _items(node.get("components")) if isinstance(part, MapNode)]
        components = tuple(
            self.executor(part, None, f"{path}.components[{index}]", given)
            for index, part in enumerate(parts)
        )
        name = text_of(named.value) if named else ExecutorSpec().jtype
        spec = ExecutorSpec(
            jtype=name if components else self.classes.name_of(name, modules, site),
            with_=_mapping(node.get("with")),
            metas=self._metas(metas),
            py_modules=modules or (),
            requests=_requests(node.get("requests")),
            dynamic_batching=_mapping(node.get("dynamic_batching")),
            components=components,
            source_dir=str(site.folder),
            span=span,
        )
        return spec if pod is None else self._laid_over(spec, pod)

    def _laid_over(self, spec: ExecutorSpec, pod: MapNode) -> ExecutorSpec:
        return replace(
            spec,
            with_={**spec.with_, **_mapping(pod.get("uses_with"))},
            metas={**spec.metas, **self._metas(pod.get("uses_metas"))},
            requests={**spec.requests, **_requests(pod.get("uses_requests"))},
            dynamic_batching={
                **spec.dynamic_batching,
                **_mapping(pod.get("uses_dynamic_batching")),
            },
        )

    def _metas(self, node: Node | None) -> dict[str, Any]:
        if not isinstance(node, MapNode):
            return {}
        metas: dict[str, Any] = {
            key: text_of(node.get(key)) for key in ("name", "description", "url") if node.get(key)
        }
        keywords = node.get("keywords")
        if keywords is not None:
            metas["keywords"] = to_data(keywords)
        workspace = self.folder(node.get("workspace"))
        return metas if workspace is None else {**metas, "workspace": workspace}

    def _modules(
        self, given: Iterable[Node | None], path: str, pod: MapNode | None
    ) -> tuple[str, ...] | None:
        """Return what can be imported, in order; None if something is not there."""
        found: list[str | None] = []
        for node in given:
            for item in _scalars(node):
                site = self._site(item.span, f"{path}.py_modules", pod)
                found.append(self.classes.py_module(text_of(item), site))
        there = [module for module in dict.fromkeys(found) if module is not None]
        return tuple(there) if None not in found else None

    def _site(self, span: Span, path: str, pod: MapNode | None) -> Site:
        more = (
            ()
            if pod is None
            else tuple(
                self._folder_of(item.span) / text_of(item)
                for item in _scalars(pod.get("extra_search_paths"))
            )
        )
        return Site(folder=self._folder_of(span), span=span, more=more, path=path)

    def _file(self, node: Node | None, path: str) -> str:
        name = text_of(node)
        if node is None or not name:
            return ""
        site = self._site(node.span, path, None)
        found = find_file(name, site)
        if found is None:
            self.classes.missing_file(name, site)
        return str(found or "")


def _names(pods: Sequence[MapNode]) -> list[str]:
    """Return the name of each Pod; those without get one that no other has."""
    names: list[str] = []
    given = {text_of(pod.get("name")) for pod in pods}
    for index, pod in enumerate(pods):
        name = text_of(pod.get("name"))
        names.append(name or _free_name(pod, index, given.union(names)))
    return names


def _free_name(pod: MapNode, index: int, taken: set[str]) -> str:
    method = text_of(pod.get("method"))
    name = method if method in ("inspect", "gather_inspect") else f"executor{index}"
    while name in taken:
        name += "_"
    return name


def _step(pod: MapNode, name: str) -> Step:
    needs = pod.get("needs")
    return Step(
        name=name,
        needs=_texts(needs) or None,
        method=text_of(pod.get("method")) or "add",
        floating=text_of(pod.get("floating")).lower() == "true",
    )


def _given(node: MapNode, *keys: str) -> dict[str, Any]:
    """Return the values of `keys` that are written, so that defaults stay the model's."""
    return {
        key: to_data(entry.value)
        for key in keys
        if (entry := node.entries.get(key)) is not None and to_data(entry.value) is not None
    }


def _items(node: Node | None) -> tuple[Node, ...]:
    return node.items if isinstance(node, ListNode) else ()


def _scalars(node: Node | None) -> list[ScalarNode]:
    """Return a scalar, or the scalars of a list."""
    nodes = node.items if isinstance(node, ListNode) else (node,)
    return [each for each in nodes if isinstance(each, ScalarNode) and each.value is not None]


def _texts(node: Node | None) -> tuple[str, ...]:
    return tuple(text_of(each) for each in _scalars(node))


def _numbers(node: Node | None) -> tuple[int, ...]:
    return tuple(int(each.value) for each in _scalars(node) if isinstance(each.value, int | float))


def _mapping(node: Node | None) -> dict[str, Any]:
    return to_data(node) if isinstance(node, MapNode) else {}


def _environment(node: Node | None) -> dict[str, str]:
    """Return variables as text, just as they are written: `010` stays `010`."""
    if not isinstance(node, MapNode):
        return {}
    return {key: _written(entry.value) for key, entry in node.entries.items()}


def _written(node: Node) -> str:
    return (node.text or text_of(node)) if isinstance(node, ScalarNode) else ""


def _limit(node: Node | None) -> int | None:
    """Return a time limit in ms; below 0 is none."""
    value = node.value if isinstance(node, ScalarNode) else None
    return int(value) if isinstance(value, int | float) and value >= 0 else None


def _origins(node: Node | None) -> bool | tuple[str, ...]:
    """Return which origins may call; `*` among them is any."""
    origins = _texts(node)
    if isinstance(node, ListNode):
        return "*" in origins or origins
    return isinstance(node, ScalarNode) and node.value is True


def _runtime(node: Node | None) -> Runtime | None:
    text = text_of(node)
    return Runtime(text) if text else None


def _with_slash(endpoint: str) -> str:
    return endpoint if endpoint.startswith("/") else f"/{endpoint}"


def _polling(node: Node | None) -> dict[str, Polling]:
    if isinstance(node, MapNode):
        given = {key: Polling(text_of(e.value).upper()) for key, e in node.entries.items()}
        return {"*": Polling.ANY, **given}
    return {"*": Polling(text_of(node).upper())} if node else {"*": Polling.ANY}


def _requests(node: Node | None) -> dict[str, str | tuple[DriverSpec, ...]]:
    if not isinstance(node, MapNode):
        return {}
    return {key: _served_by(entry.value) for key, entry in node.entries.items()}


def _served_by(node: Node) -> str | tuple[DriverSpec, ...]:
    if not isinstance(node, ListNode):
        return text_of(node)
    return tuple(
        DriverSpec(driver=text_of(item.get("driver")), with_=_mapping(item.get("with")))
        for item in node.items
        if isinstance(item, MapNode)
    )
