"""What a Flow does only if whoever starts it says so."""

from __future__ import annotations

from collections.abc import Mapping

from jina_cli.errors import NotPermitted
from jina_cli.plan.models import Plan
from jina_cli.vocabulary import ALLOW_INSTALL


def check_allowed(plan: Plan, environ: Mapping[str, str]) -> None:
    """Raise NotPermitted: A Pod wants packages installed, and `ALLOW_INSTALL` is not set."""
    wanting = next((pea.pod for pea in plan.peas if pea.install_requirements), "")
    if wanting and environ.get(ALLOW_INSTALL, "").lower() not in ("1", "true", "yes"):
        raise NotPermitted(
            f"{wanting}: 'install_requirements' lets pip run code that it fetches",
            hint=f"allow it with --allow-install or {ALLOW_INSTALL}=1, or install them yourself",
        )
