"""A mailbox's settings: strict, and without secrets."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from mailguard.errors import UsageError
from mailguard.sources.secret import Secret
from mailguard.sources.settings import After, Encryption, MailboxSettings, mailbox_from

LEAST = {"host": "imap.example.jp", "user": "dmarc@clinic.example.jp", "password_file": "/secret"}


def test_little_must_be_said() -> None:
    expected = MailboxSettings(host="imap.example.jp", user="dmarc@clinic.example.jp", password=Secret(file="/secret"))
    assert mailbox_from(LEAST) == expected
    assert (expected.encryption, expected.port, expected.after) == (Encryption.TLS, 993, After.MOVE)


def test_starttls_has_another_port() -> None:
    assert mailbox_from({**LEAST, "encryption": "starttls"}).port == 143


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"password": "written-here"}, "a secret does not belong into this file"),
        ({"password_file": "", "password_env": ""}, "password_file or password_env is wanted"),
        ({"password_env": "P"}, "only one of"),
        ({"oauth": {}}, "client_secret"),
        ({"encryption": "none"}, "others on the way can read it"),
        ({"encryption": "tls", "port": 143}, "starttls"),
        ({"port": "993"}, "whole number"),
        ({"port": True}, "whole number"),
        ({"port": 0}, "1 to 65535"),
        ({"poll_s": 1740}, "10 to 1680"),
        ({"host": ""}, "host"),
        ({"host": 5}, "host"),
        ({"user": "a\r\nA1 LOGOUT"}, "user"),
        ({"folder": "mailguard-done"}, "other folders"),
        ({"after": "delete"}, '"move", "flag", "leave"'),
        ({"foldr": "INBOX"}, "foldr is no known key"),
    ],
)
def test_what_cannot_be_meant_is_refused(change: dict[str, object], told: str) -> None:
    with pytest.raises(UsageError, match=told) as caught:
        mailbox_from({**LEAST, **change}, "mailbox 2")
    assert str(caught.value).startswith("mailbox 2")
    assert "written-here" not in str(caught.value)


def test_nothing_may_be_asked_of_missing_keys() -> None:
    with pytest.raises(UsageError, match="host"):
        mailbox_from({})


def test_a_secret_comes_from_a_file_or_a_variable(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes("秘密 word\r\n".encode())
    assert Secret(file=str(path)).read() == "秘密 word"
    assert Secret(variable="P").read({"P": "word"}) == "word"


@pytest.mark.parametrize("content", [b"", b"\n", b"a\nb\n", b"a\0b", b"\xff\xfe", b"x" * 20_000])
def test_what_is_no_secret_is_told_without_it(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        Secret(file=str(path)).read()
    assert str(path) in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_secret_that_is_not_there_is_told() -> None:
    for secret in (Secret(file="/nonexistent/secret"), Secret(variable="NOT_SET_ANYWHERE")):
        with pytest.raises(UsageError, match=secret.place):
            secret.read()


def test_the_documented_settings_are_accepted() -> None:
    page = (Path(__file__).parents[2] / "docs" / "mailbox.md").read_text("utf-8")
    examples = [block.partition("```")[0] for block in page.split("```toml\n")[1:]]
    tables = [table for example in examples for table in tomllib.loads(example)["mailbox"]]
    assert len(tables) >= 3
    for table in tables:
        mailbox_from(table)


def test_every_key_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "mailbox.md").read_text("utf-8")
    with pytest.raises(UsageError, match="known are") as caught:
        mailbox_from({**LEAST, "unknown": 1})
    known = str(caught.value).partition("known are ")[2].rstrip(".").split(", ")
    oauth = {"provider": "microsoft", "tenant": "t", "client_id": "c", "client_secret_file": "f", "unknown": 1}
    with pytest.raises(UsageError, match="known are") as caught:
        mailbox_from({"host": "h", "user": "u", "oauth": oauth})
    known += str(caught.value).partition("known are ")[2].rstrip(".").split(", ")
    assert [key for key in known if f"`{key}`" not in page] == []
