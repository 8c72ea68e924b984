"""Access tokens, from a token server on loopback: the providers' own are not asked by any test."""

from __future__ import annotations

import base64
import json
import logging
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from mailguard.errors import UsageError
from mailguard.sources.errors import MailboxError
from mailguard.sources.mailbox import MailboxReader, SeenInMemory
from mailguard.sources.oauth import OAuthSettings, TokenSource, oauth_from, sasl_xoauth2
from mailguard.sources.secret import Secret
from mailguard.sources.settings import Encryption, mailbox_from
from tests.certificates import write_certificate
from tests.sources.scripted_imap import ScriptedImap

GOOD = {"access_token": "token-1", "token_type": "Bearer", "expires_in": 3600}


@dataclass
class TokenServer:
    """Answers with ``status`` and ``body``; ``asked`` are the forms it was sent."""

    url: str
    certificate: Path
    status: int = 200
    body: bytes = json.dumps(GOOD).encode()
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)

    def says(self, status: int = 200, **values: Any) -> None:
        self.status, self.body = status, json.dumps(values).encode()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TokenServer]:
    monkeypatch.setenv("NO_PROXY", "localhost")
    chain, key = write_certificate(tmp_path)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            tokens.asked.append({key: value for key, (value,) in parse_qs(form).items()})
            self.send_response(tokens.status)
            for name, value in tokens.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(tokens.body)

        def log_message(self, *_: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
    tokens = TokenServer(f"https://localhost:{httpd.server_port}/token", chain)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield tokens
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()


@pytest.fixture
def settings(server: TokenServer, monkeypatch: pytest.MonkeyPatch) -> OAuthSettings:
    monkeypatch.setenv("CLIENT_SECRET", "the-client-secret")
    monkeypatch.setenv("REFRESH_TOKEN", "the-refresh-token")
    secret = Secret(variable="CLIENT_SECRET")
    return OAuthSettings(
        server.url, "https://scope.example/.default", "client", secret, ca_file=str(server.certificate)
    )


def test_the_client_asks_for_itself(server: TokenServer, settings: OAuthSettings) -> None:
    assert TokenSource(settings).token() == "token-1"
    assert server.asked == [
        {
            "grant_type": "client_credentials",
            "client_id": "client",
            "client_secret": "the-client-secret",
            "scope": "https://scope.example/.default",
        }
    ]


def test_a_refresh_token_is_used_and_a_newer_one_from_then_on(server: TokenServer, settings: OAuthSettings) -> None:
    tokens = TokenSource(replace(settings, refresh_token=Secret(variable="REFRESH_TOKEN")))
    server.says(**GOOD, refresh_token="newer")
    tokens.token()
    tokens.forget()
    tokens.token()
    assert [form["refresh_token"] for form in server.asked] == ["the-refresh-token", "newer"]
    assert {form["grant_type"] for form in server.asked} == {"refresh_token"}


def test_a_token_is_kept_until_shortly_before_it_ends(server: TokenServer, settings: OAuthSettings) -> None:
    time = 1_000.0
    tokens = TokenSource(settings, clock=lambda: time)
    asked = []
    for time in (1_000.0, 4_000.0, 4_539.0, 4_541.0):  # noqa: B007 - the clock reads it
        tokens.token()
        asked.append(len(server.asked))
    assert asked == [1, 1, 1, 2]


@pytest.mark.parametrize("expires_in", [None, "soon", -1, 0, True, float("nan"), [], {}, "9" * 400])
def test_a_lifetime_that_is_not_told_is_short(server: TokenServer, settings: OAuthSettings, expires_in: object) -> None:
    time = 0.0
    tokens = TokenSource(settings, clock=lambda: time)
    server.says(access_token="t", expires_in=expires_in)
    tokens.token()
    time = 301.0
    tokens.token()
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (401, b'{"error": "invalid_client", "error_description": "the-client-secret is wrong"}', "401 invalid_client"),
        (400, b"<html>the-client-secret</html>", "400"),
        (400, b'{"error": "<script>"}', "400"),
        (400, b"[" * 60_000, "400"),
        (500, b"", "500"),
        (200, b"not json", "something else"),
        (200, b"[1]", "something else"),
        (200, b"[" * 60_000, "something else"),
        (200, b'{"access_token": "' + b"x" * 70_000 + b'"}', "something else"),
        (200, b'{"token_type": "Bearer"}', "without a token"),
        (200, b'{"access_token": "a\\r\\nb"}', "without a token"),
        (200, b'{"access_token": 5}', "without a token"),
    ],
)
def test_a_refusal_is_one_sentence_without_the_secret(
    server: TokenServer, settings: OAuthSettings, status: int, body: bytes, told: str
) -> None:
    server.status, server.body = status, body
    with pytest.raises(MailboxError, match=told) as caught:
        TokenSource(settings).token()
    assert "the-client-secret" not in str(caught.value)
    assert "localhost" in str(caught.value)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(server: TokenServer, settings: OAuthSettings, status: int) -> None:
    server.status, server.headers = status, {"Location": server.url}
    with pytest.raises(MailboxError, match=str(status)):
        TokenSource(settings).token()
    assert len(server.asked) == 1


def test_a_certificate_that_nobody_vouches_for_gets_no_secret(server: TokenServer, settings: OAuthSettings) -> None:
    with pytest.raises(MailboxError, match="could not be asked"):
        TokenSource(replace(settings, ca_file="")).token()
    assert server.asked == []


def test_a_server_that_is_not_there_is_told(settings: OAuthSettings) -> None:
    with pytest.raises(MailboxError, match="could not be asked"):
        TokenSource(replace(settings, token_url="https://localhost:1/token")).token()


@pytest.mark.parametrize(
    ("user", "token", "published"),
    [
        (
            "someuser@example.com",
            "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg",
            "user=someuser@example.com^Aauth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg^A^A",
        ),
        ("u@clinic.example.jp", "t", "user=u@clinic.example.jp^Aauth=Bearer t^A^A"),
    ],
)
def test_the_string_for_the_mail_server_has_its_published_form(user: str, token: str, published: str) -> None:
    assert sasl_xoauth2(user, token) == published.replace("^A", "\x01").encode()


CLIENT = {"client_id": "c", "client_secret_file": "/secret"}


def test_microsoft_is_known_by_its_tenant() -> None:
    settings = oauth_from({"provider": "microsoft", "tenant": "clinic.example.jp", **CLIENT}, "mailbox.oauth")
    assert settings.token_url == "https://login.microsoftonline.com/clinic.example.jp/oauth2/v2.0/token"
    assert settings.scope == "https://outlook.office365.com/.default"


def test_google_is_known_and_wants_a_refresh_token() -> None:
    with pytest.raises(UsageError, match="refresh_token_file"):
        oauth_from({"provider": "google", **CLIENT}, "mailbox.oauth")
    settings = oauth_from({"provider": "google", "refresh_token_env": "TOKEN", **CLIENT}, "mailbox.oauth")
    assert (settings.token_url, settings.scope) == ("https://oauth2.googleapis.com/token", "https://mail.google.com/")


@pytest.mark.parametrize(
    "data",
    [
        {**CLIENT},
        {**CLIENT, "token_url": "http://login.example.jp/token", "scope": "s"},
        {**CLIENT, "token_url": "https://login.example.jp/token"},
        {**CLIENT, "provider": "yahoo"},
        {**CLIENT, "provider": "microsoft"},
        {"client_id": "c", "client_secret": "written-here", "token_url": "https://a.example/", "scope": "s"},
        {**CLIENT, "token_url": "https://a.example/", "scope": "s", "tenant": "t"},
    ],
)
def test_settings_that_cannot_work_are_refused(data: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=r"mailbox\.oauth: ") as caught:
        oauth_from(data, "mailbox.oauth")
    assert "written-here" not in str(caught.value)


USER = "dmarc@clinic.example.jp"
MAIL = "From: dmarc@reporter.example\r\n\r\n"


@dataclass
class Doorkeeper:
    """What a mail server says that knows one token; ``shown`` are those that it was shown."""

    accepted: str
    shown: list[str] = field(default_factory=list)
    _tag: str = ""

    def __call__(self, tag: str, command: str) -> bytes | None:
        if command == "AUTHENTICATE XOAUTH2":
            self._tag = tag
            return b"+ \r\n"
        if not tag:
            return self._verdict(command)
        if "BODY" in command:
            return f"* 1 FETCH (UID 5 BODY[]<0> {{{len(MAIL)}}}\r\n{MAIL})\r\n{tag} OK done\r\n".encode()
        return None

    def _verdict(self, response: str) -> bytes:
        if not response:  # to the challenge that a refusal begins with
            return f"{self._tag} NO AUTHENTICATE failed\r\n".encode()
        said = base64.b64decode(response).decode()
        self.shown.append(said.removeprefix(f"user={USER}\x01auth=Bearer ").rstrip("\x01"))
        if said.encode() == sasl_xoauth2(USER, self.accepted):
            return f"{self._tag} OK welcome\r\n".encode()
        return b"+ " + base64.b64encode(b'{"status":"401","schemes":"bearer"}') + b"\r\n"


@pytest.mark.parametrize("grant", ["client_credentials", "refresh_token"])
def test_from_the_settings_to_a_mail_and_a_token_that_is_taken_no_longer_is_renewed_once(
    server: TokenServer, settings: OAuthSettings, grant: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    oauth = {
        "token_url": server.url,
        "scope": settings.scope,
        "client_id": "client",
        "client_secret_env": "CLIENT_SECRET",
        "ca_file": str(server.certificate),
        **({"refresh_token_env": "REFRESH_TOKEN"} if grant == "refresh_token" else {}),
    }
    door = Doorkeeper("token-1")
    with ScriptedImap("IMAP4rev1 AUTH=XOAUTH2", door) as imap:
        place = {"host": "127.0.0.1", "port": imap.port, "encryption": Encryption.NONE.value}
        mailbox = mailbox_from({**place, "user": USER, "oauth": oauth})
        with MailboxReader(mailbox, SeenInMemory(), lambda raw: True) as reader:
            batch = reader.next_batch()
            assert batch is not None
            assert [fetched.mail.raw for fetched in batch.mails] == [MAIL.encode()]
            reader.hang_up()

            door.accepted = "token-2"  # the other has expired there, long before it was said to
            server.says(**{**GOOD, "access_token": "token-2"})
            with pytest.raises(MailboxError, match="refused the login") as refused:
                reader.next_batch()
            for _ in range(2):
                reader.hang_up()
                assert reader.next_batch() is not None

    assert door.shown == ["token-1", "token-1", "token-2", "token-2"]
    assert [form["grant_type"] for form in server.asked] == [grant, grant]
    assert {form.get("refresh_token") for form in server.asked} == (
        {"the-refresh-token"} if grant == "refresh_token" else {None}
    )
    told = caplog.text + str(refused.value) + repr(mailbox)
    responses = [base64.b64encode(sasl_xoauth2(USER, token)).decode() for token in ("token-1", "token-2")]
    for secret in ("token-1", "token-2", "the-client-secret", "the-refresh-token", *responses):
        assert secret not in told
