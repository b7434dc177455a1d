"""Whose certificates are trusted when the Gateway asks an external Pod over TLS."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from pathlib import Path

_NAMED_BY = ("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "SSL_CERT_FILE")
_USUAL = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora
    "/etc/ssl/cert.pem",  # macOS, BSD
)


def trusted_roots(environment: Mapping[str, str] = os.environ) -> bytes | None:
    """Return the PEM certificates to trust: those of a file that the environment names, else
    the system's; None where neither is there, which leaves it to gRPC's own.

    Raises:
        OSError: The environment names a file that cannot be read.
    """
    for name in _NAMED_BY:
        if path := environment.get(name):
            return Path(path).read_bytes()
    for path in (ssl.get_default_verify_paths().cafile, *_USUAL):
        if path is not None and os.path.isfile(path):
            return Path(path).read_bytes()
    return None
