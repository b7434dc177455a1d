"""Lists of documents that are columns until somebody touches one of the documents.

`docs.text`, `docs.embedding = array` and `len(docs)` build nothing. Whatever needs documents, an
index, a loop, `append`, first builds all of them; from then on the list is a plain
`DocList[T]`, of just that class. Until then it is of a subclass of it, and holds placeholders:
code in C that looks into lists without asking them finds these, and stumbles, rather than
documents without content.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final, get_origin

from docarray import BaseDoc, DocList

from jina_cli.documents.sheet import Sheet


class _Unread:
    """Stands for a document that nobody has looked at."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<a document that was not read: list(docs) reads it>"


_UNREAD: Final = _Unread()
_SHEET: Final = "_sheet"


def lazy_list(sheet: Sheet) -> DocList[Any]:
    """Return the documents of a sheet as a list."""
    cls = _lazy_type(sheet.doc_type)
    docs: DocList[Any] = cls.__new__(cls)
    list.extend(docs, [_UNREAD] * len(sheet))
    docs.__dict__[_SHEET] = sheet
    return docs


def sheet_of(docs: Any) -> Sheet | None:
    """Return the sheet of a list whose documents are not built; None for anything else."""
    return docs.__dict__[_SHEET] if isinstance(docs, DocList) and _SHEET in docs.__dict__ else None


@cache
def _lazy_type(doc_type: type[BaseDoc]) -> type[DocList[Any]]:
    alias: Any = DocList[doc_type]  # type: ignore[valid-type]
    plain: Any = get_origin(alias) or alias
    methods: dict[str, Any] = {name: _filling(name, plain) for name in _TOUCHING}
    methods["__radd__"] = _before_adding(plain)
    # A field of such a name is a column of the list.
    methods = {name: m for name, m in methods.items() if name not in doc_type.model_fields}
    methods["_get_data_column"] = _get_data_column
    methods["_set_data_column"] = _set_data_column(plain)
    methods["__slots__"] = ()
    methods["__module__"] = plain.__module__
    return type(plain.__name__, (plain,), methods)


_TOUCHING: Final = (
    *("__iter__", "__reversed__", "__getitem__", "__setitem__", "__delitem__", "__contains__"),
    *("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"),
    *("__add__", "__iadd__", "__mul__", "__rmul__", "__imul__"),
    *("append", "extend", "insert", "pop", "remove", "clear", "index", "count", "sort"),
    *("reverse", "copy", "to_json", "__reduce_ex__"),
)
"""Methods that look at the documents by a way that ours would not be asked on."""


def _fill(docs: Any, plain: type) -> None:
    """Make a lazy list the plain list it stands for."""
    if _SHEET not in docs.__dict__:  # a method that was taken from it while it was lazy
        return
    built = docs.__dict__[_SHEET].docs()
    docs.__class__ = plain
    del docs.__dict__[_SHEET]
    list.__setitem__(docs, slice(None), built)


def _filling(name: str, plain: type) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        _fill(self, plain)
        return getattr(self, name)(*args, **kwargs)

    method.__name__ = name
    return method


def _before_adding(plain: type) -> Callable[[Any, Any], Any]:
    def __radd__(self: Any, other: Any) -> Any:  # noqa: N807
        # `list + docs` asks the right side first, and then takes what is in it.
        _fill(self, plain)
        return NotImplemented

    return __radd__


def _get_data_column(self: Any, field: str) -> Any:
    return list(self.__dict__[_SHEET].values(field))


def _set_data_column(plain: type) -> Callable[[Any, str, Any], None]:
    def write(self: Any, field: str, values: Any) -> None:
        if not self.__dict__[_SHEET].write(field, values):
            _fill(self, plain)
            self._set_data_column(field, values)

    return write
