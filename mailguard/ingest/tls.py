"""The certificate that the listener shows; taken anew when its files have changed."""

from __future__ import annotations

import logging
import os
import ssl
from pathlib import Path
from typing import Final

from mailguard.errors import OperationError

log = logging.getLogger(__name__)

_Stamp = tuple[tuple[int, int, int], ...]


class Certificate:
    """A certificate chain and its key as PEM files. TLS 1.2 or later, no renegotiation.

    Files that are being exchanged do not fit together for a moment: until they do, the former certificate is used.
    Raises OperationError when there is none to begin with.
    """

    def __init__(self, chain: Path, key: Path) -> None:
        self._files: Final = (chain, key)
        self._stamp: _Stamp | None = None
        try:
            self._stamp = self._look()
            self._context = self._load()
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            raise OperationError(
                "The certificate {file} cannot be used: {error}.", file=str(chain), error=error
            ) from error

    def context(self) -> ssl.SSLContext:
        """For the next handshake. Looks whether the files have changed since the last one."""
        try:
            stamp = self._look()
        except OSError as error:
            log.warning("the certificate cannot be looked at, the former one is used: %s", error)
            return self._context
        if stamp != self._stamp:
            self._take(stamp)
        return self._context

    def reload(self) -> None:
        """Take the files as they are now, for instance on SIGHUP. Like ``context``, keeps the former when it must."""
        self._stamp = None
        self.context()

    def _take(self, stamp: _Stamp) -> None:
        try:
            self._context = self._load()
        except (OSError, ValueError) as error:
            log.warning("the new certificate cannot be used, the former one is: %s", error)
        else:
            self._stamp = stamp

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
        context.load_cert_chain(*self._files, password=_no_password)
        return context

    def _look(self) -> _Stamp:
        found = (os.stat(file) for file in self._files)
        return tuple((status.st_mtime_ns, status.st_ino, status.st_size) for status in found)


def _no_password() -> str:
    # Without this the library would ask on the terminal, and a daemon would stand still.
    raise ValueError("the key is encrypted, and a daemon has nobody to ask for its password")
