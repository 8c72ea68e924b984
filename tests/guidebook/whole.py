"""Whole guides as clinics get them, of audits of real zones: broken, and watched for a while; and a portfolio."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache

from mailguard.guidebook.blocks import Book, Imprint
from mailguard.guidebook.book import make_book, make_portfolio_book
from mailguard.guidebook.case import Case, Clinic
from mailguard.guidebook.portfolio import make_portfolio
from mailguard.policy.shelf import load_providers
from mailguard.render.document import Document
from mailguard.traffic import Day, Reporter, Source, SourceClass, Traffic
from tests.guidebook.books import IMPRINT
from tests.render.documents import document_of
from tests.zones import Zone

MADE_AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
BEFORE_AT = datetime(2026, 8, 20, 1, 0, tzinfo=UTC)
NOBODY = Imprint()

BROKEN = """
clinic.example.jp      MX   10 mx.mail.example.net
clinic.example.jp      TXT  "v=spf1 include:spf.mail.example.net ~all"
clinic.example.jp      TXT  "v=spf1 ip4:192.0.2.10 -all"
spf.mail.example.net   TXT  "v=spf1 ip4:198.51.100.0/24 -all"
mx.mail.example.net    A    198.51.100.1
"""


def includes(count: int) -> str:
    """A clinic whose SPF record asks ``count`` times, which more than ten times nobody may."""
    names = [f"s{number}.example.net" for number in range(count)]
    return "\n".join(
        (
            "clinic.example.jp  MX  10 mail.clinic.example.jp",
            "mail.clinic.example.jp  A  192.0.2.10",
            f'clinic.example.jp  TXT  "v=spf1 {" ".join(f"include:{name}" for name in names)} ~all"',
            *(f'{name}  TXT  "v=spf1 ip4:198.51.100.{number} -all"' for number, name in enumerate(names)),
        )
    )


BEFORE = includes(11)
NOW = f'{includes(14)}\n_dmarc.clinic.example.jp  TXT  "v=DMARC1; p=none; sp=reject"'
"""Against ``BEFORE`` one thing is solved, some are new, one is worse, and the rest is as it was."""


def traffic() -> Traffic:
    """Reports of three weeks, of all classes of senders, with days of which nobody told."""
    since = date(2026, 11, 1)
    sources = tuple(
        Source(f"192.0.2.{number}", messages, passed, passed, passed, 0, 1, kind)
        for number, (kind, messages, passed) in enumerate(
            (
                (SourceClass.ALIGNED, 1200, 1200),
                (SourceClass.PARTLY, 90, 40),
                (SourceClass.LISTED, 60, 0),
                (SourceClass.SERVICE, 50, 0),
                (SourceClass.UNKNOWN, 70, 0),
            ),
            start=1,
        )
    )
    each = {source.kind: source.messages // 20 for source in sources}
    days = tuple(Day(since + timedelta(days=ago), each if ago % 7 else {}) for ago in range(21))
    reporters = (Reporter("Reporter", "reporter.example", 20, 1470),)
    return Traffic(since, since + timedelta(days=20), sources, days, reporters, unverified=3)


@cache
def audited(zone: str, domain: str = "clinic.example.jp", at: datetime = MADE_AT) -> Document:
    """The document of an audit, without the version of ours, which changes."""
    return {**document_of(Zone.parse(zone), domain, as_of=at), "mailguard": "0"}


def broken(imprint: Imprint = NOBODY) -> Case:
    """A clinic where much is to be done, at its first audit."""
    return Case(
        document=audited(BROKEN),
        made_at=MADE_AT,
        knowledge=load_providers(),
        clinic=Clinic("みどり医院", "山田"),
        imprint=imprint,
    )


def watched(imprint: Imprint = NOBODY) -> Case:
    """A clinic with reports, some months after its first audit."""
    return Case(
        document=audited(NOW),
        made_at=MADE_AT,
        knowledge=load_providers(),
        traffic=traffic(),
        previous=audited(BEFORE, at=BEFORE_AT),
        clinic=Clinic("みどり医院", "山田"),
        imprint=imprint,
    )


@cache
def whole_guide(name: str, language: str) -> Book:
    """The whole guide of one of the two clinics."""
    return make_book({"broken": broken, "watched": watched}[name](IMPRINT), language)


@cache
def portfolio(language: str) -> Book:
    """The report over five clinics, with page one of each. Three have one company, one has an earlier audit."""
    shared = [
        Case(document=audited(_at_google(domain), domain), made_at=MADE_AT, knowledge=load_providers())
        for domain in ("aoba.example.jp", "hinata.example.jp", "sakura.example.jp")
    ]
    cases = [watched(), *shared, _closed()]
    return make_portfolio_book(make_portfolio(cases), language, pages=True, imprint=IMPRINT)


def _at_google(domain: str) -> str:
    return f"""
        {domain}          MX   1 aspmx.l.google.com
        {domain}          TXT  "v=spf1 include:_spf.google.com ~all"
        _spf.google.com   TXT  "v=spf1 ip4:192.0.2.0/24 ~all"
        aspmx.l.google.com  A  192.0.2.1
    """


def _closed() -> Case:
    domain = "momiji.example.jp"
    zone = f'{_at_google(domain)}\n_dmarc.{domain} TXT "v=DMARC1; p=reject; rua=mailto:dmarc@{domain}"'
    return Case(document=audited(zone, domain), made_at=MADE_AT, knowledge=load_providers())
