"""`python -m jina_cli.runtime LAUNCH`: a Pea started from nothing."""

from __future__ import annotations

import sys

from jina_cli.lifeline import Launch
from jina_cli.runtime.pea import run

if __name__ == "__main__":
    sys.exit(run(Launch.from_argument(sys.argv[1])))
