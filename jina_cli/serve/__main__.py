"""`python -m jina_cli.serve LAUNCH_JSON`: the Gateway's process."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the Gateway that the first argument describes; return its exit code."""
    from jina_cli.lifeline import Launch
    from jina_cli.serve.gateway import run

    if len(sys.argv) != 2:
        print("usage: python -m jina_cli.serve LAUNCH_JSON", file=sys.stderr)
        return 2
    return run(Launch.from_argument(sys.argv[1]))


if __name__ == "__main__":
    sys.exit(main())
