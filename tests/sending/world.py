"""A consultant with settings, a list, an outbox and clinics, for tests of sending."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from mailguard.sending.recipients import Recipient
from mailguard.sending.settings import SendSettings, parse_send_settings
from mailguard.sending.values import Draft
from mailguard.targets import parse_target

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)

SETTINGS = """
[smtp]
host = "127.0.0.1"
port = {port}
tls = "none, to a server on this machine"
timeout_s = 5
data_timeout_s = 5

[sender]
name = "例示ITサポート株式会社"
address = "guide@consult.example.jp"
bounces = "bounces@consult.example.jp"
postal_address = "東京都千代田区例町1-2-3"
contact = "電話 03-0000-0000"
opt_out_address = "stop@consult.example.jp"
opt_out_url = "https://consult.example.jp/stop/{{token}}"
dkim_selectors = ["s1"]

[mail]
advertising = false
basis = "保守契約にもとづくご報告です。"
rate_per_minute = 600
"""


def settings(folder: Path, port: int = 2525) -> SendSettings:
    """Settings as they stand in ``folder``, with its outbox."""
    return parse_send_settings(SETTINGS.format(port=port), "send.toml", folder)


def recipient(name: str = "midori", /, **more: object) -> Recipient:
    domain = parse_target(f"{name}.example.jp").domain
    values = {"line": 2, "email": f"info@{domain}", "name": "山田太郎", "clinic": "みどり病院", **more}
    return Recipient(domain=domain, **values)  # type: ignore[arg-type]


def draft(name: str = "midori", **more: object) -> Draft:
    """A small message, not as a guide makes it."""
    token = f"{name}-token"
    values = {
        "number": "MG-20261122-0AB1C2",
        "domain": f"{name}.example.jp",
        "recipient": f"info@{name}.example.jp",
        "clinic": "みどり病院",
        "subject": "guide",
        "message_id": f"{token}@consult.example.jp",
        "token": token,
        "fingerprint": "f",
        "raw": f"Message-ID: <{token}@consult.example.jp>\r\n\r\nguide of {name}\r\n".encode(),
        **more,
    }
    return Draft(**values)  # type: ignore[arg-type]
