"""Where a Flow runs: its folders, and the plan that is made with them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from jina_cli.plan.models import Plan
from jina_cli.spec.models import FlowSpec
from jina_cli.vocabulary import DEFAULT_WORKSPACE


def planned(
    spec: FlowSpec,
    *,
    environ: Mapping[str, str],
    project: str = "",
    log_dir: str = "",
    instance: str = "",
) -> Plan:
    """Return what will run, in the folders that other commands look for it in.

    Args:
        project: Keeps Flows of one name apart.
        log_dir: Where log files go; empty for the usual place.
        instance: Set, for a Flow that others of the same source may run beside; nobody finds it.

    Raises:
        SpecInvalid: It cannot be planned.
        CannotWrite: The path of its run dir is too long for sockets.
    """
    from jina_cli.plan.expand import expand
    from jina_cli.supervise.registry import log_dir_for, run_dir_for

    root = Path(os.path.abspath(spec.workspace or DEFAULT_WORKSPACE))
    logs = log_dir or log_dir_for(spec.name, spec.source, str(root), project=project)
    known_as = f"{spec.source}#{instance}" if instance else spec.source
    return expand(
        spec,
        run_dir=run_dir_for(known_as, str(root), project=project),
        log_dir=Path(logs),
        workspace=root,
        environ=environ,
    )
