"""The trees of the Flows in `tests/fixtures/plans`; run as a module, it writes them anew."""

from __future__ import annotations

from pathlib import Path

from jina_cli.plan.tree import render
from jina_cli.spec.load import load_flow
from tests.testing.plans import planned

FOLDER = Path(__file__).parents[1] / "fixtures" / "plans"


def tree_of(path: Path) -> str:
    """Return what `--dry-run` shows of a Flow, with file names instead of paths."""
    plan = planned(load_flow(path, env={}).spec)
    return render(plan).replace(f"{path.parent}/", "") + "\n"


def main() -> None:
    for path in sorted(FOLDER.glob("*.yml")):
        path.with_suffix(".txt").write_text(tree_of(path), "utf-8")


if __name__ == "__main__":
    main()
