"""How the other side of an encrypted connection is checked."""

from __future__ import annotations

import ssl

from mailguard.errors import UsageError


def tls_context(ca_file: str) -> ssl.SSLContext:
    """Certificate and name are checked, TLS 1.2 at least. ``ca_file`` replaces the system's certificates.

    Raises UsageError where that file cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=ca_file or None)
    except OSError as error:  # ssl.SSLError is one
        raise UsageError(
            "{file} holds no certificates that could be trusted: {why}.", file=ca_file, why=error
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
