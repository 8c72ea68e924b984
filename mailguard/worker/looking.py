"""Mails and reports that are looked at and not stored: what ``mailguard inspect`` does.

Reads in this process, within the bounds of ``Limits``: whoever asks waits for one file of their own.
"""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from mailguard.feedback.envelope import ReceivedMail, Way
from mailguard.feedback.kinds import Kind, claims_to_be_report, kind_of
from mailguard.feedback.limits import DEFAULT_LIMITS
from mailguard.feedback.mail import MailContents, MailKind, read_file, read_mail
from mailguard.feedback.report import AggregateReport, FailureReport, TlsReport, Unreadable
from mailguard.names import DomainName
from mailguard.render.trusting import Looked
from mailguard.resolver import Resolver, ResolverSettings, Session, drive
from mailguard.sources.mbox import split_mbox
from mailguard.spool.frames import MAGIC, decode_file
from mailguard.trust.authenticate import authenticate
from mailguard.trust.grade import Trust
from mailguard.trust.judge import Owned, Reason, judge_report
from mailguard.trust.judge_failure import judge_failure_report
from mailguard.trust.judge_tls import judge_tls_report
from mailguard.trust.proof import Authentication
from mailguard.trust.reporter import KNOWN_REPORTERS, Registry
from mailguard.worker.asking import DEADLINE_S, MAX_QUESTIONS

_FIELD: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?![<{\[])[!-9;-~]+[ \t]*:")
_MBOX: Final = b"From "


@dataclass(frozen=True, slots=True)
class Item:
    """One mail of a file, or a report that lies there without its mail (``mail`` None)."""

    origin: str
    size: int
    contents: MailContents
    mail: ReceivedMail | None = None


@dataclass(frozen=True, slots=True)
class Sender:
    """What was found out about the sender of an item, and how far each of its reports is believed.

    ``trusts`` has one for each aggregate report, then one for each TLS report and each failure report.
    """

    looked: Looked
    proof: Authentication | None
    trusts: tuple[Trust, ...]


def items_in(origin: str, name: str, data: bytes, *, now: int, failure_reports: bool = False) -> Iterator[Item]:
    """Everything in a file: each mail of an mbox or of a file of the spool, a saved mail, or a report.

    ``name`` is the file's, which tells a damaged report from a mail. Never raises.
    """
    mails = list(_mails_in(origin, data, now))
    if not mails:
        contents = read_file(name, data, failure_reports=failure_reports)
        # What looks like nothing is tried as a mail; that it goes beyond the bounds of one then says nothing about it.
        is_anything = kind_of(data) is not Kind.OTHER or claims_to_be_report(name)
        if contents.kind is MailKind.NONE and not (contents.unreadable and is_anything):
            contents = MailContents((), (Unreadable(name, "unknown" if data else "empty"),))
        yield Item(origin, len(data), contents)
        return
    for number, mail in enumerate(mails, start=1):
        where = f"{origin}: {number}" if len(mails) > 1 else origin
        if isinstance(mail, Unreadable):
            yield Item(where, len(data), MailContents((), (mail,)))
        else:
            contents = read_mail(mail.raw, failure_reports=failure_reports)
            yield Item(where, len(mail.raw), contents, mail)


def _mails_in(origin: str, data: bytes, now: int) -> Iterator[ReceivedMail | Unreadable]:
    """The mails, and what should have been one; nothing where the file is a report or something else."""
    if data.startswith(MAGIC):
        batch = decode_file(data)
        yield from batch.mails
        yield from (Unreadable("", "damaged") for _ in batch.damage)
    elif data.startswith(_MBOX):
        first, _, rest = data.partition(b"\n")
        for raw in split_mbox(first + b"\n", io.BytesIO(rest), DEFAULT_LIMITS.mail_bytes):
            too_large = Unreadable("", "mail_bytes")
            yield too_large if raw is None else ReceivedMail(raw, now, way=Way.FILE, origin=origin)
    elif _FIELD.match(data):
        yield ReceivedMail(data, now, way=Way.FILE, origin=origin)


async def ask_about(
    items: Collection[Item],
    resolver: ResolverSettings | None,
    *,
    hosts: Collection[str],
    owned: Owned | None,
    now: int,
    known: Registry = KNOWN_REPORTERS,
) -> list[Sender]:
    """Who sent each of the mails, for those that hold a report. Without ``resolver`` nobody is asked.

    SPF is checked only where the file is one of the spool, which tells what the sending server said. ``owned`` None:
    reports may be about any domain. Every mail has its own questions and deadline.
    """
    if resolver is None or not any(item.mail and _reports(item) for item in items):
        return [_judged(item, None, owned, known, now) for item in items]
    async with Resolver(resolver) as open_resolver:
        proofs = [await _authenticate(item, open_resolver, hosts, now) for item in items]
    return [_judged(item, proof, owned, known, now) for item, proof in zip(items, proofs, strict=True)]


async def _authenticate(item: Item, resolver: Resolver, hosts: Collection[str], now: int) -> Authentication | None:
    if item.mail is None or not _reports(item):
        return None
    with Session(resolver, max_questions=MAX_QUESTIONS, deadline_s=DEADLINE_S) as session:
        return await drive(authenticate(item.mail, trusted_hosts=hosts, now=now), session)


def _reports(item: Item) -> tuple[AggregateReport | TlsReport | FailureReport, ...]:
    return (*item.contents.reports, *item.contents.tls_reports, *item.contents.failure_reports)


def _judged(item: Item, proof: Authentication | None, owned: Owned | None, known: Registry, now: int) -> Sender:
    looked = Looked.NO_MAIL if item.mail is None else Looked.NOT_CHECKED if proof is None else Looked.CHECKED
    received = item.mail.received_at if item.mail else now
    trusts = (_judge(report, proof or Authentication(), owned, known, received) for report in _reports(item))
    return Sender(looked, proof, tuple(map(_without_memory, trusts)))


def _judge(
    report: AggregateReport | TlsReport | FailureReport,
    proof: Authentication,
    owned: Owned | None,
    known: Registry,
    now: int,
) -> Trust:
    ours = owned or _ANY
    if isinstance(report, AggregateReport):
        return judge_report(report, proof, owned=ours, now=now, known=known, file_name=report.place)
    if isinstance(report, TlsReport):
        return judge_tls_report(report, proof, owned=ours, now=now, known=known)
    return judge_failure_report(report, proof, owned=ours, now=now)


class _Any(Owned):
    """Reports may be about any domain."""

    __slots__ = ()

    def has(self, domain: DomainName) -> bool:
        """Whether a report may be about this domain."""
        return True


_ANY: Final = _Any(frozenset())


def _without_memory(trust: Trust) -> Trust:
    """Whether a reporter is new nobody can say who does not look into a database."""
    return Trust(trust.grade, trust.domain, tuple(one for one in trust.reasons if one != Reason.FIRST_SEEN))
