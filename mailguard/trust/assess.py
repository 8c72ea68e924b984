"""``assess``: the trust in every aggregate report of one mail."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from mailguard.feedback.envelope import ReceivedMail
from mailguard.feedback.limits import DEFAULT_LIMITS, Limits
from mailguard.feedback.report import AggregateReport
from mailguard.inquiry import Inquiry
from mailguard.names import DomainName
from mailguard.trust.authenticate import authenticate
from mailguard.trust.grade import Trust
from mailguard.trust.judge import Owned, judge_report
from mailguard.trust.proof import Authentication
from mailguard.trust.reporter import KNOWN_REPORTERS, Registry


@dataclass(frozen=True, slots=True)
class Assessment:
    """What is proved about a mail, and one ``Trust`` per report, in the reports' order."""

    authentication: Authentication
    trusts: tuple[Trust, ...]

    @property
    def unchecked(self) -> bool:
        """Whether it is worth trying again later: an answer is missing that could raise the grade."""
        return self.authentication.unchecked


def assess(
    mail: ReceivedMail,
    reports: Collection[AggregateReport],
    *,
    owned: Owned,
    known: Registry = KNOWN_REPORTERS,
    trusted_hosts: Collection[str] = (),
    limits: Limits = DEFAULT_LIMITS,
    addressed_to: Collection[DomainName] = (),
) -> Inquiry[Assessment]:
    """Authenticate the mail once and judge each of its reports at the time when it was received.

    ``addressed_to`` as for ``judge_report``; names of files are those that the reports know of themselves (``place``).

    Asks nothing for a mail without reports. Never raises.
    """
    if not reports:
        return Assessment(Authentication(), ())
    proof = yield from authenticate(mail, trusted_hosts=trusted_hosts, limits=limits)
    trusts = tuple(
        judge_report(
            report,
            proof,
            owned=owned,
            now=mail.received_at,
            known=known,
            file_name=report.place,
            addressed_to=addressed_to,
        )
        for report in reports
    )
    return Assessment(proof, trusts)
