"""From what was read to what is stored: how far each report is believed, and what becomes of the mail."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Final

from mailguard.feedback.envelope import ReceivedMail, Way
from mailguard.feedback.mail import MailContents, MailKind
from mailguard.feedback.report import AggregateReport, FailureReport, TlsReport
from mailguard.names import DomainName
from mailguard.spool.reason import Reason
from mailguard.store.encode import compact
from mailguard.store.other_reports import NOT_CHECKED
from mailguard.store.values import Filed
from mailguard.trust.grade import Grade, Trust
from mailguard.trust.judge import Owned, judge_report
from mailguard.trust.judge_failure import judge_failure_report
from mailguard.trust.judge_tls import judge_tls_report
from mailguard.trust.proof import Authentication
from mailguard.trust.reporter import KNOWN_REPORTERS, Registry
from mailguard.trust.token import ReportAddresses
from mailguard.worker.reasons import FAILURE_REPORT, NO_REPORT

_MAX_PLACE: Final = 200


class Judge:
    """Grades reports, and remembers who reported.

    ``owned`` are the domains that reports may be about; None where whoever hands over the mails vouches for that.
    ``registry`` is what is known of reporters. ``addresses`` tell which domain each of our report addresses was made
    for. ``awaits_past``: somebody will tell who reported before (``remember``), and nothing is to be judged until then,
    or old acquaintances would be told as new.
    """

    def __init__(
        self,
        owned: Owned | None,
        registry: Registry = KNOWN_REPORTERS,
        *,
        addresses: ReportAddresses | None = None,
        awaits_past: bool = False,
    ) -> None:
        self._owned = owned
        self._registry = registry
        self._addresses = addresses
        self.awaits_past = awaits_past

    def file(
        self, mail: ReceivedMail, contents: MailContents, authentication: Authentication | None, now: int | None = None
    ) -> Filed:
        """Everything that the store wants to know about a mail.

        ``now``: what was the future then is judged by this time (POSIX seconds), and not by when the mail came.
        """
        if authentication is None:
            return Filed(mail, contents, tuple(NOT_CHECKED for _ in contents.reports))
        now = mail.received_at if now is None else now
        case = _Case(mail, authentication, self._addressed_to(mail), self._registry, self._owned, now)
        return Filed(
            mail,
            contents,
            tuple(map(case.aggregate, contents.reports)),
            encode_account(authentication),
            tls_trusts=tuple(map(case.tls, contents.tls_reports)),
            failure_trusts=tuple(map(case.failure, contents.failure_reports)),
        )

    def learn(self, filed: Filed) -> None:
        """What was stored as verified makes its reporter known."""
        aggregate = zip((one.org_name for one in filed.contents.reports), filed.trusts, strict=True)
        tls = zip((one.organization for one in filed.contents.tls_reports), filed.tls_trusts, strict=False)
        self._learn((name, trust.domain) for name, trust in (*aggregate, *tls) if trust.grade is Grade.VERIFIED)

    def remember(self, known: Iterable[tuple[str, str]]) -> None:
        """Pairs of a name and a domain that have reported before, as the store knows them."""
        self._learn(known)
        self.awaits_past = False

    def _learn(self, known: Iterable[tuple[str, str]]) -> None:
        self._registry = self._registry.learn_all((name, DomainName(domain)) for name, domain in known)

    def _addressed_to(self, mail: ReceivedMail) -> frozenset[DomainName]:
        """The domains whose report addresses the mail was sent to; none where addresses do not tell."""
        if self._addresses is None:
            return frozenset()
        return frozenset(domain for address in mail.rcpt_to if (domain := self._addresses.domain_of(address)))


@dataclass(frozen=True, slots=True)
class _Case:
    """One mail, and everything that its reports are judged by."""

    mail: ReceivedMail
    authentication: Authentication
    addressed_to: frozenset[DomainName]
    known: Registry
    owned: Owned | None
    now: int

    def aggregate(self, report: AggregateReport) -> Trust:
        return judge_report(
            report,
            self.authentication,
            owned=self._owned_by(report.policy.domain),
            now=self.now,
            known=self.known,
            file_name=report.place,
            addressed_to=self.addressed_to,
        )

    def tls(self, report: TlsReport) -> Trust:
        return judge_tls_report(
            report,
            self.authentication,
            owned=self._owned_by(*(policy.domain for policy in report.policies), self.authentication.subject.domain),
            now=self.now,
            known=self.known,
            addressed_to=self.addressed_to,
        )

    def failure(self, report: FailureReport) -> Trust:
        return judge_failure_report(
            report,
            self.authentication,
            owned=self._owned_by(report.reported_domain),
            now=self.now,
            addressed_to=self.addressed_to,
        )

    def _owned_by(self, *domains: str) -> Owned:
        return self.owned or Owned(frozenset(map(DomainName, domains)))


class Fate(StrEnum):
    """What is to become of a mail that has been read."""

    STORE = "store"
    IGNORE = "ignore"
    QUARANTINE = "quarantine"


def decide(mail: ReceivedMail, contents: MailContents) -> tuple[Fate, Reason | None]:
    """What becomes of a mail, and why where it is not stored for its reports, or not all of them could be read.

    A mail in which no report is recognised is kept only if it came by SMTP, where nobody else has it any more: then
    it lies in the store until the time of raw mails is over. What was fetched or given still lies where it lay.
    """
    if contents.reports or contents.tls_reports or contents.failure_reports:
        return Fate.STORE, why_not_whole(contents)
    if contents.ignored:
        return Fate.IGNORE, FAILURE_REPORT
    if contents.unreadable:
        return Fate.QUARANTINE, why_no_report(contents)
    return (Fate.STORE if mail.way is Way.SMTP else Fate.IGNORE), NO_REPORT


def contents_are_private(contents: MailContents) -> bool:
    """Whether the mail can hold somebody's letter: then none of its bytes may be kept."""
    return bool(contents.failure_reports) or any(file.kind is MailKind.FAILURE for file in contents.ignored)


def why_no_report(contents: MailContents) -> Reason:
    """Why no file of a mail could be read."""
    return Reason("nothing-readable", _unreadable(contents))


def why_not_whole(contents: MailContents) -> Reason | None:
    """What could not be read beside the reports of a mail; None where that is nothing."""
    return Reason("partly-readable", _unreadable(contents)) if contents.unreadable else None


def _unreadable(contents: MailContents) -> dict[str, str | int]:
    """The first file and what is wrong with it, and how many others there are."""
    first, *others = contents.unreadable
    return {"file": first.place[:_MAX_PLACE], "why": first.reason, "others": len(others)}


def encode_account(authentication: Authentication) -> str:
    """What was found out about the sender, as JSON; kept with the mail, so that every grade can be traced."""
    return compact(_plain(authentication))


def kept_keys(account: str) -> Mapping[DomainName, str]:
    """The DKIM keys in such an account, as ``authenticate`` takes them; none where it cannot be read."""
    try:
        signatures = json.loads(account)["signatures"]
        return {
            DomainName(one["domain"]).child(one["selector"], "_domainkey"): one["key"]
            for one in signatures
            if one.get("key")
        }
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}


def _plain(value: Any) -> Any:
    """Data classes as objects without what is empty; everything else as JSON has it."""
    kind: type = type(value)
    if names := _names_in(kind):
        pairs = ((name, _plain(getattr(value, name))) for name in names)
        return {key: plain for key, plain in pairs if plain not in ("", None, [], {}, 0)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


@cache
def _names_in(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind)) if is_dataclass(kind) else ()
