"""Whole output for five characteristic domains, compared to the letter (tests/golden/README.md says how to renew)."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from mailguard.dossier import Expectation, MailingLists
from mailguard.render.data import Csv, Json
from mailguard.render.document import Document
from mailguard.render.markdown import Markdown
from mailguard.render.terminal import Terminal
from tests.cli.world import KEY
from tests.render.documents import document_of

GOLDEN = Path(__file__).parents[1] / "golden"
RENEW = bool(os.environ.get("RENEW_GOLDEN"))

DOMAIN = "clinic.example"
"""Organizational by RFC 9989 and by the older lists of suffixes alike, so that the generations of DMARC agree."""

PERFECT = f"""
clinic.example                          MX   10 mail.clinic.example
clinic.example                          TXT  "v=spf1 ip4:192.0.2.10 -all"
mail.clinic.example                     A    192.0.2.10
mail.clinic.example                     TXT  "v=spf1 ip4:192.0.2.10 -all"
s1._domainkey.clinic.example            TXT  {KEY}
_dmarc.clinic.example                   TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@clinic.example"
"""

WATCHING = f"""
clinic.example                          MX   10 mail.clinic.example
clinic.example                          TXT  "v=spf1 ip4:192.0.2.10 ~all"
mail.clinic.example                     A    192.0.2.10
s1._domainkey.clinic.example            TXT  {KEY}
_dmarc.clinic.example                   TXT  "v=DMARC1; p=none"
"""

PARKED = """
clinic.example                          MX   0 .
clinic.example                          TXT  "v=spf1 -all"
*._domainkey.clinic.example             TXT  "v=DKIM1; p="
_dmarc.clinic.example                   TXT  "v=DMARC1; p=reject"
"""

BROKEN = """
clinic.example                          MX   10 mx.mail.example.net
clinic.example                          TXT  "v=spf1 include:spf.mail.example.net ~all"
clinic.example                          TXT  "v=spf1 ip4:192.0.2.10 -all"
spf.mail.example.net                       TXT  "v=spf1 ip4:198.51.100.0/24 -all"
mx.mail.example.net                        A    198.51.100.1
"""

UNANSWERED = """
clinic.example                          MX   10 mail.clinic.example
mail.clinic.example                     A    192.0.2.10
clinic.example                          TXT  !timeout
_dmarc.clinic.example                   TXT  !servfail
_domainkey.clinic.example               TXT  !timeout
mailguard-probe-0001._domainkey.clinic.example  TXT  !timeout
"""

NO_LISTS = Expectation(MailingLists.NO)
NO_MAIL = Expectation(sends=False, receives=False)


@cache
def documents() -> dict[str, Document]:
    return {zone: without_versions(document) for zone, document in audited().items()}


def without_versions(document: Document) -> Document:
    """What changes with every release, and with a library's, is not what is reviewed here."""
    if "second_opinion" in document:
        document["second_opinion"]["version"] = "0"
    return {**document, "mailguard": "0"}


def audited() -> dict[str, Document]:
    return {
        "perfect": document_of(PERFECT, DOMAIN, selectors=("s1",), said=NO_LISTS),
        "watching": document_of(WATCHING, DOMAIN, selectors=("s1",), policies=("hospital", "gmail")),
        "parked": document_of(PARKED, DOMAIN, said=NO_MAIL),
        "broken": document_of(BROKEN, DOMAIN, second_opinion=True),
        "unanswered": document_of(UNANSWERED, DOMAIN),
    }


FORMS: dict[str, Callable[[], Any]] = {
    "ja.txt": lambda: Terminal("ja", width=96, asks=True),
    "en.txt": lambda: Terminal("en", width=96, asks=True),
    "ja.md": lambda: Markdown("ja"),
    "en.md": lambda: Markdown("en"),
    "csv": Csv,
    "json": lambda: Json(single=True),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("zone", ["perfect", "watching", "parked", "broken", "unanswered"])
def test_the_whole_output_is_what_was_reviewed(zone: str, form: str) -> None:
    renderer, path = FORMS[form](), GOLDEN / f"{zone}.{form}"
    text = renderer.begin() + renderer.item(documents()[zone]) + renderer.end()
    if RENEW:
        path.write_bytes(text.encode("utf-8"))
    assert text == path.read_bytes().decode("utf-8"), "if this is meant: RENEW_GOLDEN=1, and read the difference"


def test_every_golden_file_is_looked_at() -> None:
    wanted = {f"{zone}.{form}" for zone in documents() for form in FORMS} | {"README.md"}
    assert {path.name for path in GOLDEN.iterdir()} == wanted
