"""One connection to one folder of a mailbox, over imap-tools. Synchronous: it belongs into a thread.

Four habits of the libraries below are worked around, each where it bites: imap-tools expunges after every flag and
every move, which would delete what somebody else has marked as deleted; imaplib knows only the capabilities from
before the login; it reads a literal of any length; and a line that it has already buffered does not make the socket
readable, so waiting for it would be in vain.
"""

from __future__ import annotations

import imaplib
import re
import selectors
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from mailguard.errors import Sentence
from mailguard.sources.errors import MailboxError
from mailguard.sources.oauth import TokenSource, sasl_xoauth2
from mailguard.sources.settings import Encryption, MailboxSettings
from mailguard.sources.tls import tls_context

if TYPE_CHECKING:
    from imap_tools import BaseMailBox

_UID: Final = re.compile(rb"\bUID (\d{1,10})\b")
_SIZE: Final = re.compile(rb"\bRFC822\.SIZE (\d{1,18})\b")
_DATE: Final = re.compile(rb'\bINTERNALDATE "[^"]{20,40}"')
_SIZES_AT_ONCE: Final = 200
_LITERAL_SPARE: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail as the server gave it. ``arrived_at`` is POSIX seconds, None where the server did not say."""

    raw: bytes
    arrived_at: int | None


class Session:
    """``with Session.open(settings, tokens) as session: validity, uids = session.look(); ...``

    Every method raises MailboxError when the server refuses, talks nonsense, is silent for ``timeout_s`` or is gone;
    then the session is of no more use.
    """

    def __init__(self, box: BaseMailBox, settings: MailboxSettings) -> None:
        self._box = box
        self._client = box.client
        self._settings = settings
        self._known_folders: set[str] = set()

    @classmethod
    def open(cls, settings: MailboxSettings, tokens: TokenSource | None = None) -> Session:
        """Connect and log in. Raises UsageError where a secret or a certificate file is missing."""
        login = _login(settings, tokens)  # before there is a connection: it reads the secret
        with _told(settings, "could not be reached"):
            box = _connect(settings)
        bounded = _bounded_read(box.client.read, settings.mail_bytes + _LITERAL_SPARE)
        setattr(box.client, "read", bounded)  # noqa: B010 - a method of the library, replaced on this one object
        session = cls(box, settings)
        try:
            with _told(settings, "refused the login"):
                login(box)
                # RFC 3501 6.1.1: what a server can do may differ after the login, and with Dovecot it does.
                _, capabilities = box.client.capability()
                box.client.capabilities = tuple(capabilities[-1].decode("ascii", "replace").upper().split())
        except BaseException:
            session.close()
            raise
        return session

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Say goodbye if the server still listens, and hang up."""
        with suppress(imaplib.IMAP4.error, OSError, ValueError):
            self._client.logout()
        with suppress(OSError, AttributeError):
            self._client.shutdown()

    def look(self) -> tuple[int, tuple[int, ...]]:
        """UIDVALIDITY of the folder and the UIDs of all mails that are not marked as deleted, ascending.

        EXAMINE, so no flag changes, not even ``\\Recent`` (RFC 3501 6.3.2).
        """
        with _told(self._settings, "could not be looked through"):
            validity = self._select(readonly=True)
            return validity, tuple(sorted({int(uid) for uid in self._box.uids("UNDELETED", charset=None)}))

    def sizes(self, uids: Sequence[int]) -> dict[int, int]:
        """Bytes of each mail as the server tells them (some only estimate); mails that are gone are missing."""
        sizes: dict[int, int] = {}
        with _told(self._settings, "did not tell the size of its mails"):
            for at in range(0, len(uids), _SIZES_AT_ONCE):
                for line in self._fetch(uids[at : at + _SIZES_AT_ONCE], "(UID RFC822.SIZE)"):
                    uid, size = _UID.search(line), _SIZE.search(line)
                    if uid and size:
                        sizes[int(uid[1])] = int(size[1])
        return sizes

    def fetch(self, uid: int) -> Letter | None:
        """One mail, without marking it as read; None if it is gone.

        At most one byte more than ``mail_bytes`` is asked for, so that a mail whose size was told wrong is noticed.
        """
        with _told(self._settings, "did not give a mail"):
            _, data = self._client.uid(
                "FETCH", str(uid), f"(UID INTERNALDATE BODY.PEEK[]<0.{self._settings.mail_bytes + 1}>)"
            )
            for item in data:
                # An answer about another mail (its flags changed) may come in between.
                if isinstance(item, tuple) and b"BODY[]" in item[0].upper():
                    return Letter(item[1], _arrival(b" ".join(part for part in data for part in _heads(part))))
        return None

    def move(self, validity: int, uids: Sequence[int], folder: str) -> None:
        """Move mails to ``folder``, which is made if it does not exist. Nothing happens if UIDVALIDITY has changed."""
        with _told(self._settings, "could not move mails to {folder}", folder=folder):
            if uids and self._select(readonly=False) == validity:
                self._ensure(folder)
                self._move(",".join(map(str, uids)), folder)

    def flag(self, validity: int, uids: Sequence[int], flags: Sequence[str]) -> None:
        """Add flags to mails. Nothing happens if UIDVALIDITY has changed."""
        with _told(self._settings, "could not mark mails"):
            if uids and self._select(readonly=False) == validity:
                self._command("STORE", ",".join(map(str, uids)), "+FLAGS.SILENT", f"({' '.join(flags)})")

    def wait(self, seconds: float, wake: socket.socket) -> None:
        """Return when the server tells of news (RFC 2177, where it can), ``wake`` is readable, or the time is over."""
        with _told(self._settings, "hung up"):
            if "IDLE" not in self._client.capabilities:
                _readable(seconds, wake)
                return
            self._box.idle.start()  # type: ignore[no-untyped-call]
            if not self._line_is_here():
                _readable(seconds, wake, self._client.sock)
            self._box.idle.stop()  # type: ignore[no-untyped-call]

    def _line_is_here(self) -> bool:
        """Whether a line was read along with the answer to IDLE: the socket would never become readable for it."""
        sock = self._client.sock
        before = sock.gettimeout()
        sock.settimeout(0)
        try:
            return bool(self._client.readline())
        except OSError:  # nothing there
            return False
        finally:
            sock.settimeout(before)

    def _select(self, readonly: bool) -> int:
        self._box.folder.set(self._settings.folder, readonly)
        _, values = self._client.response("UIDVALIDITY")
        return int(values[-1]) if values and values[-1] else 0

    def _fetch(self, uids: Sequence[int], what: str) -> list[bytes]:
        _, data = self._client.uid("FETCH", ",".join(map(str, uids)), what)
        return [head for item in data for head in _heads(item)]

    def _ensure(self, folder: str) -> None:
        if folder in self._known_folders:
            return
        if not self._box.folder.exists(folder):
            self._box.folder.create(folder)
            self._box.folder.subscribe(folder, True)  # many mail programs show no other folders
        self._known_folders.add(folder)

    def _move(self, uids: str, folder: str) -> None:
        from imap_tools.utils import encode_folder

        target = encode_folder(folder).decode("ascii")
        if "MOVE" in self._client.capabilities:  # RFC 6851
            self._command("MOVE", uids, target)
            return
        self._command("COPY", uids, target)
        self._command("STORE", uids, "+FLAGS.SILENT", r"(\Deleted)")
        # RFC 4315 2.1: only ours. A plain EXPUNGE would also remove what somebody else has marked.
        if "UIDPLUS" in self._client.capabilities:
            self._command("EXPUNGE", uids)

    def _command(self, *words: str) -> None:
        status, data = self._client.uid(*words)
        if status != "OK":
            raise imaplib.IMAP4.error(f"{words[0]}: {_printable(data)}")


def _connect(settings: MailboxSettings) -> BaseMailBox:
    from imap_tools import MailBox, MailBoxStartTls, MailBoxUnencrypted

    if settings.encryption is Encryption.NONE:
        return MailBoxUnencrypted(settings.host, settings.port, settings.timeout_s)
    context = tls_context(settings.ca_file)
    if settings.encryption is Encryption.TLS:
        return MailBox(settings.host, settings.port, timeout=settings.timeout_s, ssl_context=context)
    return MailBoxStartTls(settings.host, settings.port, settings.timeout_s, context)


def _login(settings: MailboxSettings, tokens: TokenSource | None) -> Callable[[BaseMailBox], None]:
    """How to log in, with the secret already read."""
    if tokens is not None:
        response = sasl_xoauth2(settings.user, tokens.token())
        return lambda box: _xoauth2(box, response, tokens)
    assert settings.password is not None, "settings have either a password or oauth"
    password = settings.password.read()

    def login(box: BaseMailBox) -> None:
        if settings.user.isascii() and password.isascii():
            box.login(settings.user, password, initial_folder=None)
        else:
            box.login_utf8(settings.user, password, initial_folder=None)

    return login


def _xoauth2(box: BaseMailBox, response: bytes, tokens: TokenSource) -> None:
    answers = iter((response,))
    try:
        # A refusal comes as a challenge first, which wants an empty answer.
        box.client.authenticate("XOAUTH2", lambda _: next(answers, b""))
    except imaplib.IMAP4.error:
        tokens.forget()
        raise


@contextmanager
def _told(settings: MailboxSettings, what: str, /, **fields: object) -> Iterator[None]:
    """Turn whatever the libraries raise into one sentence. It holds no secret: a server's words are cut to a line."""
    from imap_tools import ImapToolsError

    # Nonsense from a server surfaces as almost any of these in the libraries' parsing.
    nonsense = (ValueError, LookupError, TypeError, AttributeError, AssertionError)
    try:
        yield
    except (imaplib.IMAP4.error, ImapToolsError, OSError, *nonsense) as error:
        place, failed = f"{settings.user}, {settings.host}", Sentence(what, **fields)
        said = Sentence("The mailbox ({mailbox}) {what}: {why}", mailbox=place, what=failed, why=_why(error))
        raise MailboxError(said) from None


def _why(error: Exception) -> str:
    result = getattr(error, "command_result", None)
    words = _printable(result[1]) if isinstance(result, tuple) and len(result) > 1 else _printable(error.args)
    return words or type(error).__name__


def _printable(data: object) -> str:
    """At most 200 visible characters of what a server said."""
    parts = data if isinstance(data, list | tuple) else [data]
    texts = [part.decode("utf-8", "replace") if isinstance(part, bytes) else str(part) for part in parts if part]
    return "".join(letter if letter.isprintable() else " " for letter in " ".join(texts))[:200].strip()


def _bounded_read(read: Callable[[int], bytes], limit: int) -> Callable[[int], bytes]:
    def bounded(size: int) -> bytes:
        if size > limit:
            raise imaplib.IMAP4.abort(f"a literal of {size} bytes")
        return read(size)

    return bounded


def _heads(item: object) -> Iterator[bytes]:
    """The parts of one item of an answer that are no literal."""
    if isinstance(item, tuple):
        yield item[0]
    elif isinstance(item, bytes):
        yield item


def _arrival(head: bytes) -> int | None:
    found = _DATE.search(head)
    date = imaplib.Internaldate2tuple(found[0]) if found else None
    if date is None:
        return None
    return int(time.mktime(date))


def _readable(seconds: float, *sockets: Any) -> None:
    with selectors.DefaultSelector() as selector:
        for each in sockets:
            selector.register(each, selectors.EVENT_READ)
        selector.select(max(0.0, seconds))
