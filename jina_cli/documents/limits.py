"""How much one message may make of few bytes. Honest documents come nowhere near."""

from __future__ import annotations

from typing import Final

MAX_LEVELS: Final = 32
"""How deep documents may be nested in documents."""

MAX_DEPTH: Final = 128
"""How deep lists and objects may be nested in one field."""

MAX_DOCUMENTS: Final = 1_000_000
"""Documents of one message, those in documents counted level by level."""

MAX_GAPS: Final = 8_000_000
"""Fields that documents of one message lack and others have. Each takes room in a column, so
that without a bound documents of ten bytes, each with a field of its own, take gigabytes."""
