"""``read_mail``: every report in a mail."""

from __future__ import annotations

from dataclasses import dataclass

from mailguard.feedback.aggregate import read_aggregate
from mailguard.feedback.limits import DEFAULT_LIMITS, Limits
from mailguard.feedback.report import AggregateReport, Unreadable
from mailguard.feedback.unpack import unpack


@dataclass(frozen=True, slots=True)
class MailContents:
    """What a mail brought. Both may be empty: a mail without any file that could be a report."""

    reports: tuple[AggregateReport, ...]
    unreadable: tuple[Unreadable, ...]


def read_mail(mail: bytes, limits: Limits = DEFAULT_LIMITS) -> MailContents:
    """Read every report in a mail. Never raises; bounds as ``Limits`` says."""
    members, refused = unpack(mail, limits)
    reports = []
    unreadable = [Unreadable(file.place, file.reason) for file in refused]
    for member in members:
        found = read_aggregate(member.chunks, member.place, limits)
        if isinstance(found, AggregateReport):
            reports.append(found)
        else:
            unreadable.append(found)
    return MailContents(tuple(reports), tuple(unreadable))
