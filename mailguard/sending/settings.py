"""``send.toml``: through which server guides are sent, by whom, and on what ground.

::

    [smtp]
    host = "smtp.example.jp"
    port = 587
    tls = "starttls"                          # or "tls" (port 465)
    username = "guide@consult.example.jp"
    password_file = "smtp-password"           # or password_env

    [sender]
    name = "例示ITサポート株式会社"
    address = "guide@consult.example.jp"
    postal_address = "東京都千代田区例町1-2-3"
    contact = "電話 03-0000-0000"
    opt_out_address = "stop@consult.example.jp"
    opt_out_url = "https://consult.example.jp/stop/{token}"
    dkim_selectors = ["s1"]

    [mail]
    advertising = false                       # the sender has to say which
    basis = "保守契約にもとづくご報告です。"
    rate_per_minute = 20

    [outbox]
    path = "outbox.db"

    [bounces]                                 # the mailbox of the address for bounces: keys as in [[mailbox]]
    host = "imap.example.jp"
    user = "guide@consult.example.jp"
    password_file = "imap-password"

Read strictly: an unknown key, a wrong type or a secret written into the file is a UsageError.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from mailguard.errors import UsageError, system_reason, toml_reason
from mailguard.names import DomainName
from mailguard.render.book.mime import Mailbox, Unsubscribe
from mailguard.sending.address import parse_address
from mailguard.settings.table import Section
from mailguard.sources.secret import Secret
from mailguard.sources.settings import MailboxSettings, mailbox_from
from mailguard.targets import parse_target

DEFAULT_FILE: Final = "send.toml"

_MAX_BYTES: Final = 64 * 1024
_RECIPIENT: Final = "{token}"
_URL: Final = re.compile(r"https://[^\s\"'<>\\,{}]{4,400}")


class Tls(StrEnum):
    """How the way to the server is protected."""

    STARTTLS = "starttls"  # begun in the clear, given up where the server does not offer it (RFC 3207); port 587
    TLS = "tls"  # from the first byte (RFC 8314 3.3); port 465
    NONE = "none, to a server on this machine"  # written out so that nobody slips; to loopback only


_PORTS: Final = {Tls.STARTTLS: 587, Tls.TLS: 465, Tls.NONE: 25}


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """The server. ``timeout_s`` of connecting and of each reply but the last, ``data_timeout_s`` of the reply to the
    message itself (RFC 5321 4.5.3.2.6 asks for ten minutes)."""

    host: str
    port: int = 587
    tls: Tls = Tls.STARTTLS
    username: str = ""
    password: Secret | None = None
    ca_file: str = ""
    hello: str = ""
    timeout_s: float = 30.0
    data_timeout_s: float = 600.0


@dataclass(frozen=True, slots=True)
class SenderSettings:
    """Who sends. ``bounces`` is the envelope's sender, where bounces go."""

    name: str
    address: str
    bounces: str
    postal_address: str
    contact: str
    reply_to: str = ""
    opt_out_address: str = ""
    opt_out_url: str = ""
    dkim_selectors: tuple[str, ...] = ()

    @property
    def mailbox(self) -> Mailbox:
        """As the From field has it."""
        return Mailbox(self.address, self.name)

    @property
    def domain(self) -> DomainName:
        """The domain that has to pass our own audit."""
        return parse_target(self.address).domain

    def unsubscribe(self, token: str) -> Unsubscribe:
        """Where one recipient can say no. One click needs a URL that tells whose click it was (RFC 8058 3.1)."""
        url = self.opt_out_url.replace(_RECIPIENT, token)
        return Unsubscribe(self.opt_out_address, url, one_click=_RECIPIENT in self.opt_out_url)


@dataclass(frozen=True, slots=True)
class SendSettings:
    """A whole file. ``advertising``: whether the mails advertise, as the sender judges it; ``basis``: on what ground
    they are sent, where a recipient's own row does not say."""

    file: str
    smtp: SmtpSettings
    sender: SenderSettings
    advertising: bool
    basis: str
    outbox: Path
    rate_per_minute: int = 20
    bounces: MailboxSettings | None = None

    @property
    def fingerprint(self) -> str:
        """What of the settings a recipient sees: a message made under another one is not sent."""
        told = repr((self.sender, self.advertising, self.basis))
        return hashlib.sha256(told.encode()).hexdigest()


def load_send_settings(path: str | Path) -> SendSettings:
    """Read a settings file of at most 64 KiB; paths in it begin at its folder. Raises UsageError."""
    file = Path(path)
    try:
        with file.open("rb") as opened:
            content = opened.read(_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        told = (
            "The settings for sending, {file}, cannot be read ({reason}); docs/guide-send.md shows what stands in it."
        )
        raise UsageError(told, file=str(file), reason=system_reason(error)) from error
    if len(content) > _MAX_BYTES:
        raise UsageError("{file} is too big for a settings file.", file=str(file))
    try:
        return parse_send_settings(content.decode("utf-8-sig"), str(file), file.parent)
    except UnicodeDecodeError as error:
        raise UsageError("{file} is not UTF-8 text.", file=str(file)) from error


def parse_send_settings(text: str, file: str, base: Path = Path()) -> SendSettings:
    """Read the text of a settings file. Touches no disk and reads no secret. Raises UsageError."""
    try:
        top = Section(tomllib.loads(text), file)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError("{file} is no TOML file: {reason}.", file=file, reason=toml_reason(error)) from error
    mail, outbox = top.section("mail"), top.section("outbox")
    settings = SendSettings(
        file=file,
        smtp=_smtp(top.section("smtp"), base),
        sender=_sender(top.section("sender")),
        advertising=_advertising(mail),
        basis=mail.text("basis", ""),
        rate_per_minute=mail.number("rate_per_minute", 20, 1, 600),
        outbox=outbox.path("path", "outbox.db", base),
        bounces=_mailbox(top, base) if "bounces" in top.data else None,
    )
    for section in (mail, outbox, top):
        section.nothing_else()
    return settings


def _smtp(section: Section, base: Path) -> SmtpSettings:
    tls = section.choice("tls", Tls, Tls.STARTTLS)
    username = section.text("username", "")
    secret = section.secret("password", optional=not username)
    ca_file = section.text("ca_file", "")
    settings = SmtpSettings(
        host=section.text("host"),
        port=section.number("port", _PORTS[tls], 1, 65_535),
        tls=tls,
        username=username,
        password=Secret(file=str(base / secret.file)) if secret and secret.file else secret,
        ca_file=str(base / ca_file) if ca_file else "",
        hello=section.text("hello", ""),
        timeout_s=section.seconds("timeout_s", 30, 1, 600),
        data_timeout_s=section.seconds("data_timeout_s", 600, 1, 3600),
    )
    section.nothing_else()
    _check_smtp(settings, section)
    return settings


def _check_smtp(settings: SmtpSettings, section: Section) -> None:
    if settings.password and not settings.username:
        raise UsageError("{where}: a password goes with a username.", where=section.where)
    if settings.tls is Tls.NONE and not _is_loopback(settings.host):
        raise UsageError(
            '{where}: without TLS only a server on this machine is used (host = "127.0.0.1"); take tls = "starttls".',
            where=section.where,
        )
    if settings.tls is Tls.STARTTLS and settings.port == _PORTS[Tls.TLS]:
        raise UsageError('{where}: port 465 wants tls = "tls"; "starttls" has port 587.', where=section.where)


def _is_loopback(host: str) -> bool:
    """Said by its address, because what a name leads to is not known here."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _mailbox(top: Section, base: Path) -> MailboxSettings:
    data = top.below("bounces")
    files = {key: str(base / value) for key, value in data.items() if key.endswith("_file") and isinstance(value, str)}
    return mailbox_from({**data, **files}, f"{top.where}: [bounces]")


def _sender(section: Section) -> SenderSettings:
    address = _address(section, "address", wanted=True)
    sender = SenderSettings(
        name=section.text("name"),
        address=address,
        bounces=_address(section, "bounces") or address,
        postal_address=section.text("postal_address"),
        contact=section.text("contact"),
        reply_to=_address(section, "reply_to"),
        opt_out_address=_address(section, "opt_out_address"),
        opt_out_url=_url(section),
        dkim_selectors=section.texts("dkim_selectors"),
    )
    section.nothing_else()
    if not (sender.opt_out_address or sender.opt_out_url):
        told = "{where}: opt_out_address or opt_out_url is wanted, so that recipients know where to say no."
        raise UsageError(told, where=section.where)
    return sender


def _address(section: Section, key: str, *, wanted: bool = False) -> str:
    text = section.text(key) if wanted else section.text(key, "")
    if not text:
        return ""
    address = parse_address(text)
    if not address:
        raise UsageError("{where}: {key}: {text} is no mail address.", where=section.where, key=key, text=repr(text))
    return address


def _url(section: Section) -> str:
    url = section.text("opt_out_url", "")
    if url and not (url.isascii() and _URL.fullmatch(url.replace(_RECIPIENT, "t", 1))):
        told = "{where}: opt_out_url is wanted as an https address; {token} in it stands for the recipient."
        raise UsageError(told, where=section.where, token=_RECIPIENT)
    return url


def _advertising(section: Section) -> bool:
    """Nobody but the sender can say, so there is no default."""
    if "advertising" not in section.data:
        told = (
            "{where}: say whether these mails advertise (advertising = true) or not (advertising = false); "
            "`mailguard guide send --law` says what depends on it."
        )
        raise UsageError(told, where=section.where)
    return section.flag("advertising", True)
