"""``mailguard.toml``: what it may say, and how plainly it is told what it may not."""

from __future__ import annotations

import contextlib
from dataclasses import fields
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.errors import UsageError
from mailguard.ingest.settings import ListenerSettings
from mailguard.names import DomainName
from mailguard.settings import Endpoint, Settings, load_settings, parse_settings

ROOT = Path(__file__).parents[2]
OURS = '[trust]\ndomains = ["clinic.example.jp"]\n'
LISTENER = OURS + '[listener]\nlisten = "0.0.0.0:25"\nhostname = "mx.example.jp"\naddresses = ["dmarc@example.jp"]\n'


def test_an_empty_file_has_every_default() -> None:
    settings = parse_settings("", "mailguard.toml", Path("/etc/mailguard"))
    assert settings.database.url == "/etc/mailguard/mailguard.db"
    assert settings.spool == Path("/etc/mailguard/mailguard-spool")
    assert settings.listener is None
    assert settings.mailboxes == ()
    assert settings.trust.check


def test_reporters_are_names_with_their_domains() -> None:
    text = OURS + '[trust.reporters]\n"Example Mail" = ["a.example", "B.example."]\nOther = "c.example"\n'
    pairs = [("Example Mail", "a.example"), ("Example Mail", "b.example"), ("Other", "c.example")]
    assert parse_settings(text, "m").trust.reporters == tuple((name, DomainName(domain)) for name, domain in pairs)


def test_the_example_can_be_read() -> None:
    settings = load_settings(ROOT / "docs" / "mailguard.toml.example")
    assert settings.trust.domains == ("clinic.example.jp",)
    assert settings.mailboxes[0].host == "imap.example.jp"


def test_the_commented_part_of_the_example_can_be_read_too() -> None:
    lines = (ROOT / "docs" / "mailguard.toml.example").read_text("utf-8").splitlines()
    start = lines.index("# [listener]")
    end = next(number for number, line in enumerate(lines[start:], start) if not line.startswith("#"))
    text = OURS + "\n".join(line.removeprefix("#").removeprefix(" ") for line in lines[start:end])
    settings = parse_settings(text, "mailguard.toml")
    assert settings.listener is not None
    assert settings.listener.endpoints == (Endpoint("0.0.0.0", 25), Endpoint("::", 25))
    assert settings.listener.tokens is not None
    assert settings.listener.tokens.host == "reports.clinic.example.jp"


def test_a_listener_with_bounds() -> None:
    settings = parse_settings(LISTENER + "[listener.limits]\nmail_bytes = 1000\nidle_s = 5\n", "mailguard.toml")
    assert settings.listener is not None
    assert settings.listener.listener.mail_bytes == 1000
    assert settings.listener.listener.idle_s == 5.0


@pytest.mark.parametrize(
    "bound", [one.name for one in fields(ListenerSettings) if isinstance(one.default, int | float)]
)
def test_every_bound_of_the_listener_can_be_set(bound: str) -> None:
    text = LISTENER + f"[listener.limits]\n{bound} = 7\n" + ("" if bound == "mail_bytes" else "mail_bytes = 6\n")
    if bound == "port":
        with pytest.raises(UsageError):
            parse_settings(text, "mailguard.toml")
        return
    settings = parse_settings(text, "mailguard.toml")
    assert settings.listener is not None
    assert getattr(settings.listener.listener, bound) == 7


LARGE = """
[trust]
domains = ["clinic.example.jp"]
[reading]
memory_mib = {memory}
[listener]
hostname = "mx.example.jp"
addresses = ["dmarc@example.jp"]
[listener.limits]
mail_bytes = {listener}
[[mailbox]]
host = "imap.example.jp"
user = "dmarc"
password_file = "secret"
mail_bytes = {mailbox}
"""
MIB = 1024**2


def test_mails_are_read_as_large_as_they_may_come() -> None:
    def settings(listener: int, mailbox: int) -> Settings:
        return parse_settings(LARGE.format(memory=300, listener=listener * MIB, mailbox=mailbox * MIB), "m.toml")

    assert settings(1, 2).mail_bytes == 15 * MIB
    assert settings(20, 2).mail_bytes == 20 * MIB
    assert settings(20, 30).mail_bytes == 30 * MIB


@pytest.mark.parametrize(
    ("memory", "listener", "mailbox", "says"),
    [
        (400, 33, 1, r"\[listener.limits\]: mail_bytes is 34603008, but .* lets no mail of more than 33554432 in"),
        (299, 30, 1, r"\[reading\]: memory_mib has to be at least 300 to read mails of 31457280 bytes"),
        (299, 1, 30, r"memory_mib has to be at least 300"),
        (149, 1, 1, r"memory_mib has to be at least 150"),
    ],
)
def test_no_mail_is_let_in_that_cannot_be_read(memory: int, listener: int, mailbox: int, says: str) -> None:
    text = LARGE.format(memory=memory, listener=listener * MIB, mailbox=mailbox * MIB)
    with pytest.raises(UsageError, match=says):
        parse_settings(text, "m.toml")


def test_systemd_hands_sockets_over() -> None:
    settings = parse_settings(LISTENER.replace('"0.0.0.0:25"', '"systemd"'), "mailguard.toml")
    assert settings.listener is not None
    assert settings.listener.endpoints == ()


def test_japanese_domain_names_are_understood() -> None:
    settings = parse_settings('[trust]\ndomains = ["病院.example.jp"]', "mailguard.toml")
    assert settings.trust.domains == ("xn--0rys90e.example.jp",)


def test_paths_begin_at_the_file(tmp_path: Path) -> None:
    file = tmp_path / "mailguard.toml"
    file.write_text(
        OURS + '[database]\nurl = "data/reports.db"\n[[mailbox]]\nhost = "imap.example.jp"\nuser = "u"\n'
        'password_file = "secret"\n',
        "utf-8",
    )
    settings = load_settings(file)
    assert settings.database.place() == str(tmp_path / "data" / "reports.db")
    (tmp_path / "secret").write_text("swordfish\n")
    assert settings.mailboxes[0].password is not None
    assert settings.mailboxes[0].password.read() == "swordfish"


def test_a_database_address_can_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://u:p@db.example.jp/m\n")
    settings = parse_settings('[database]\nurl_file = "url"', "mailguard.toml", tmp_path)
    assert settings.database.place() == "postgresql://u:p@db.example.jp/m"
    assert "u:p" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("spol = 1", "mailguard.toml: spol is no known key"),
        ("[database]\nurl = 3", "mailguard.toml: [database]: url is wanted as a text on one line."),
        ("[database]\nulr = 'x'", "[database]: ulr is no known key; known are url."),
        ("[database]\nurl = 'postgresql://u:secret@h/d'", "url holds a password"),
        ("[database]\nurl = 'x'\nurl_file = 'y'", "give only one of url, url_file and url_env"),
        ("[spool]\npath = ''\nfree_mib = -1", "[spool]: free_mib is wanted as a whole number"),
        ("[trust]\ndomains = 'not a name'", "domains: 'not a name' is no domain name"),
        ("[trust.reporters]\nA = 'no name'", "[trust.reporters]: A: 'no name' is no domain name"),
        ("[trust]\nreporters = ['a.example']", "reporters"),
        ("[trust]\ncheck = 'yes'", "check is wanted as true or false"),
        ("[retention]\nraw_days = 1.5", "raw_days is wanted as a whole number"),
        ("[retention]\nquarantine_mib = -1", "quarantine_mib"),
        ("[retention]\nunverified_raw_mib = 1.5", "unverified_raw_mib is wanted as a whole number"),
        ("[retention]\nunverified_mib = 1048577", "unverified_mib"),
        ("[reading]\nprocesses = 0", "processes is wanted as a whole number from 1 to 64"),
        ("mailbox = 3", "mailbox is wanted as tables, each under [[mailbox]]"),
        ("[[mailbox]]\nhost = 'h'\nuser = 'u'\npassword = 'swordfish'", "[[mailbox]] 1: a secret does not belong"),
        ("listener = 3", "listener is wanted as a table"),
        ("[listener]\nlisten = '25'\nhostname = 'h'\naddresses = 'a@b.example'", "'25' is no address with a port"),
        ("[listener]\nhostname = 'h'", "no mail would be accepted"),
        ("[listener]\nhostname = 'h'\naddresses = 'nobody'", "'nobody' is no mail address"),
        ("[listener]\nhostname = 'h'\ntls_key_file = 'k'", "tls_certificate_file and tls_key_file go together"),
        (
            "[listener]\nhostname = 'h'\naddresses = 'a@b.example'\n[listener.limits]\nx = 1",
            "[listener.limits]: x is no",
        ),
        ("[listener]\nhostname = 'h'\n[listener.tokens]\nsecret = 'swordfish'", "[listener.tokens]: a secret does not"),
        ("[listener]\nhostname = 'h'\naddresses = 'a@b.example'", "[trust]: domains is wanted"),
        ("[broken", "is no TOML file"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_settings(text, "mailguard.toml")
    told = str(caught.value)
    assert says in told
    assert told.startswith("mailguard.toml")
    assert told.endswith(".")
    assert "swordfish" not in told


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"\xff\xfe", "is not UTF-8 text"), (b"#" * 1_100_000, "is too big"), (None, "cannot be read")],
)
def test_a_file_that_is_no_text_is_told(tmp_path: Path, content: bytes | None, says: str) -> None:
    file = tmp_path / "mailguard.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UsageError, match=says):
        load_settings(file)


@given(st.text(max_size=200))
def test_no_text_does_worse_than_a_usage_error(text: str) -> None:
    with contextlib.suppress(UsageError):
        parse_settings(text, "mailguard.toml")


_TOML_VALUES = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
_KEYS = ["database", "spool", "listener", "mailbox", "trust", "reading", "retention"]


@given(st.sampled_from(_KEYS), _TOML_VALUES)
def test_no_value_does_worse_than_a_usage_error(key: str, value: object) -> None:
    with patch("tomllib.loads", return_value={key: value}), contextlib.suppress(UsageError):
        parse_settings("", "mailguard.toml")
