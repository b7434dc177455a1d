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
from functools import cache, lru_cache, partial
from typing import Any, Union, cast, get_args, get_origin

import numpy as np
from docarray import BaseDoc, DocList
from docarray.typing import NdArray
from docarray.typing.tensor.abstract_tensor import AbstractTensor
from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from jina_cli.documents.blanks import Blanks
from jina_cli.documents.document import Document
from jina_cli.documents.rows import plain_value

_NO_BLANKS = Blanks(values={}, inner={})
_NONE = type(None)
_SCALARS = (str, int, float, bool)
_DEMANDING = (
    *("str_to_lower", "str_to_upper", "str_strip_whitespace", "str_min_length"),
    *("str_max_length", "frozen", "validate_default", "alias_generator"),
)
"""What a class may set in its `model_config` that changes values, or refuses some."""


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

    def array_type(self, dtype: np.dtype[Any], shape: tuple[int, ...]) -> type[NdArray[Any]] | None:
        """Return the class that pydantic makes of such an array, its numbers as they are.

        None says that it makes something else of it, or refuses it.
        """
        if not isinstance(self.annotation, type):
            return None
        return _array_type(self.annotation, dtype, shape)


@dataclass(frozen=True, slots=True)
class DocSchema:
    """What a document class takes.

    Attributes:
        fields: By name, `id` not among them.
        required: Names of those that have no default.
        said: Names of those that have a value in every document: the required ones, and those
            with a default that is something.
        is_plain: Whether a document with values that fit its annotations is a good one: there
            are no validators, constraints, private attributes or constructors of its own.
        takes_any: Whether it keeps fields that it does not declare.
    """

    doc_type: type[BaseDoc]
    fields: Mapping[str, DocField]
    required: frozenset[str]
    said: frozenset[str]
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
        said=frozenset(name for name, field in fields.items() if _is_said(field)),
        is_plain=_is_plain(doc_type),
        takes_any=doc_type.model_config.get("extra") == "allow",
    )


@cache
def blanks_of(doc_type: type[BaseDoc]) -> Blanks | None:
    """Return what JSON says of fields that a document of the class lacks.

    None for the class of documents that have none of their own: they are told by what they have.
    """
    if doc_type is Document:
        return None
    fields = schema_of(doc_type).fields
    inner = {name: _documents_in(field) for name, field in fields.items()}
    return Blanks(
        values={name: _blank(field) for name, field in fields.items()},
        inner={
            name: partial(_blanks_within, kind) for name, kind in inner.items() if kind is not None
        },
    )


def _blank(field: DocField) -> Any:
    """Return the default; None where documents get one each that is something."""
    (default,) = field.defaults(1)
    return plain_value(default) if field.factory is None or not default else None


def _documents_in(field: DocField) -> type[BaseDoc] | None:
    is_one = isinstance(field.annotation, type) and issubclass(field.annotation, BaseDoc)
    return cast(type[BaseDoc], field.annotation) if is_one else field.list_of


def _blanks_within(doc_type: type[BaseDoc]) -> Blanks:
    return blanks_of(doc_type) or _NO_BLANKS


def _is_said(field: DocField) -> bool:
    (default,) = field.defaults(1)
    nothing = default is None or (isinstance(default, list | dict) and not default)
    return field.is_required or not nothing


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
        and _is_docarrays(doc_type.__setattr__)
        and not any(doc_type.model_config.get(key) for key in _DEMANDING)
        and not doc_type.__private_attributes__
        and doc_type.__pydantic_post_init__ is None
        and not any(info.metadata or info.alias or info.validation_alias for info in infos)
        and not any(info.frozen for info in infos)
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


@lru_cache(maxsize=4096)
def _array_type(
    annotation: type, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> type[NdArray[Any]] | None:
    if not _is_docarrays(annotation) or dtype.kind not in "biufc":
        return None
    try:
        made = _adapter(annotation).validate_python(np.zeros(shape, dtype))
    except (ValueError, TypeError):
        return None
    if not isinstance(made, NdArray) or (made.shape, made.dtype) != (shape, dtype):
        return None
    return type(made)


@cache
def _adapter(annotation: Any) -> TypeAdapter[Any]:
    return TypeAdapter(annotation)
