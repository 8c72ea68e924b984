"""From the text of a settings file to ``Settings``. Touches no disk and reads no secret."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from mailguard.errors import DomainError, UsageError, toml_reason
from mailguard.ingest.settings import ListenerSettings
from mailguard.names import DomainName
from mailguard.settings.table import Section
from mailguard.settings.values import (
    DatabaseSettings,
    Endpoint,
    ReceivingSettings,
    ReportsSettings,
    RetentionSettings,
    Settings,
    TokenSettings,
    TrustSettings,
    WorkSettings,
)
from mailguard.sources.secret import Secret
from mailguard.sources.settings import MailboxSettings, mailbox_from
from mailguard.targets import parse_target

_YEARS_OF_DAYS: Final = 36_500
_MIB: Final = 1024**2
_TIMES_IN_MEMORY: Final = 10
"""Reading a mail takes up to so many times its size (``feedback.limits.Limits.mail_bytes``)."""
_TIB_OF_MIB: Final = 2**20
_MOST: Final = 10**12
_DEADLINE_S: Final = 24 * 3600.0
_ENDPOINT: Final = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([^:\[\]\s]+)):([0-9]{1,5})")
_ADDRESS: Final = re.compile(r"[^\s@<>]{1,64}@[^\s@<>]{1,253}")
_SYSTEMD: Final = "systemd"


def parse_settings(text: str, file: str, base: Path = Path()) -> Settings:
    """Read a settings file. Relative paths in it begin at ``base``.

    Raises UsageError: one sentence with the file and the key.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError("{file} is no TOML file: {reason}.", file=file, reason=toml_reason(error)) from error
    top = Section(data, file)
    settings = _read(top, file, base)
    top.nothing_else()
    _check(settings, top)
    return settings


def _read(top: Section, file: str, base: Path) -> Settings:
    spool = top.section("spool")
    trust = _trust(top.section("trust"))
    settings = Settings(
        file=file,
        database=_database(top.section("database"), base),
        spool=spool.path("path", "mailguard-spool", base),
        spool_free_mib=spool.number("free_mib", 256, 0, 2**20),
        spool_waiting_mib=spool.number("waiting_mib", 2048, 1, 2**20),
        listener=_listener(top.section("listener"), base) if "listener" in top.data else None,
        mailboxes=tuple(_mailbox(data, where, base) for data, where in top.sections("mailbox")),
        trust=trust,
        work=_work(top.section("reading")),
        retention=_retention(top.section("retention")),
        reports=_reports(top.section("reports")),
    )
    spool.nothing_else()
    return settings


def _check(settings: Settings, top: Section) -> None:
    _check_domains(settings, top)
    _check_mail_bytes(settings, top)


def _check_mail_bytes(settings: Settings, top: Section) -> None:
    """A mail that is promised room must find it while it comes, and while it is read."""
    if settings.listener:
        bounds = settings.listener.listener
        room = min(bounds.bytes_in_flight, bounds.bytes_in_flight_per_network)
        if bounds.mail_bytes > room:
            raise UsageError(
                "{where}: [listener.limits]: mail_bytes is {asked}, but bytes_in_flight or bytes_in_flight_per_network "
                "lets no mail of more than {room} in; raise it, or lower mail_bytes.",
                where=top.where,
                asked=bounds.mail_bytes,
                room=room,
            )
    wanted = -(-settings.mail_bytes * _TIMES_IN_MEMORY // _MIB)
    if wanted > settings.work.memory_mib:
        raise UsageError(
            "{where}: [reading]: memory_mib has to be at least {wanted} to read mails of {asked} bytes (mail_bytes); "
            "raise it, or lower mail_bytes.",
            where=top.where,
            wanted=wanted,
            asked=settings.mail_bytes,
        )


def _check_domains(settings: Settings, top: Section) -> None:
    receives = settings.listener or settings.mailboxes
    if receives and not settings.trust.domains:
        raise UsageError(
            "{where}: [trust]: domains is wanted: the domains that reports may be about, such as "
            '["clinic.example.jp"].',
            where=top.where,
        )


def _database(section: Section, base: Path) -> DatabaseSettings:
    hidden = {"url_file", "url_env"} & section.data.keys()
    if not hidden:
        url = section.text("url", "mailguard.db")
        section.nothing_else()
        if re.search(r"//[^/@]*:[^/@]+@", url):
            raise UsageError(
                "{where}: url holds a password; put the whole address into a file and name it (url_file).",
                where=section.where,
            )
        return DatabaseSettings(url if "://" in url else str(base / url))
    if "url" in section.data:
        raise UsageError("{where}: give only one of url, url_file and url_env.", where=section.where)
    secret = section.secret("url")
    section.nothing_else()
    return DatabaseSettings(secret=_placed(secret, base))


def _listener(section: Section, base: Path) -> ReceivingSettings:
    listen = section.texts("listen") or ("127.0.0.1:2525",)
    endpoints = () if listen == (_SYSTEMD,) else tuple(_endpoint(section, text) for text in listen)
    hostname = section.text("hostname")
    certificate, key = section.text("tls_certificate_file", ""), section.text("tls_key_file", "")
    if bool(certificate) != bool(key):
        raise UsageError("{where}: tls_certificate_file and tls_key_file go together.", where=section.where)
    addresses = section.texts("addresses")
    if wrong := [text for text in addresses if not _ADDRESS.fullmatch(text)]:
        raise UsageError("{where}: addresses: {text} is no mail address.", where=section.where, text=repr(wrong[0]))
    tokens = _tokens(section.section("tokens"), base, hostname) if "tokens" in section.data else None
    if not addresses and tokens is None:
        raise UsageError(
            "{where}: no mail would be accepted; give addresses, or [listener.tokens].", where=section.where
        )
    bounds = _bounds(section.section("limits"))
    settings = ListenerSettings(addresses=addresses, hostname=hostname, proxies=section.texts("proxies"), **bounds)
    section.nothing_else()
    return ReceivingSettings(endpoints, settings, tokens, (base / certificate, base / key) if key else None)


def _endpoint(section: Section, text: str) -> Endpoint:
    match = _ENDPOINT.fullmatch(text)
    if match is None or int(match[3]) > 65_535:
        raise UsageError(
            "{where}: listen: {text} is no address with a port, such as 0.0.0.0:25 or [::]:25.",
            where=section.where,
            text=repr(text),
        )
    return Endpoint(match[1] or match[2], int(match[3]))


def _tokens(section: Section, base: Path, hostname: str) -> TokenSettings:
    secret = section.secret("secret")
    assert secret is not None  # it is not optional
    old = section.texts("old_secret_files")
    settings = TokenSettings(
        secret=_placed(secret, base) or secret,
        host=section.text("host", hostname),
        prefix=section.text("prefix", "dmarc+"),
        old_secrets=tuple(Secret(file=str(base / file)) for file in old),
    )
    section.nothing_else()
    return settings


_NOT_BOUNDS: Final = frozenset({"addresses", "host", "port", "hostname", "proxies"})


def _bounds(section: Section) -> Mapping[str, Any]:
    """Every bound of the listener by its own name; times in seconds, everything else whole."""
    found: dict[str, Any] = {}
    for one in fields(ListenerSettings):
        if one.name in _NOT_BOUNDS or one.name not in section.data:
            continue
        if isinstance(one.default, float):
            found[one.name] = section.seconds(one.name, one.default, 0.1, _DEADLINE_S)
        else:
            assert isinstance(one.default, int)
            found[one.name] = section.number(one.name, one.default, 1, _MOST)
    section.known(one.name for one in fields(ListenerSettings) if one.name not in _NOT_BOUNDS)
    section.nothing_else()
    return found


def _mailbox(data: Mapping[str, Any], where: str, base: Path) -> MailboxSettings:
    placed = _with_placed_files(data, base)
    if isinstance(oauth := data.get("oauth"), dict):
        placed["oauth"] = _with_placed_files(oauth, base)
    return mailbox_from(placed, where)


def _with_placed_files(data: Mapping[str, Any], base: Path) -> dict[str, Any]:
    """Names of files begin at the folder of the settings file; an empty one stays no name."""
    files = {key: value for key, value in data.items() if key.endswith("_file") and isinstance(value, str) and value}
    return {**data, **{key: str(base / value) for key, value in files.items()}}


def _trust(section: Section) -> TrustSettings:
    settings = TrustSettings(
        domains=_domains(section, "domains"),
        pending=_domains(section, "pending"),
        authserv_ids=section.texts("authserv_ids"),
        nameservers=section.texts("nameservers"),
        check=section.flag("check", True),
        reporters=_reporters(section.section("reporters")),
    )
    section.nothing_else()
    return settings


def _reporters(section: Section) -> tuple[tuple[str, DomainName], ...]:
    """Names of reporters, each with the domains that it sends from."""
    found = [(name, domain) for name in section.data for domain in _domains(section, name)]
    section.nothing_else()
    return tuple(found)


def _domains(section: Section, key: str) -> tuple[DomainName, ...]:
    found = []
    for text in section.texts(key):
        try:
            found.append(parse_target(text).domain)
        except DomainError as error:
            raise UsageError(
                "{where}: {key}: {text} is no domain name.", where=section.where, key=key, text=repr(text)
            ) from error
    return tuple(found)


def _work(section: Section) -> WorkSettings:
    settings = WorkSettings(
        processes=section.number("processes", 2, 1, 64),
        mail_s=section.number("mail_s", 10, 1, 300),
        memory_mib=section.number("memory_mib", 200, 64, 4096),
    )
    section.nothing_else()
    return settings


def _reports(section: Section) -> ReportsSettings:
    settings = ReportsSettings(failure=section.flag("failure", False))
    section.nothing_else()
    return settings


_DEFAULT_RETENTION: Final = RetentionSettings()


def _retention(section: Section) -> RetentionSettings:
    found = {
        one.name: section.number(one.name, getattr(_DEFAULT_RETENTION, one.name), 0, _most_of(one.name))
        for one in fields(RetentionSettings)
    }
    section.nothing_else()
    return RetentionSettings(**found)


def _most_of(name: str) -> int:
    return _TIB_OF_MIB if name.endswith("_mib") else _YEARS_OF_DAYS


def _placed(secret: Secret | None, base: Path) -> Secret | None:
    return Secret(file=str(base / secret.file)) if secret and secret.file else secret
