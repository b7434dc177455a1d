"""What a document class takes, worked out once for each class.

pydantic checks every value of every document it builds. Columns already say what they hold, so
where a column's kind fits a field's annotation the documents can be built without it; where
anything is left to ask (a validator of the user's own, a constraint, a coercion), it is asked.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Union, cast, get_args, get_origin

import numpy as np
from docarray import BaseDoc, DocList
from docarray.typing import NdArray
from docarray.typing.tensor.abstract_tensor import AbstractTensor
from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from jina_cli.documents.column import (
    BytesColumn,
    Column,
    TensorColumn,
    TextColumn,
    ValuesColumn,
    is_absent,
)

_NONE = type(None)
_SCALARS = (str, int, float, bool)


@dataclass(frozen=True, slots=True)
class DocField:
    """One field of a document class.

    Attributes:
        annotation: Its type, without None.
        takes_none: Whether None is one of its values.
        list_of: The class of its documents, for a list of documents.
        takes_tensor: Whether a tensor is one of its values.
        default: What a document has that lacks the field; None where it is required.
        factory: Makes such a default anew for each document; None where all may share it.
    """

    name: str
    is_required: bool
    annotation: Any
    takes_none: bool
    list_of: type[BaseDoc] | None
    takes_tensor: bool
    default: Any
    factory: Callable[[], Any] | None

    def defaults(self, count: int) -> Sequence[Any]:
        """Return the defaults of so many documents."""
        if self.factory is None:
            return [self.default] * count
        factory = self.factory
        return [factory() for _ in range(count)]

    def values(self, column: Column) -> Sequence[Any] | None:
        """Return the values of a column for this field, or None if pydantic must decide.

        Lists of documents are not for this, see `list_of`. The values may hold None where
        `takes_none` is not so: those documents lack the field.
        """
        if is_absent(column):
            return [None] * len(column)
        match column:
            case TextColumn(values):
                return values if self.annotation in (str, Any) else None
            case BytesColumn(values):
                return values if self.annotation in (bytes, Any) else None
            case TensorColumn():
                return _tensors(column, self.annotation)
            case ValuesColumn(values):
                return _values(values, self.annotation)
            case _:
                return None


@dataclass(frozen=True, slots=True)
class DocSchema:
    """What a document class takes.

    Attributes:
        fields: By name, `id` not among them.
        required: Names of those that have no default.
        is_plain: Whether a document with values that fit its annotations is a good one: there
            are no validators, constraints, private attributes or constructors of its own.
        takes_any: Whether it keeps fields that it does not declare.
    """

    doc_type: type[BaseDoc]
    fields: Mapping[str, DocField]
    required: frozenset[str]
    is_plain: bool
    takes_any: bool


@cache
def schema_of(doc_type: type[BaseDoc]) -> DocSchema:
    """Return what a document class takes."""
    fields = {
        name: _field(name, info) for name, info in doc_type.model_fields.items() if name != "id"
    }
    return DocSchema(
        doc_type=doc_type,
        fields=fields,
        required=frozenset(name for name, field in fields.items() if field.is_required),
        is_plain=_is_plain(doc_type),
        takes_any=doc_type.model_config.get("extra") == "allow",
    )


def _field(name: str, info: FieldInfo) -> DocField:
    annotation, takes_none = _without_none(info.annotation)
    # `DocList[Doc]` is an alias of a class of its own.
    kind = get_origin(annotation) or annotation
    is_list = isinstance(kind, type) and issubclass(kind, DocList)
    default = None if info.is_required() else info.default
    factory = cast("Callable[[], Any] | None", info.default_factory)
    if factory is None and type(default) not in (*_SCALARS, bytes, _NONE):
        factory = partial(deepcopy, default)
    return DocField(
        name=name,
        is_required=info.is_required(),
        annotation=annotation,
        takes_none=takes_none,
        list_of=cast(type[BaseDoc], kind.doc_type) if is_list else None,
        takes_tensor=any(
            isinstance(one, type) and issubclass(one, AbstractTensor)
            for one in (annotation, *get_args(annotation))
        ),
        default=default if factory is None else None,
        factory=factory,
    )


def _without_none(annotation: Any) -> tuple[Any, bool]:
    if annotation is Any:
        return Any, True
    if get_origin(annotation) not in (Union, types.UnionType):
        return annotation, annotation in (None, _NONE)
    kinds = [kind for kind in get_args(annotation) if kind is not _NONE]
    takes_none = len(kinds) < len(get_args(annotation))
    return (kinds[0] if len(kinds) == 1 else annotation), takes_none


def _is_plain(doc_type: type[BaseDoc]) -> bool:
    decorators = doc_type.__pydantic_decorators__
    constructor: Any = doc_type.__init__
    validators: tuple[Any, ...] = (
        *decorators.validators.values(),
        *decorators.field_validators.values(),
        *decorators.root_validators.values(),
        *decorators.model_validators.values(),
    )
    infos = doc_type.model_fields.values()
    return (
        all(_is_docarrays(validator.func) for validator in validators)
        and (constructor is BaseModel.__init__ or _is_docarrays(constructor))
        and not doc_type.__private_attributes__
        and doc_type.__pydantic_post_init__ is None
        and not any(info.metadata or info.alias or info.validation_alias for info in infos)
        and not any(_takes_data(info) for info in infos)
    )


def _takes_data(info: FieldInfo) -> bool:
    """Return whether a default is made of the document's other values."""
    return info.default_factory is not None and bool(
        getattr(info, "default_factory_takes_validated_data", False)
    )


def _is_docarrays(function: Callable[..., Any]) -> bool:
    # What docarray's own classes check is the shorthand `TextDoc("text")`, never a field.
    function = getattr(function, "__func__", function)
    return str(getattr(function, "__module__", "")).partition(".")[0] == "docarray"


def _tensors(column: TensorColumn, annotation: Any) -> Sequence[Any] | None:
    """Return tensors of the class that pydantic makes of the first of them."""
    if not isinstance(annotation, type) or not _is_docarrays(annotation):
        return None
    try:
        sample = _adapter(annotation).validate_python(np.zeros_like(column.array[0]))
    except (ValueError, TypeError):
        return None
    like = column.array[0]
    if not isinstance(sample, NdArray) or (sample.shape, sample.dtype) != (like.shape, like.dtype):
        return None
    # A copy, since users write into the tensors of their documents.
    rows: list[Any] = list(column.array.copy().view(type(sample)))
    if column.array.ndim == 1:
        rows = [np.asarray(row).view(type(sample)) for row in rows]
    if column.present is None:
        return rows
    return [row if there else None for row, there in zip(rows, column.present, strict=True)]


@cache
def _adapter(annotation: Any) -> TypeAdapter[Any]:
    return TypeAdapter(annotation)


def _values(values: Sequence[Any], annotation: Any) -> Sequence[Any] | None:
    if annotation is Any:
        return values
    kinds = set(map(type, values)) - {_NONE}
    if annotation is float and kinds <= {float, int}:
        return [None if value is None else float(value) for value in values]
    if annotation in _SCALARS or annotation in (list, dict):
        return values if kinds == {annotation} else None
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is list and kinds == {list}:
        return values if _all_are(inner[0], (item for v in values if v for item in v)) else None
    if origin is dict and kinds == {dict} and inner[0] is str:
        items = (item for v in values if v for item in v.values())
        return values if _all_are(inner[1], items) else None
    return None


def _all_are(kind: Any, items: Any) -> bool:
    return kind is Any or (kind in _SCALARS and set(map(type, items)) <= {kind})
