"""Several Executors as one: `components:` of the YAML."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from jina_cli.executors.creation import Surroundings, create
from jina_cli.executors.endpoints import ExecutorInvalid
from jina_cli.executors.executor import Executor
from jina_cli.executors.registry import Wanted
from jina_cli.nearest import nearest

COMPOUND = "CompoundExecutor"


class Described(Wanted, Protocol):
    """What a plan says of one Executor; `plan.models.ExecutorPlan` is one."""

    @property
    def with_(self) -> Mapping[str, Any]: ...

    @property
    def metas(self) -> Mapping[str, Any]: ...

    @property
    def requests(self) -> Mapping[str, Any]: ...

    @property
    def dynamic_batching(self) -> Mapping[str, Any]: ...

    @property
    def components(self) -> Sequence[Described]: ...


class CompoundExecutor(Executor):
    """Executors in a row: a request passes those that serve its endpoint, in order.

    Where its own `requests` name an endpoint, their Drivers alone serve it, each calling the
    component it names. A method that one component alone has is a method of this as well.

    Args:
        components: In order; at least one.
        routes: Method → component and its method, where several have one of the name.
        resolve_all: Without effect; for files of Jina 0.9.

    Raises:
        ExecutorInvalid: There are no components, or a route leads nowhere.
    """

    def __init__(
        self,
        components: Sequence[Executor] = (),
        routes: Mapping[str, Sequence[str]] | None = None,
        resolve_all: bool = True,
    ) -> None:
        super().__init__()
        if not components:
            raise ExecutorInvalid(f"{COMPOUND} has no components", hint="list them")
        self.components = tuple(components)
        self._routes = {name: self._route(name, to) for name, to in (routes or {}).items()}

    def component(self, name: str) -> Executor:
        """Return the first component by the `name` of its metas, its class, or a base class.

        Raises:
            ExecutorInvalid: There is none.
        """
        for is_it in (_has_name, _is_class, _is_derived):
            found = next((one for one in self.flat() if is_it(one, name)), None)
            if found is not None:
                return found
        names = [type(one).__name__ for one in self.components]
        near = nearest(name, names)
        hint = f"did you mean {near!r}?" if near else f"there are {', '.join(names)}"
        raise ExecutorInvalid(f"there is no component {name!r}", hint=hint)

    def calling(self, method: str) -> tuple[Executor, str]:
        """Return the component that a method of this name is of, and its name there.

        Raises:
            ExecutorInvalid: None has it, or several have.
        """
        if method in self._routes:
            return self._routes[method]
        having = [one for one in self.flat() if callable(getattr(one, method, None))]
        if len(having) == 1:
            return having[0], method
        names = ", ".join(type(one).__name__ for one in having)
        problem = f"{names} have" if having else "no component has"
        hint = "name one as 'executor' of the Driver, or under 'routes'" if having else ""
        raise ExecutorInvalid(f"{problem} a method {method!r}", hint=hint)

    def flat(self) -> Iterator[Executor]:
        """Yield the components, and those of components, in order."""
        for one in self.components:
            if isinstance(one, CompoundExecutor):
                yield from one.flat()
            else:
                yield one

    def close(self) -> None:
        """Close the components, the last one first; the first exception is raised at the end."""
        close_all(self.components)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "components":
            raise AttributeError(name)
        try:
            component, method = self.calling(name)
        except ExecutorInvalid as error:
            raise AttributeError(str(error)) from None
        return getattr(component, method)

    def _route(self, name: str, to: Sequence[str]) -> tuple[Executor, str]:
        if isinstance(to, str) or len(to) != 2:
            raise ExecutorInvalid(f"the route {name!r} must name a component and its method")
        component, method = self.component(to[0]), to[1]
        if not callable(getattr(component, method, None)):
            cls = type(component).__name__
            raise ExecutorInvalid(f"the route {name!r} leads nowhere: {cls} has no {method!r}")
        return component, method


def close_all(executors: Sequence[Executor]) -> None:
    """Close Executors, the last one first; the first exception is raised at the end."""
    first: Exception | None = None
    for executor in reversed(executors):
        try:
            executor.close()
        except Exception as error:
            first = first or error
    if first is not None:
        raise first


def assemble(
    plan: Described, classes: Callable[[Described], type[Executor]], around: Surroundings
) -> Executor:
    """Return the Executor of a plan, with its components where it has any.

    Components have each a workspace of their own, below the one that `around` says.

    Args:
        classes: Returns the class of a plan without components.

    Raises:
        ExecutorInvalid: As `create`.
        Exception: Whatever a constructor raised.
    """
    around = replace(
        around,
        metas=plan.metas,
        requests=plan.requests,
        dynamic_batching=plan.dynamic_batching,
    )
    if not plan.components:
        return create(classes(plan), plan.with_, around)
    made: list[Executor] = []
    try:
        for component, name in zip(plan.components, names_of(plan.components), strict=True):
            made.append(assemble(component, classes, _below(around, name, component.metas)))
        return create(CompoundExecutor, {**plan.with_, "components": made}, around)
    except BaseException:
        for one in reversed(made):
            one.close()
        raise


def names_of(components: Sequence[Described]) -> list[str]:
    """Return what each component's workspace is called: as it is, or as its class; no two alike."""
    names: list[str] = []
    for one in components:
        name = str(one.metas.get("name") or one.uses.rpartition(":")[2].rpartition("/")[2])
        same = sum(known == name or known.startswith(f"{name}-") for known in names)
        names.append(f"{name}-{same}" if name in names else name)
    return names


def _below(around: Surroundings, name: str, metas: Mapping[str, Any]) -> Surroundings:
    own = metas.get("workspace")
    if own:
        return replace(around, workspace=os.path.join(own, name, str(around.shard_id)))
    if around.workspace:
        return replace(around, workspace=os.path.join(around.workspace, name))
    return around


def _has_name(executor: Executor, name: str) -> bool:
    return bool(executor.metas.name == name)


def _is_class(executor: Executor, name: str) -> bool:
    return type(executor).__name__ == name


def _is_derived(executor: Executor, name: str) -> bool:
    return any(cls.__name__ in (name, _NOW.get(name)) for cls in type(executor).__mro__)


_NOW: Mapping[str, str] = {
    "BaseCrafter": "Crafter",
    "BaseSegmenter": "Segmenter",
    "BaseEncoder": "Encoder",
    "BaseIndexer": "Indexer",
    "BaseVectorIndexer": "VectorIndexer",
    "NumpyIndexer": "VectorIndexer",
    "BaseKVIndexer": "KeyValueIndexer",
    "BinaryPbIndexer": "KeyValueIndexer",
    "BaseRanker": "Ranker",
    "BaseClassifier": "Classifier",
    "BaseEvaluator": "Evaluator",
}
"""Classes of Jina 0.9 → those that took their place."""
