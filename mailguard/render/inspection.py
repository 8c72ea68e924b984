"""What a mail or report file is: the document of ``mailguard inspect``, and the same in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from itertools import chain, repeat
from typing import Any, Final

from mailguard.errors import Sentence
from mailguard.feedback.limits import Limits
from mailguard.feedback.mail import MailContents
from mailguard.feedback.report import AggregateReport, Defect, FailureReport, TlsReport
from mailguard.render.moments import moment
from mailguard.render.safe import visible
from mailguard.render.trusting import (
    Looked,
    grade_in_words,
    reasons_in_words,
    sender_document,
    sender_in_words,
    trust_document,
)
from mailguard.trust.grade import UNVERIFIED, Trust
from mailguard.trust.proof import Authentication
from mailguard.words import Translator, translator

Document = dict[str, Any]

_STOPPED: Final = ("quarantine", "reject")
_MOST_DEFECTS: Final = 10

_KINDS: Final = {
    "aggregate": Sentence("DMARC aggregate report: how a receiver judged mail in the name of a domain"),
    "tls": Sentence("TLS report: how well mail to a domain could be encrypted on its way"),
    "failure": Sentence("DMARC failure report: about single mails that failed; it can hold their contents"),
    "mixed": Sentence("reports of several kinds"),
    "none": Sentence("no report"),
}
_DEFECTS: Final = {
    "not-well-formed": Sentence("not written correctly; read as far as it makes sense"),
    "cut-short": Sentence("damaged, or ends too early"),
    "undecodable": Sentence("holds bytes that are no text"),
    "missing": Sentence("is missing"),
    "unusable": Sentence("makes no sense"),
    "bent": Sentence("understood, but not written as the standard wants it"),
    "too-long": Sentence("too long; shortened"),
    "too-many": Sentence("too many; the others were not read"),
}
_REASONS: Final = {
    "empty": Sentence("it is empty"),
    "damaged": Sentence("it is damaged"),
    "unknown": Sentence("it is neither a mail nor a report"),
    "not-a-report": Sentence("its name or type is that of a report, but it is none"),
    "no-policy-domain": Sentence("it does not say which domain it is about"),
    "no-date-range": Sentence("it does not say which days it is about"),
    "doctype": Sentence("it holds a document type, which no report does and attacks do"),
    "encrypted": Sentence("it is encrypted"),
    "empty-archive": Sentence("the archive is empty"),
    "damaged-archive": Sentence("the archive is damaged"),
    "archive-kind": Sentence("this kind of archive is not opened; gzip and zip are"),
    "nested": Sentence("it is packed more than twice"),
    "tnef": Sentence("Outlook packed it in a way of its own (winmail.dat)"),
    "outlook": Sentence("it is a mail in Outlook's own form (.msg); save it as .eml, or forward it as an attachment"),
    "zip-method": Sentence("the zip is packed in a way that is not read; pack its files again as a plain zip"),
    "external-body": Sentence("the mail only says where the file lies"),
    "partial": Sentence("it is only one part of a mail sent in parts"),
}
_BOUND: Final = Sentence("it goes beyond a bound ({bound}), as attacks do")
_UNKNOWN_REASON: Final = Sentence("it could not be opened ({word})")
_NO_BOUNDS: Final = ("records", "count", "text_chars", "defects", "ratio_free_bytes")  # these never refuse a file
_WORDS_OF_BOUNDS: Final = frozenset(field.name for field in fields(Limits)) - frozenset(_NO_BOUNDS)

_NO_TRUST: Final = trust_document(UNVERIFIED, Looked.NOT_CHECKED)


def why_unreadable(word: str) -> Sentence:
    """The reason of an ``Unreadable`` in plain words."""
    if word in _WORDS_OF_BOUNDS:
        return Sentence(_BOUND, bound=word)
    return _REASONS.get(word, Sentence(_UNKNOWN_REASON, word=word))


def inspection(
    source: str,
    size: int,
    contents: MailContents,
    looked: Looked = Looked.NOT_CHECKED,
    proof: Authentication | None = None,
    trusts: Iterable[Trust] = (),
) -> Document:
    """The document. ``trusts``: one for each aggregate report, then for each TLS report and each failure report."""
    trust = chain((trust_document(one, looked) for one in trusts), repeat(_NO_TRUST))
    return {
        "source": source,
        "bytes": size,
        "kind": str(contents.kind),
        "sender": sender_document(looked, proof),
        "reports": [{**_aggregate(report), "trust": next(trust)} for report in contents.reports],
        "tls_reports": [{**_tls(report), "trust": next(trust)} for report in contents.tls_reports],
        "failure_reports": [{**_failure(report), "trust": next(trust)} for report in contents.failure_reports],
        "not_read": [{"place": file.place, "kind": str(file.kind)} for file in contents.ignored],
        "unreadable": [{"place": file.place, "reason": file.reason} for file in contents.unreadable],
    }


def _aggregate(report: AggregateReport) -> Document:
    records = report.records
    return {
        "place": report.place,
        "org_name": report.org_name,
        "email": report.email,
        "report_id": report.report_id,
        "policy_domain": report.policy.domain,
        "policy": {"p": report.policy.p, "sp": report.policy.sp, "np": report.policy.np},
        **_counts(report),
        "messages": sum(record.count for record in records),
        "messages_passed": sum(record.count for record in records if record.said.passes),
        "messages_stopped": sum(record.count for record in records if record.said.disposition in _STOPPED),
    }


def _tls(report: TlsReport) -> Document:
    return {
        "place": report.place,
        "org_name": report.organization,
        "contact": report.contact,
        "report_id": report.report_id,
        **_counts(report),
        "policies": [
            {
                "type": policy.type,
                "domain": policy.domain,
                "successful": policy.successful,
                "failed": policy.failed,
                "failures": [
                    {
                        "result_type": failure.result_type,
                        "mx": failure.receiving_mx_hostname,
                        "sessions": failure.sessions,
                    }
                    for failure in policy.failures
                ],
            }
            for policy in report.policies
        ],
    }


def _counts(report: AggregateReport | TlsReport) -> Document:
    return {
        "begin": moment(report.begin),
        "end": moment(report.end),
        "records_read": report.read,
        "records_kept": report.kept,
        "repaired": report.repaired,
        "dropped": report.dropped,
        "defects": [defect_document(defect) for defect in report.defects],
        "defects_omitted": report.defects_omitted,
    }


def _failure(report: FailureReport) -> Document:
    return {
        "place": report.place,
        "feedback_type": report.feedback_type,
        "auth_failure": report.auth_failure,
        "reported_domain": report.reported_domain,
        "mail_from_domain": report.mail_from_domain,
        "dkim_domain": report.dkim_domain,
        "source_ip": report.source_ip,
        "arrival": None if report.arrival is None else moment(report.arrival),
        "defects": [defect_document(defect) for defect in report.defects],
    }


def defect_document(defect: Defect) -> Document:
    """One thing wrong with a report; ``detail`` is what a stranger wrote."""
    return {"kind": str(defect.kind), "place": defect.place, "detail": defect.detail}


def title_in_words(org_name: str, domain: str, say: Translator) -> str:
    """Who reports about whom."""
    org = visible(org_name) or say("somebody without a name")
    return say("{org} about {domain}").format(org=org, domain=visible(domain) or "-")


def period_in_words(report: Document, say: Translator) -> str:
    """The days of a report: a single date where it is about exactly one day (UTC)."""
    begin, end = report["begin"], report["end"]
    if begin.endswith("T00:00:00Z") and end == begin.replace("T00:00:00Z", "T23:59:59Z"):
        return str(begin[:10])
    told = say("{begin} to {end} UTC")
    return told.format(begin=_minutes(begin), end=_minutes(end))


def _minutes(time: str) -> str:
    return time[:16].replace("T", " ")


def in_words(document: Document, language: str) -> str:
    """The document for a person. What strangers wrote is shown, never obeyed."""
    return "\n".join(_Words(translator(language)).lines(document))


class _Words:
    def __init__(self, say: Translator) -> None:
        self._say = say

    def lines(self, document: Document) -> Iterator[str]:
        yield f"{visible(document['source'])}: {_KINDS[document['kind']].told(self._say)}"
        if document["reports"] or document["tls_reports"] or document["failure_reports"]:
            yield from ("  " + line for line in sender_in_words(document["sender"], self._say))
        for report in document["reports"]:
            yield from self._aggregate(report)
        for report in document["tls_reports"]:
            yield from self._tls(report)
        for report in document["failure_reports"]:
            yield from self._failure(report)
        for file in document["not_read"]:
            yield ""
            yield "  " + self._say("Not read: {place}. It can hold mail of patients.").format(
                place=visible(file["place"])
            )
        if document["unreadable"]:
            yield ""
        for file in document["unreadable"]:
            place = visible(file["place"]) or self._say("this mail")
            reason = why_unreadable(file["reason"]).told(self._say)
            yield "  " + self._say("Could not be read: {place}: {reason}.").format(place=place, reason=reason)

    def _aggregate(self, report: Document) -> Iterator[str]:
        say = self._say
        yield from self._title(report, report["policy_domain"])
        yield self._fact(
            say("policy found"), "; ".join(f"{k}={visible(v)}" for k, v in report["policy"].items() if v) or "-"
        )
        yield self._fact(say("records"), self._kept(report))
        messages = say("{messages}, of these {passed} passed DMARC and {stopped} were quarantined or rejected")
        yield self._fact(
            say("messages"),
            messages.format(
                messages=report["messages"], passed=report["messages_passed"], stopped=report["messages_stopped"]
            ),
        )
        yield from self._end(report)

    def _tls(self, report: Document) -> Iterator[str]:
        say = self._say
        yield from self._title(report, ", ".join(dict.fromkeys(policy["domain"] for policy in report["policies"])))
        yield self._fact(say("policies"), self._kept(report))
        for policy in report["policies"]:
            line = say("{domain} ({type}): {successful} sessions succeeded, {failed} failed").format(
                domain=visible(policy["domain"]),
                type=visible(policy["type"]) or "-",
                successful=self._number(policy["successful"]),
                failed=self._number(policy["failed"]),
            )
            yield "    " + line
            for failure in policy["failures"][:_MOST_DEFECTS]:
                words = (failure["result_type"], failure["mx"], self._number(failure["sessions"]))
                yield "      - " + " ".join(visible(word) for word in words if word)
        yield from self._end(report)

    def _failure(self, report: Document) -> Iterator[str]:
        say = self._say
        yield ""
        yield "  " + (visible(report["reported_domain"]) or say("domain not told"))
        yield self._fact(say("failed check"), visible(report["auth_failure"]) or "-")
        yield self._fact(say("source"), visible(report["source_ip"]) or "-")
        yield self._fact(say("arrival"), report["arrival"] or "-")
        yield from self._end({"defects_omitted": 0, **report})

    def _title(self, report: Document, domain: str) -> Iterator[str]:
        say = self._say
        yield ""
        yield f"  {title_in_words(report['org_name'], domain, say)}"
        yield self._fact(say("file"), visible(report["place"]) or "-")
        yield self._fact(say("report id"), visible(report["report_id"]) or "-")
        yield self._fact(say("period"), period_in_words(report, say))

    def _kept(self, report: Document) -> str:
        return self._say("{read} read, {kept} kept ({repaired} repaired), {dropped} dropped").format(
            read=report["records_read"],
            kept=report["records_kept"],
            repaired=report["repaired"],
            dropped=report["dropped"],
        )

    def _end(self, report: Document) -> Iterator[str]:
        say = self._say
        defects = report["defects"]
        yield self._fact(say("defects"), str(len(defects) + report["defects_omitted"]) if defects else say("none"))
        for defect in defects[:_MOST_DEFECTS]:
            detail = f" ({visible(defect['detail'])})" if defect["detail"] else ""
            place = visible(defect["place"]) or say("the file")
            yield f"      - {place}: {_DEFECTS[defect['kind']].told(say)}{detail}"
        if len(defects) + report["defects_omitted"] > _MOST_DEFECTS:
            yield "      - ..."
        yield self._fact(say("trust"), grade_in_words(report["trust"], say))
        yield from (f"      - {reason}" for reason in reasons_in_words(report["trust"], say))

    def _fact(self, name: str, value: str) -> str:
        return f"    {name}: {value}"

    def _number(self, number: int | None) -> str:
        return self._say("not told") if number is None else str(number)
