"""send.toml, read strictly."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailguard.errors import UsageError
from mailguard.sending.settings import SendSettings, Tls, load_send_settings, parse_send_settings

LEAST = """
[smtp]
host = "smtp.example.jp"

[sender]
name = "例示ITサポート株式会社"
address = "guide@consult.example.jp"
postal_address = "東京都千代田区例町1-2-3"
contact = "電話 03-0000-0000"
opt_out_address = "stop@consult.example.jp"

[mail]
advertising = false
"""


def parse(text: str) -> SendSettings:
    return parse_send_settings(text, "send.toml", Path("/etc/mailguard"))


def changed(before: str, after: str) -> str:
    assert before in LEAST
    return LEAST.replace(before, after)


def test_the_least_that_has_to_be_said() -> None:
    settings = parse(LEAST)
    assert (settings.smtp.tls, settings.smtp.port) == (Tls.STARTTLS, 587)
    assert settings.sender.bounces == "guide@consult.example.jp"
    assert settings.sender.domain == "consult.example.jp"
    assert settings.outbox == Path("/etc/mailguard/outbox.db")


def test_tls_from_the_first_byte_has_its_port() -> None:
    assert parse(changed("[sender]", 'tls = "tls"\n[sender]')).smtp.port == 465


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "[::1]", "localhost"])
def test_without_tls_to_this_machine(host: str) -> None:
    text = changed('host = "smtp.example.jp"', f'host = "{host}"\ntls = "none, to a server on this machine"')
    assert parse(text).smtp.tls is Tls.NONE


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (
            "[sender]",
            'tls = "none, to a server on this machine"\n[sender]',
            "without TLS only a server on this machine",
        ),
        ("[sender]", 'tls = "none"\n[sender]', "tls is wanted as one of"),
        ("[sender]", "port = 465\n[sender]", 'port 465 wants tls = "tls"'),
        ("[sender]", 'username = "a"\npassword = "secret"\n[sender]', "a secret does not belong into this file"),
        ("[sender]", 'username = "a"\n[sender]', "password_file or password_env is wanted"),
        ("[sender]", 'password_env = "P"\n[sender]', "a password goes with a username"),
        ("advertising = false", "", "say whether these mails advertise"),
        ("advertising = false", 'advertising = "no"', "advertising is wanted as true or false"),
        ('opt_out_address = "stop@consult.example.jp"', "", "opt_out_address or opt_out_url is wanted"),
        ("guide@consult.example.jp", "guide", "address: 'guide' is no mail address"),
        ("guide@consult.example.jp", "guide@consult.example.jp>", "is no mail address"),
        ('postal_address = "東京都千代田区例町1-2-3"', "", "postal_address is wanted"),
        ('contact = "電話 03-0000-0000"', "", "contact is wanted"),
        (
            "[mail]",
            'opt_out_url = "http://consult.example.jp/stop"\n[mail]',
            "opt_out_url is wanted as an https address",
        ),
        ("[mail]", 'opt_out_url = "https://consult.example.jp/<"\n[mail]', "opt_out_url is wanted as an https address"),
        ("[mail]", "[mail]\nrate = 3", "rate is no known key"),
        ("[mail]", "[mail]\nrate_per_minute = 0", "rate_per_minute is wanted"),
        ("[mail]", "[post]\n[mail]", "post is no known key"),
    ],
)
def test_what_cannot_be(before: str, after: str, told: str) -> None:
    with pytest.raises(UsageError) as error:
        parse(changed(before, after))
    assert told in str(error.value)
    assert 'secret"' not in str(error.value)


def test_one_click_needs_to_know_whose_click_it_was() -> None:
    plain = parse(changed("[mail]", 'opt_out_url = "https://consult.example.jp/stop"\n[mail]')).sender.unsubscribe(
        "abc"
    )
    assert (plain.url, plain.one_click) == ("https://consult.example.jp/stop", False)
    each = parse(changed("[mail]", 'opt_out_url = "https://consult.example.jp/{token}"\n[mail]')).sender
    assert each.unsubscribe("abc").url == "https://consult.example.jp/abc"
    assert each.unsubscribe("abc").one_click


def test_paths_begin_at_the_folder_of_the_file() -> None:
    text = changed("[sender]", 'username = "a"\npassword_file = "pw"\nca_file = "ca.pem"\n[sender]')
    settings = parse(text + '[outbox]\npath = "out.db"\n')
    assert settings.smtp.password is not None
    assert (settings.smtp.password.file, settings.smtp.ca_file) == ("/etc/mailguard/pw", "/etc/mailguard/ca.pem")
    assert settings.outbox == Path("/etc/mailguard/out.db")


def test_a_mailbox_for_bounces() -> None:
    text = '[bounces]\nhost = "imap.example.jp"\nuser = "guide"\npassword_file = "pw"\n'
    settings = parse(LEAST + text)
    assert settings.bounces is not None
    assert settings.bounces.password is not None
    assert settings.bounces.password.file == "/etc/mailguard/pw"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"docs/guide-send.md shows what stands in it"):
        load_send_settings(tmp_path / "send.toml")


def test_a_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "send.toml").write_bytes(b"[smtp\n")
    with pytest.raises(UsageError, match="is no TOML file"):
        load_send_settings(tmp_path / "send.toml")
