"""What the settings file says about a mailbox, read strictly.

::

    [[mailbox]]
    host = "imap.example.jp"
    user = "dmarc-reports@clinic.example.jp"
    password_file = "/etc/mailguard/imap-password"     # or password_env, the name of a variable
    encryption = "tls"                                  # "starttls"
    port = 993                                          # 143 with "starttls"
    ca_file = ""                                        # certificates to trust instead of the system's
    folder = "INBOX"
    after = "move"                                      # "flag" | "leave"
    done_folder = "mailguard-done"
    failed_folder = "mailguard-failed"
    poll_s = 300

    [mailbox.oauth]                                     # instead of a password, see oauth.py

An unknown key, a wrong type or a secret written into the file is a UsageError.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from mailguard.errors import UsageError
from mailguard.feedback.limits import DEFAULT_LIMITS
from mailguard.sources.oauth import OAuthSettings, oauth_from
from mailguard.sources.secret import Secret
from mailguard.sources.table import Table


class Encryption(StrEnum):
    """How the connection to the mail server is protected."""

    TLS = "tls"  # from the first byte (RFC 8314 3.2), port 993
    STARTTLS = "starttls"  # begun in the clear, given up where the server does not offer it; port 143
    NONE = "none, and others on the way can read it"  # for a server on this machine; written out so that nobody slips


class After(StrEnum):
    """What becomes of a report in the mailbox once the store has it."""

    MOVE = "move"  # to the folder for done or for failed mails
    FLAG = "flag"  # marked as read; a failed one also with a star
    LEAVE = "leave"  # nothing; only our own memory knows


@dataclass(frozen=True, slots=True)
class MailboxSettings:
    """One mailbox, and what is asked of its server.

    ``password`` or ``oauth`` is set, the other is None. Bounds: ``mail_bytes`` of one mail, ``batch_mails`` and about
    ``batch_bytes`` given at a time. ``poll_s``: seconds between looks where the server cannot wake us, and the longest
    time to wait for it where it can (below 29 minutes, RFC 2177). ``timeout_s`` of one exchange with the server.
    """

    host: str
    user: str
    password: Secret | None = None
    oauth: OAuthSettings | None = None
    encryption: Encryption = Encryption.TLS
    port: int = 993
    ca_file: str = ""
    folder: str = "INBOX"
    after: After = After.MOVE
    done_folder: str = "mailguard-done"
    failed_folder: str = "mailguard-failed"
    poll_s: float = 300.0
    timeout_s: float = 30.0
    mail_bytes: int = DEFAULT_LIMITS.mail_bytes
    batch_mails: int = 50
    batch_bytes: int = 32 * 1024 * 1024


_PORTS: Final = {Encryption.TLS: 993, Encryption.STARTTLS: 143, Encryption.NONE: 143}


def mailbox_from(data: Mapping[str, Any], where: str = "mailbox") -> MailboxSettings:
    """Settings from one ``[[mailbox]]`` table; ``where`` is its place for messages. Raises UsageError."""
    table = Table(data, where)
    encryption = table.choice("encryption", Encryption, Encryption.TLS)
    folder = table.text("folder", "INBOX")
    settings = MailboxSettings(
        host=table.text("host"),
        user=table.text("user"),
        password=table.secret("password", optional="oauth" in data),
        oauth=oauth_from(table.below("oauth"), where=f"{where}.oauth") if "oauth" in data else None,
        encryption=encryption,
        port=table.number("port", _PORTS[encryption], 1, 65_535),
        ca_file=table.text("ca_file", ""),
        folder=folder,
        after=table.choice("after", After, After.MOVE),
        done_folder=table.text("done_folder", "mailguard-done"),
        failed_folder=table.text("failed_folder", "mailguard-failed"),
        poll_s=table.number("poll_s", 300, 10, 28 * 60),
        mail_bytes=table.number("mail_bytes", DEFAULT_LIMITS.mail_bytes, 1024, 100 * 1024 * 1024),
    )
    table.nothing_else()
    _check(settings, where)
    return settings


def _check(settings: MailboxSettings, where: str) -> None:
    if settings.password and settings.oauth:
        raise UsageError("{where}: give either a password or oauth, not both.", where=where)
    if settings.after is After.MOVE and settings.folder in (settings.done_folder, settings.failed_folder):
        raise UsageError("{where}: done_folder and failed_folder must be other folders than folder.", where=where)
    if settings.encryption is Encryption.TLS and settings.port == _PORTS[Encryption.STARTTLS]:
        raise UsageError('{where}: port 143 wants encryption = "starttls"; "tls" has port 993.', where=where)
