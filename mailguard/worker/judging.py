"""From what was read to what is stored: how far each report is believed, and what becomes of the mail."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from enum import StrEnum
from typing import Any, Final

from mailguard.feedback.envelope import ReceivedMail, Way
from mailguard.feedback.mail import MailContents
from mailguard.feedback.report import AggregateReport
from mailguard.names import DomainName
from mailguard.spool.reason import Reason
from mailguard.store.values import Filed
from mailguard.trust.grade import Grade, Trust
from mailguard.trust.judge import Owned, judge_report
from mailguard.trust.proof import Authentication
from mailguard.trust.reporter import KNOWN_REPORTERS, Registry
from mailguard.worker.reasons import FAILURE_REPORT, NO_REPORT

NOT_CHECKED: Final = Trust(Grade.UNVERIFIED, "", ("not-checked",))
"""Nobody wanted to know who sent the mail."""

_MAX_LEARNED: Final = 10_000
_MAX_PLACE: Final = 200


class Judge:
    """Grades reports, and remembers who reported.

    ``owned`` are the domains that reports may be about; None where whoever hands over the mails vouches for that.
    ``registry`` is what is known of reporters.
    """

    def __init__(self, owned: Owned | None, registry: Registry = KNOWN_REPORTERS) -> None:
        self._owned = owned
        self._registry = registry

    def file(self, mail: ReceivedMail, contents: MailContents, authentication: Authentication | None) -> Filed:
        """Everything that the store wants to know about a mail."""
        if authentication is None:
            return Filed(mail, contents, tuple(NOT_CHECKED for _ in contents.reports))
        trusts = tuple(self._judge(report, mail, authentication) for report in contents.reports)
        return Filed(mail, contents, trusts, encode_account(authentication))

    def learn(self, filed: Filed) -> None:
        """What was stored as verified makes its reporter known. Bound: 10,000 names."""
        pairs = zip(filed.contents.reports, filed.trusts, strict=True)
        self.remember((report.org_name, trust.domain) for report, trust in pairs if trust.grade is Grade.VERIFIED)

    def remember(self, known: Iterable[tuple[str, str]]) -> None:
        """Pairs of a name and a domain that have reported before, as the store knows them."""
        for org_name, domain in known:
            if len(self._registry.seen) < _MAX_LEARNED:
                self._registry = self._registry.learn(org_name, DomainName(domain))

    def _judge(self, report: AggregateReport, mail: ReceivedMail, authentication: Authentication) -> Trust:
        owned = self._owned or Owned(frozenset((DomainName(report.policy.domain),)))
        return judge_report(
            report,
            authentication,
            owned=owned,
            now=mail.received_at,
            known=self._registry,
            file_name=report.place,
        )


class Fate(StrEnum):
    """What is to become of a mail that has been read."""

    STORE = "store"
    IGNORE = "ignore"
    QUARANTINE = "quarantine"


def decide(mail: ReceivedMail, contents: MailContents) -> tuple[Fate, Reason | None]:
    """What becomes of a mail, and why where it is not stored for its reports.

    A mail in which no report is recognised is kept only if it came by SMTP, where nobody else has it any more: then
    it lies in the store until the time of raw mails is over. What was fetched or given still lies where it lay.
    """
    if contents.reports or contents.tls_reports or contents.failure_reports:
        return Fate.STORE, None
    if contents.ignored:
        return Fate.IGNORE, FAILURE_REPORT
    if contents.unreadable:
        return Fate.QUARANTINE, why_no_report(contents)
    return (Fate.STORE if mail.way is Way.SMTP else Fate.IGNORE), NO_REPORT


def why_no_report(contents: MailContents) -> Reason:
    """Why no file of a mail could be read: the reason for the first, and how many others there are."""
    first, *others = contents.unreadable
    fields: dict[str, str | int] = {"file": first.place[:_MAX_PLACE], "why": first.reason, "others": len(others)}
    return Reason("nothing-readable", fields)


def encode_account(authentication: Authentication) -> str:
    """What was found out about the sender, as JSON; kept with the mail, so that every grade can be traced."""
    return json.dumps(_plain(authentication), ensure_ascii=True, separators=(",", ":"))


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
    if is_dataclass(value):
        pairs = ((field.name, _plain(getattr(value, field.name))) for field in fields(value))
        return {key: plain for key, plain in pairs if plain not in ("", None, [], {}, 0)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
