"""Zones and golden texts for what is sent to companies."""

from __future__ import annotations

import os
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from mailguard.guidebook.blocks import Part
from mailguard.guidebook.case import Clinic
from mailguard.guidebook.texts import Texts
from mailguard.render.document import Document
from tests.guidebook.cases import case_of, lines
from tests.render.documents import document_of
from tests.render.test_golden import documents

GOLDEN = Path(__file__).parent / "golden"
RENEW = bool(os.environ.get("RENEW_GOLDEN"))
CLINIC = Clinic("医療法人みどり会 みどり医院", "佐藤")

MOVED = """
    clinic.example.jp         NS   ns1.dns.ne.jp
    clinic.example.jp         MX   1 aspmx.l.google.com
    aspmx.l.google.com        A    192.0.2.1
    clinic.example.jp         TXT  "v=spf1 include:_spf.google.com ~all"
    _spf.google.com           TXT  "v=spf1 ip4:192.0.2.0/28 ~all"
    clinic.example.jp         TXT  "v=spf1 ip4:192.0.2.10 -all"
    _dmarc.clinic.example.jp  TXT  "v=DMARC1; p=none"
"""
"""Name servers at one company, mailboxes at another, an SPF record that was left behind."""

TWO = """
    clinic.example.jp         NS   ns1.dns.ne.jp
    clinic.example.jp         NS   ns-1.awsdns-01.com
    clinic.example.jp         MX   1 aspmx.l.google.com
    clinic.example.jp         MX   9 clinic-example-jp.mail.protection.outlook.com
    aspmx.l.google.com        A    192.0.2.1
    clinic-example-jp.mail.protection.outlook.com  A  192.0.2.65
    clinic.example.jp         TXT  "v=spf1 include:_spf.google.com ~all"
    _spf.google.com           TXT  "v=spf1 ip4:192.0.2.0/28 ~all"
    _dmarc.clinic.example.jp  TXT  "v=DMARC1; p=none"
"""
"""Two companies at the name servers, and two at the mailboxes."""


@cache
def moved() -> Document:
    """The audit of ``MOVED``."""
    return document_of(MOVED)


def part_of(name: str, document: Document, language: str = "ja", **more: Any) -> Part | None:
    """One part of the guide of a document."""
    made: Part | None = import_module(f"mailguard.guidebook.parts.{name}").make(
        case_of(document, **more), Texts(language)
    )
    return made


def text_of(part: Part | None) -> str:
    """A part as lines; nothing where there is none."""
    return "\n".join(lines(part)) + "\n" if part else ""


def story(name: str) -> Document:
    """An audit by the name of its story."""
    return moved() if name == "moved" else documents()[name]


def assert_golden(name: str, text: str) -> None:
    """The text is that which was reviewed."""
    path = GOLDEN / f"{name}.txt"
    if RENEW:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8"), "if this is meant: RENEW_GOLDEN=1, and read the difference as prose"
