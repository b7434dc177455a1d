"""HTTP load by wrk, a client that costs next to nothing."""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = [[%s]]
done = function(summary, latency, requests)
  local errors = summary.errors
  local line = 'FIGURES {"requests": %%d, "requests_s": %%f,'
    .. ' "p50_ms": %%f, "p99_ms": %%f, "failed": %%d}\\n'
  io.write(string.format(line,
    summary.requests, summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, errors.status + errors.connect + errors.read + errors.timeout))
end
"""
_MARGIN_S = 30.0
QUESTION = {"data": [{"text": "hello"}], "parameters": {}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What wrk measured; latencies in milliseconds."""

    requests: int
    requests_s: float
    p50_ms: float
    p99_ms: float
    failed: int


def rates(url: str, connections: int, seconds: float, body: object = QUESTION) -> Rate:
    """POST the same JSON again and again, over so many connections.

    Raises:
        RuntimeError: wrk measured nothing; its words follow.
    """
    with tempfile.TemporaryDirectory(prefix="wrk-") as folder:
        script = Path(folder) / "post.lua"
        script.write_text(_SCRIPT % json.dumps(body))
        command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s"]
        done = subprocess.run(
            [*command, "-s", str(script), url],
            check=False,
            capture_output=True,
            text=True,
            timeout=seconds + _MARGIN_S,
        )
    for line in done.stdout.splitlines():
        if line.startswith("FIGURES "):
            return Rate(**json.loads(line.removeprefix("FIGURES ")))
    raise RuntimeError(f"wrk measured nothing: {done.stdout[-400:]} {done.stderr[-400:]}")
