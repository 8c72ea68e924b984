"""Access tokens for a mailbox (OAuth 2.0, RFC 6749), and the way they are shown to the mail server (SASL XOAUTH2).

::

    [mailbox.oauth]
    provider = "microsoft"                 # or "google"; or token_url and scope for another one
    tenant = "clinic.example.jp"           # Microsoft: the directory's id or domain
    client_id = "..."
    client_secret_file = "..."             # or client_secret_env
    refresh_token_file = "..."             # or refresh_token_env; Google needs one, Microsoft does without

Without a refresh token the client's own credentials are used (RFC 6749 4.4), with one it is (section 6). A token is
kept in memory until shortly before it ends. A newer refresh token that the server sends along is used as long as the
process lives; no file is written.

The token server is asked over HTTPS with the standard library: certificate and name checked, no redirect followed, at
most 64 KiB read. What it says in an error is not repeated, but for its error code (RFC 6749 5.2).
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import IO, Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from mailguard.errors import UsageError
from mailguard.sources.errors import MailboxError
from mailguard.sources.secret import Secret
from mailguard.sources.table import Table
from mailguard.sources.tls import tls_context

_ANSWER_BYTES: Final = 64 * 1024
_TIMEOUT_S: Final = 10.0
_EARLY_S: Final = 60.0
_UNSAID_S: Final = 300.0
_LONGEST_S: Final = 86_400.0
_ERROR_CODE: Final = re.compile(r"[a-z_]{1,64}")
_TOKEN: Final = re.compile(r"[!-~]{1,16384}")


class Provider(StrEnum):
    """Whose endpoints are known."""

    MICROSOFT = "microsoft"
    GOOGLE = "google"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class OAuthSettings:
    """Where to ask for a token, for what, and as whom. Without ``refresh_token`` the client asks for itself."""

    token_url: str
    scope: str
    client_id: str
    client_secret: Secret
    refresh_token: Secret | None = None
    ca_file: str = ""


# As published by the providers. Microsoft's scope ".default" means what the administrator has granted the application.
_MICROSOFT_URL: Final = "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"
_MICROSOFT_APP_SCOPE: Final = "https://outlook.office365.com/.default"
_MICROSOFT_USER_SCOPE: Final = "https://outlook.office.com/IMAP.AccessAsUser.All"
_GOOGLE_URL: Final = "https://oauth2.googleapis.com/token"
_GOOGLE_SCOPE: Final = "https://mail.google.com/"


def oauth_from(data: Mapping[str, Any], where: str) -> OAuthSettings:
    """Settings from an ``oauth`` table; ``where`` is its place for messages. Raises UsageError."""
    table = Table(data, where)
    provider = table.choice("provider", Provider, Provider.OTHER)
    refresh_token = table.secret("refresh_token", optional=True)
    if provider is Provider.GOOGLE and refresh_token is None:
        raise UsageError("{where}: Google gives a mailbox only to a refresh token (refresh_token_file).", where=where)
    url, scope = _known(provider, table, own=refresh_token is None)
    client_secret = table.secret("client_secret")
    assert client_secret is not None  # it is not optional
    settings = OAuthSettings(
        token_url=table.text("token_url", url),
        scope=table.text("scope", scope),
        client_id=table.text("client_id"),
        client_secret=client_secret,
        refresh_token=refresh_token,
        ca_file=table.text("ca_file", ""),
    )
    table.nothing_else()
    if urlsplit(settings.token_url).scheme != "https":
        raise UsageError("{where}: token_url must begin with https://.", where=where)
    return settings


def _known(provider: Provider, table: Table, own: bool) -> tuple[str | None, str | None]:
    """Endpoint and scope of a provider, None where the settings must tell them. ``own``: as the client itself."""
    if provider is Provider.MICROSOFT:
        url = _MICROSOFT_URL.format(tenant=quote(table.text("tenant"), safe=""))
        return url, _MICROSOFT_APP_SCOPE if own else _MICROSOFT_USER_SCOPE
    return (_GOOGLE_URL, _GOOGLE_SCOPE) if provider is Provider.GOOGLE else (None, None)


def sasl_xoauth2(user: str, token: str) -> bytes:
    """The initial client response of XOAUTH2, before base64, as Google and Microsoft publish it."""
    return f"user={user}\x01auth=Bearer {token}\x01\x01".encode()


class TokenSource:
    """Gives an access token, asking for a new one when the last is about to end. May be shared by threads."""

    def __init__(self, settings: OAuthSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0
        self._newer_refresh_token = ""

    def token(self) -> str:
        """The token. Blocks while the server is asked; every step of that may take ten seconds.

        Raises MailboxError where the server refuses or cannot be reached, UsageError where a secret is missing.
        """
        with self._lock:
            if not self._token or self._clock() >= self._until:
                self._renew()
            return self._token

    def forget(self) -> None:
        """The mail server did not like the token: ask for a new one next time."""
        with self._lock:
            self._token = ""

    def _renew(self) -> None:
        answer = _ask(self._settings, self._form())
        token = answer.get("access_token")
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise MailboxError("The token server {host} answered without a token.", host=_host(self._settings))
        self._token = token
        self._until = self._clock() + _lifetime(answer.get("expires_in")) - _EARLY_S
        newer = answer.get("refresh_token")
        if isinstance(newer, str) and _TOKEN.fullmatch(newer):
            self._newer_refresh_token = newer

    def _form(self) -> dict[str, str]:
        settings = self._settings
        form = {"client_id": settings.client_id, "client_secret": settings.client_secret.read()}
        if settings.refresh_token is None:
            return form | {"grant_type": "client_credentials", "scope": settings.scope}
        token = self._newer_refresh_token or settings.refresh_token.read()
        return form | {"grant_type": "refresh_token", "refresh_token": token, "scope": settings.scope}


def _lifetime(expires_in: object) -> float:
    """Seconds; five minutes where the server does not say (RFC 6749 5.1 only recommends it), a day at most."""
    if isinstance(expires_in, str) and expires_in.isdecimal() and len(expires_in) < 10:
        expires_in = int(expires_in)
    if not isinstance(expires_in, int | float) or not expires_in > 0:  # so that NaN is no lifetime
        return _UNSAID_S
    return min(float(expires_in), _LONGEST_S)


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """A redirect would carry the secret elsewhere."""


def _ask(settings: OAuthSettings, form: Mapping[str, str]) -> dict[str, Any]:
    """The token server's answer. ``form`` holds secrets, so nothing that urllib says of the request is repeated."""
    context = tls_context(settings.ca_file)
    request = Request(settings.token_url, urlencode(form).encode("ascii"), {"Accept": "application/json"})  # noqa: S310
    try:
        with build_opener(HTTPSHandler(context=context), _NoRedirect()).open(request, timeout=_TIMEOUT_S) as answer:
            return _read(settings, answer)
    except HTTPError as error:
        with error:
            code = _error_code(error)
        template = "The token server {host} refused to give a token: {status} {code}."
        raise MailboxError(template, host=_host(settings), status=error.code, code=code) from None
    except (URLError, HTTPException, OSError) as error:
        reason = error.reason if isinstance(error, URLError) else type(error).__name__
        raise MailboxError(
            "The token server {host} could not be asked: {why}.", host=_host(settings), why=reason
        ) from None


def _read(settings: OAuthSettings, answer: HTTPResponse) -> dict[str, Any]:
    data = _bounded(answer)
    try:
        value = json.loads(data) if len(data) <= _ANSWER_BYTES else None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise MailboxError("The token server {host} answered something else than a token.", host=_host(settings))
    return value


def _bounded(answer: HTTPResponse) -> bytes:
    """At most one byte more than allowed. Raises TimeoutError for a server that drips."""
    data = b""
    end = time.monotonic() + _TIMEOUT_S
    while len(data) <= _ANSWER_BYTES and (piece := answer.read1(_ANSWER_BYTES)):
        data += piece
        if time.monotonic() > end:
            raise TimeoutError
    return data


def _error_code(error: HTTPError) -> str:
    """RFC 6749 5.2: ``invalid_client`` and the like; nothing else of the answer is repeated."""
    try:
        code = json.loads(error.read(_ANSWER_BYTES)).get("error")
    except (ValueError, RecursionError, AttributeError, OSError, HTTPException):
        return ""
    return code if isinstance(code, str) and _ERROR_CODE.fullmatch(code) else ""


def _host(settings: OAuthSettings) -> str:
    return urlsplit(settings.token_url).hostname or ""
