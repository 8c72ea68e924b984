"""What can go wrong between us and a mailbox."""

from __future__ import annotations

from mailguard.errors import OperationError


class MailboxError(OperationError):
    """The mail server, or the server that gives tokens, did not do what was asked; trying again may help."""
