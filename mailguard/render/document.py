"""An audit as the published JSON document (``schema/audit-1.schema.json``)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

from mailguard import __version__
from mailguard.audit import Audit
from mailguard.dmarc.discovery import Effective
from mailguard.dmarc.legacy import is_public_suffix
from mailguard.inquiry import Answer, Status
from mailguard.policy.judgement import Judged
from mailguard.policy.programme import Row
from mailguard.remedy.fix import Fix, FixRecord, split_strings
from mailguard.second_opinion import Opinion
from mailguard.second_opinion.categories import explain
from mailguard.second_opinion.compare import compare
from mailguard.spf.expansion import BranchStatus
from mailguard.spf.survey import SpfSurvey
from mailguard.survey import Survey

SCHEMA: Final = "mailguard-audit/1"

Document = dict[str, Any]

_MAX_LEFT_OUT: Final = 50
"""Records of a too large SPF tree that are named; a hostile tree has no end of them."""


def to_document(audit: Audit) -> Document:
    """The whole of an audit as plain values, ready for JSON."""
    survey, expectation = audit.dossier.survey, audit.dossier.expectation
    fixes = {rule: fix for fix in reversed(audit.fixes) for rule in fix.rules}
    document: Document = {
        "schema": SCHEMA,
        "domain": str(survey.domain),
        "domain_unicode": survey.domain.unicode,
        "as_of": format_time(audit.dossier.as_of),
        "mailguard": __version__,
        "policy": audit.plan.policy.id,
        "organizational_domain": _or_none(survey.dmarc.organizational_domain),
        "spoofable": _spoofable(audit),
        "spf": _spf(audit),
        "dmarc": _dmarc(audit),
        "dkim": _dkim(audit),
        "mx": {"status": survey.zone.mx_status, "hosts": [str(host) for host in survey.zone.mx_hosts]},
        "parked": {"status": audit.parking.status},
        "providers": [{"id": one.provider.id, "role": one.layer} for one in survey.providers],
        "programmes": [_programme(row) for row in audit.programmes],
        "expectation": {
            "mailing_lists": expectation.mailing_lists,
            "sends": expectation.sends,
            "receives": expectation.receives,
        },
        "findings": [_finding(judged, fixes) for judged in audit.findings],
    }
    if audit.opinion is not None:
        document["second_opinion"] = _opinion(audit.opinion, survey)
    document["unanswered"] = [
        *(_unanswered(answer) for answer in audit.answers if answer.unanswered),
        *_left_out(survey.spf),
    ]
    document["questions"] = sum(map(_was_asked, audit.evidence.answers))
    document["answered_by"] = sorted({answer.server for answer in audit.evidence.answers if answer.server})
    document["public_suffix"] = is_public_suffix(survey.domain)
    document["dnssec"] = _dnssec(audit.answers)
    document["duration_s"] = round(audit.duration_s, 3)
    return document


def format_time(moment: datetime) -> str:
    """A moment in UTC to the second, ISO 8601."""
    return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def _or_none(value: object) -> str | None:
    return None if value is None else str(value)


def _spoofable(audit: Audit) -> Document:
    verdict = audit.spoofable
    return {
        "domain": verdict.domain,
        "subdomain": verdict.subdomain,
        "nonexistent_subdomain": verdict.nonexistent_subdomain,
        "reasons": {
            "domain": verdict.because_domain,
            "subdomain": verdict.because_subdomain,
            "nonexistent_subdomain": verdict.because_nonexistent_subdomain,
        },
    }


def _spf(audit: Audit) -> Document:
    spf = audit.dossier.survey.spf
    return {
        "status": spf.outcome,
        "record": spf.text,
        "lookups": spf.lookups,
        "void_lookups": spf.void_lookups,
        "all": f"{spf.all}all" if spf.all else None,
    }


def _dmarc(audit: Audit) -> Document:
    dmarc = audit.dossier.survey.dmarc
    return {
        "status": dmarc.status,
        "record": dmarc.record.text if dmarc.record else None,
        "policy_domain": _or_none(dmarc.policy_domain),
        "effective_policy": _policies(dmarc.effective),
        "legacy_policy": _policies(dmarc.legacy.effective),
        "testing": dmarc.testing,
        "destinations": [
            {"uri": destination.uri.text, "kind": destination.kind, "status": destination.status}
            for destination in dmarc.destinations
        ],
    }


def _policies(effective: Effective) -> Document:
    return {
        "domain": effective.domain,
        "subdomain": effective.subdomain,
        "nonexistent_subdomain": effective.nonexistent_subdomain,
    }


def _dkim(audit: Audit) -> Document:
    dkim = audit.dossier.survey.dkim
    return {
        "status": dkim.status,
        "selectors": [
            {
                "selector": facts.selector,
                "origin": facts.origin,
                "status": facts.status,
                "key_type": facts.key.key_type if facts.key else None,
                "bits": facts.key.bits if facts.key else None,
            }
            for facts in dkim.told
        ],
    }


def _finding(judged: Judged, fixes: dict[str, Fix]) -> Document:
    finding, rule = judged.finding, judged.finding.rule
    fix = fixes.get(rule.id)
    return {
        "rule": rule.id,
        "name": rule.name,
        "severity": judged.severity,
        "confidence": rule.confidence,
        "cites": list(rule.cites),
        "at": str(finding.at),
        "facts": {key: list(fact) if isinstance(fact, tuple) else fact for key, fact in finding.facts.items()},
        "seen_in": [str(question) for question in finding.seen_in],
        "waived": _waiver(judged),
        "fix": _fix(fix) if fix else None,
    }


def _waiver(judged: Judged) -> Document | None:
    if judged.waiver is None:
        return None
    waiver = judged.waiver
    return {"reason": waiver.reason, "until": waiver.until.isoformat(), "expired": not judged.waived}


def _fix(fix: Fix) -> Document:
    return {
        "rules": list(fix.rules),
        "records": [_record(record) for record in fix.records],
        "readiness": fix.readiness,
        "reasons": list(fix.reasons),
    }


def _record(record: FixRecord) -> Document:
    split = [list(split_strings(value)) if record.rrtype == "TXT" else [value] for value in record.after]
    return {
        "name": str(record.name),
        "type": record.rrtype,
        "before": list(record.before),
        "after": list(record.after),
        "split": split,
    }


def _left_out(spf: SpfSurvey) -> Iterator[Document]:
    """Records of an SPF tree too large to read whole (``expansion.MAX_QUESTIONS``): nobody asked for them."""
    asked = {answer.question.name for answer in spf.answers() if not answer.unanswered}
    names = (branch.target for branch in spf.branches() if branch.status is BranchStatus.NOT_ASKED)
    for name in islice(dict.fromkeys(name for name in names if name and name not in asked), _MAX_LEFT_OUT):
        yield {"name": str(name), "type": "TXT", "status": Status.NOT_ASKED, "note": "spf-tree"}


def _unanswered(answer: Answer) -> Document:
    question = answer.question
    return {"name": str(question.name), "type": question.rrtype, "status": answer.status, "note": answer.note}


def _was_asked(answer: Answer) -> bool:
    """Whether a question was sent. One that met an alias was, even if what the alias points to was not asked then."""
    return answer.status is not Status.NOT_ASKED or bool(answer.aliases)


def _dnssec(answers: Iterable[Answer]) -> Document:
    """How many answers the resolver had validated. One that does not validate never says so, nor that it does not."""
    answered = [answer for answer in answers if not answer.unanswered]
    return {"answers": len(answered), "validated": sum(answer.authenticated for answer in answered)}


def _programme(row: Row) -> Document:
    requirement = row.requirement
    return {
        "programme": row.programme.name or row.programme.id,
        "requirement": requirement.id,
        "status": row.status,
        "strength": requirement.strength,
        "clause": requirement.clause,
        "title": {"ja": requirement.title.ja, "en": requirement.title.en},
        "source": requirement.source.title,
        "read_on": requirement.source.read_on.isoformat(),
        "evidence": requirement.source.standing,
    }


def _opinion(opinion: Opinion, survey: Survey) -> Document:
    return {
        "by": "checkdmarc",
        "version": opinion.version,
        "spf": {"valid": opinion.spf.valid, "record": opinion.spf.record, "error": opinion.spf.error},
        "dmarc": {"valid": opinion.dmarc.valid, "record": opinion.dmarc.record, "error": opinion.dmarc.error},
        "mx": {"valid": opinion.mx.valid, "error": opinion.mx.error},
        "disagreements": [
            {
                "aspect": difference.aspect,
                "category": difference.category,
                "ours": difference.ours,
                "theirs": difference.theirs,
                "explanation": {language: explain(difference.category, language) for language in ("ja", "en")},
            }
            for difference in compare(survey, opinion)
        ],
    }
