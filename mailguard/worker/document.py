"""What became of a message, for machines: the document that ``mailguard ingest`` prints."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any, Final

from mailguard.errors import Sentence
from mailguard.feedback.mail import MailContents
from mailguard.feedback.report import AggregateReport, TlsReport
from mailguard.render.inspection import defect_document
from mailguard.render.moments import moment
from mailguard.sources.files import NotRead
from mailguard.trust.grade import Trust
from mailguard.worker.handling import Handled, MailOutcome
from mailguard.worker.reasons import sentence_of

Document = dict[str, Any]

WHY_NOT_READ: Final = {
    "missing": Sentence("This file is not there any more."),
    "forbidden": Sentence("This file may not be read by you."),
    "unreadable": Sentence("This file could not be read from the disk."),
    "empty": Sentence("This file is empty."),
    "unknown": Sentence("This is neither a mail nor a report."),
    "outlook": Sentence(
        "This is a mail in Outlook's own form (.msg), which is not read: save it as .eml, or forward it as an "
        "attachment."
    ),
    "too-big": Sentence("This is bigger than any mail that is read."),
    "too-deep": Sentence("This folder lies too deep in others; name it to read it."),
    "too-many": Sentence("There is too much here for one go; what follows was not looked at."),
    "leads-outside": Sentence("This link leads out of the folder; name its target to read it."),
    "no-file": Sentence("This is no file."),
}

_NOT_OURS: Final = ("empty", "unknown", "no-file")


def from_handled(handled: Handled) -> Document:
    """A mail that was handled. Sentences stay ``Sentence``, so that they can be told in the reader's language."""
    contents = handled.contents
    return {
        "source": handled.mail.origin,
        "kind": str(contents.kind) if contents else "none",
        "reports": _reports(contents, handled) if contents else [],
        "outcome": str(handled.outcome),
        "reason": sentence_of(handled.reason) if handled.reason else None,
    }


def from_not_read(found: NotRead) -> Document:
    """Something that was no mail, or could not be had."""
    outcome = MailOutcome.IGNORED if found.reason in _NOT_OURS else MailOutcome.QUARANTINED
    reason = WHY_NOT_READ.get(found.reason, Sentence("This could not be read ({word}).", word=found.reason))
    return {"source": found.origin, "kind": "none", "reports": [], "outcome": str(outcome), "reason": reason}


def _reports(contents: MailContents, handled: Handled) -> list[Document]:
    aggregate = zip_longest(contents.reports, handled.trusts[: len(contents.reports)])
    tls = zip_longest(contents.tls_reports, handled.tls_trusts[: len(contents.tls_reports)])
    return [*(_aggregate(*one) for one in aggregate), *(_tls(*one) for one in tls)]


def _aggregate(report: AggregateReport, trust: Trust | None) -> Document:
    return {
        "org_name": report.org_name,
        "report_id": report.report_id,
        "policy_domain": report.policy.domain,
        **_common(report),
        "trust": _trust(trust),
    }


def _tls(report: TlsReport, trust: Trust | None) -> Document:
    return {
        "org_name": report.organization,
        "report_id": report.report_id,
        "policy_domain": ", ".join(dict.fromkeys(policy.domain for policy in report.policies)),
        **_common(report),
        "trust": _trust(trust),
    }


def _trust(trust: Trust | None) -> Document | None:
    if trust is None:
        return None
    return {"grade": str(trust.grade), "domain": trust.domain, "reasons": list(trust.reasons)}


def _common(report: AggregateReport | TlsReport) -> Document:
    return {
        "begin": moment(report.begin),
        "end": moment(report.end),
        "records_read": report.read,
        "records_kept": report.kept,
        "repaired": report.repaired,
        "dropped": report.dropped,
        "defects": [defect_document(defect) for defect in report.defects],
    }
