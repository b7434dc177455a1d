"""What JSON says of fields in which a document has nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Blanks:
    """Values of a document class where a document has none.

    Attributes:
        values: By field, in the order of the class: the default, or None.
        inner: The same of the documents in a field, by its name.
    """

    values: Mapping[str, Any]
    inner: Mapping[str, Callable[[], Blanks]]

    def fill(self, row: Any) -> Any:
        """Return a document that is an object of JSON with all its fields."""
        if not isinstance(row, Mapping):
            return row
        known = {name: value for name, value in row.items() if value is not None}
        filled = {"id": row.get("id"), **self.values, **known}
        for name, blanks in self.inner.items():
            value = filled[name]
            if isinstance(value, list):
                filled[name] = [blanks().fill(one) for one in value]
            elif value is not None:
                filled[name] = blanks().fill(value)
        return filled
