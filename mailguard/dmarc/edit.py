"""Corrected record texts: what to publish instead, as a rule at ``_dmarc.<policy domain>``.

Only texts are made here. Whether one may be pasted as it is, is decided after it has been audited again; a text that
asks receivers for more than before is recognised by :func:`tightens` and always needs the owner's decision.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Final

from mailguard.dmarc.destination import Reason
from mailguard.dmarc.discovery import Place, requested
from mailguard.dmarc.legacy import requested_by_legacy
from mailguard.dmarc.nearmiss import meant
from mailguard.dmarc.record import KNOWN_TAGS, OBSOLETE_TAGS, Mode, Policy, Record, format_record, parse_record
from mailguard.dmarc.survey import DmarcSurvey
from mailguard.dmarc.uri import ReportUri, UriFlaw
from mailguard.names import DomainName

REPORT_MAILBOX: Final = "dmarc-reports"
"""Local part that we propose for a report address; the mailbox has to be made first."""


def canonical(record: Record) -> str:
    """The record with every tag once, names in lower case, ``v`` and ``p`` first, and nothing unreadable."""
    return rewrite(record)


def rewrite(record: Record, changes: Mapping[str, str] | None = None, remove: Iterable[str] = ()) -> str:
    """The canonical form with some tags set and others left out. Of a tag given twice the value that counts stays."""
    tags: dict[str, str] = {}
    for tag in record.tags:
        tags.setdefault(tag.key, tag.value)
    for key, policy in (("p", record.p), ("sp", record.sp), ("np", record.np)):
        if policy:
            tags[key] = policy.value
    tags.update(changes or {})
    gone = {*remove, *(key for key, value in tags.items() if not value)}
    order = (*KNOWN_TAGS, *(key for key in tags if key not in KNOWN_TAGS))
    return format_record((key, tags[key]) for key in order if key in tags and key not in gone)


def corrected(text: str) -> str | None:
    """The record that a near miss was meant to be; ``None`` where that cannot be told."""
    plain = " ".join(meant(text).split())
    version = re.search(r"v\s*[=:]\s*dmarc\s*[0-9.]*", plain, re.IGNORECASE)
    rest = plain if version is None else plain[: version.start()] + ";" + plain[version.end() :]
    if version is not None and not re.match(r"\s*;", plain[version.end() :]):
        rest = re.sub(r"[,:]?\s+(?=(?:p|sp|np|rua|ruf|adkim|aspf|fo|pct|t|psd)\s*=)", "; ", rest)
    words = [part.strip(" \t,") for part in rest.split(";")]
    record = parse_record("v=DMARC1; " + "; ".join(word for word in words if "=" in word))
    return canonical(record) if record and record.p else None


def tightens(before: str | None, after: str) -> bool:
    """Whether ``after`` asks any receiver, of RFC 9989 or RFC 7489, to be stricter anywhere than ``before`` did.

    ``None``, and a text that is no record, ask for nothing. Strict alignment where there was relaxed counts too.
    """
    old = parse_record(before) if before is not None else None
    new = parse_record(after)
    if new is None:
        return False
    if any(_rank(new, place) > _rank(old, place) for place in Place):
        return True
    if any(_legacy_rank(new, sub) > _legacy_rank(old, sub) for sub in (False, True)):
        return True
    was_strict = (old.adkim is Mode.STRICT, old.aspf is Mode.STRICT) if old else (False, False)
    now_strict = (new.adkim is Mode.STRICT, new.aspf is Mode.STRICT)
    return any(now and not was for was, now in zip(was_strict, now_strict, strict=True))


def _rank(record: Record | None, place: Place) -> int:
    policy = requested(record, place) if record else None
    return policy.rank if policy else 0


def _legacy_rank(record: Record | None, is_subdomain: bool) -> float:
    policy = requested_by_legacy(record, is_subdomain) if record else None
    if record is None or policy is None or policy is Policy.NONE:
        return 0
    # A sample lies between the policy and the next milder one, which the rest of the mail gets.
    sampled = record.pct if record.pct else 100
    return policy.rank - 1 + sampled / 100


def propose(rule_id: str, survey: DmarcSurvey) -> str | None:
    """The corrected record for a finding of ``rule_id``; ``None`` where none can be derived from what was published.

    :func:`place` says where it belongs.
    """
    proposal = _PROPOSALS.get(rule_id)
    return proposal(survey) if proposal else None


def place(rule_id: str, survey: DmarcSurvey) -> DomainName:
    """The domain at whose ``_dmarc`` the text of :func:`propose` belongs.

    As a rule that of the record that counts, which may be inherited. What was meant for the audited domain itself
    belongs there even then.
    """
    if rule_id == "DMARC002" and survey.crowded:
        return survey.crowded.domain
    if rule_id in _AT_THE_DOMAIN_ITSELF:
        return survey.domain
    return survey.policy_domain or survey.domain


_AT_THE_DOMAIN_ITSELF: Final = frozenset({"DMARC001", *(f"DMARC{number:03}" for number in range(8, 18))})
"""No record, near misses, a record at the wrong name, an alias that leads nowhere."""


Proposal = Callable[[DmarcSurvey], str | None]


def _first_record(survey: DmarcSurvey) -> str | None:
    return format_record((("v", "DMARC1"), ("p", "none"), ("rua", report_address(survey.domain))))


def _report_address(survey: DmarcSurvey) -> str:
    return report_address(survey.policy_domain or survey.domain)


def _if_identical(survey: DmarcSurvey) -> str | None:
    crowded = survey.crowded
    texts = {canonical(record) for record in map(parse_record, crowded.records) if record} if crowded else set()
    return texts.pop() if len(texts) == 1 else None


def _from_near_miss(survey: DmarcSurvey) -> str | None:
    return corrected(survey.near_misses[0]) if survey.near_misses else None


def _from_wrong_place(survey: DmarcSurvey) -> str | None:
    record = parse_record(survey.misplaced[0].text) if survey.misplaced else None
    return canonical(record) if record else None


def _edit(change: Callable[[DmarcSurvey, Record], str | None]) -> Proposal:
    """A proposal that starts from the record that counts."""

    def proposal(survey: DmarcSurvey) -> str | None:
        return change(survey, survey.record) if survey.record else None

    return proposal


def _without(*keys: str) -> Proposal:
    return _edit(lambda _, record: rewrite(record, remove=keys))


def _with(**changes: str) -> Proposal:
    return _edit(lambda _, record: rewrite(record, changes))


def _with_readable_policy(_: DmarcSurvey, record: Record) -> str:
    published = (record.value("p") or "").lower()
    close = get_close_matches(published, [policy.value for policy in Policy], n=1)
    return rewrite(record, {"p": close[0] if close else Policy.NONE.value})


def _with_reports(survey: DmarcSurvey, record: Record) -> str:
    return rewrite(record, {"rua": _report_address(survey)})


def _with_known_names(_: DmarcSurvey, record: Record) -> str:
    strange = [tag for tag in record.tags if tag.key not in (*KNOWN_TAGS, *OBSOLETE_TAGS)]
    changes = {}
    for tag in strange:
        close = get_close_matches(tag.key, [key for key in KNOWN_TAGS if len(key) > 2 and not record.has(key)], n=1)
        if close:
            changes[close[0]] = tag.value
    return rewrite(record, changes, [tag.key for tag in strange])


def _with_uris(fix: Callable[[tuple[ReportUri, ...]], Iterable[str]]) -> Proposal:
    """A proposal that rewrites every destination; a tag whose last destination goes, goes too."""

    def change(_: DmarcSurvey, record: Record) -> str:
        tags = {"rua": record.rua, "ruf": record.ruf}
        return rewrite(record, {key: ",".join(fix(uris)) for key, uris in tags.items() if uris})

    return _edit(change)


def _with_scheme(uris: tuple[ReportUri, ...]) -> Iterable[str]:
    for uri in uris:
        bare = uri.flaw is UriFlaw.NO_SCHEME and "@" in uri.text
        yield f"mailto:{uri.text}" if bare else uri.text


def _escaped(uris: tuple[ReportUri, ...]) -> Iterable[str]:
    waiting = ""
    for uri in uris:
        text = uri.text.replace("!", "%21")
        if waiting:
            yield f"{waiting}%2C{text}"
            waiting = ""
        elif uri.flaw is UriFlaw.BAD_ADDRESS and "@" not in uri.text:
            waiting = text
        else:
            yield text
    if waiting:
        yield waiting


def _only_valid(uris: tuple[ReportUri, ...]) -> Iterable[str]:
    return (uri.text for uri in uris if uri.valid)


def _only_usable(uris: tuple[ReportUri, ...]) -> Iterable[str]:
    return (uri.text for uri in uris if uri.usable)


def _without_limits(uris: tuple[ReportUri, ...]) -> Iterable[str]:
    return (uri.text for uri in uris)


def _without_refused_failure_reports(survey: DmarcSurvey, record: Record) -> str:
    refused = {d.uri for d in survey.destinations if d.kind == "ruf" and d.reason is Reason.UNCONFIRMED}
    left = ",".join(uri.text for uri in record.ruf if uri not in refused)
    return rewrite(record, {"ruf": left}, () if left else ("fo",))


def _as_organization(survey: DmarcSurvey) -> str | None:
    return rewrite(survey.record, {"psd": "n"}) if survey.record and not survey.inherited else None


def without_mail(own: Record | None, address: str = "") -> str:
    """The record of a domain that sends nothing, whatever stands there now.

    It says reject at once: watching first is for mail of one's own that might be stopped (RFC 9989 section 7.4), and
    here is none. Destinations that a report can be mailed to stay; ``address`` is asked where there is none.
    """
    tags = {"v": "DMARC1", "p": "reject", "sp": "reject", "np": "reject", "adkim": "s", "aspf": "s"}
    tags["rua"] = ",".join(_only_usable(own.rua)) if own else ""
    tags["rua"] = tags["rua"] or address
    if own and (failures := ",".join(_only_usable(own.ruf))):
        tags["ruf"] = failures
        tags["fo"] = "" if own.problems_of("fo") else own.value("fo") or ""
    return format_record((key, value) for key, value in tags.items() if value)


def report_address(domain: DomainName) -> str:
    """The destination that we propose where a domain can receive mail."""
    return f"mailto:{REPORT_MAILBOX}@{domain}"


def _for_no_mail(survey: DmarcSurvey, record: Record) -> str:
    return without_mail(record, _report_address(survey))


_PROPOSALS: Final[Mapping[str, Proposal]] = {
    "DMARC001": _first_record,
    "DMARC002": _if_identical,
    "DMARC003": _without("sp"),
    "DMARC004": _without("np"),
    "DMARC005": _edit(_with_readable_policy),
    "DMARC006": _with(p="none"),
    "DMARC007": _with(p="none"),
    **dict.fromkeys((f"DMARC{number:03}" for number in range(8, 16)), _from_near_miss),
    "DMARC016": _from_wrong_place,
    "DMARC017": _first_record,
    "DMARC019": _edit(_with_reports),
    "DMARC020": _with(p="quarantine"),
    "DMARC021": _without("t"),
    "DMARC022": _without("pct"),
    "DMARC023": _with(t="y"),
    "DMARC024": _without("pct"),
    "DMARC025": _without("rf", "ri"),
    "DMARC026": _without("sp"),
    "DMARC027": _without("np"),
    "DMARC028": _without("sp", "np"),
    "DMARC029": _without("sp", "np"),
    "DMARC030": _without("psd"),
    "DMARC031": _as_organization,
    "DMARC033": _edit(lambda _, record: canonical(record)),
    "DMARC034": _edit(lambda _, record: canonical(record)),
    "DMARC035": _edit(lambda _, record: canonical(record)),
    "DMARC036": _edit(
        lambda _, record: rewrite(record, remove=[k for k in ("adkim", "aspf", "t", "psd") if record.problems_of(k)])
    ),
    "DMARC037": _without("fo"),
    "DMARC038": _edit(lambda _, record: canonical(record)),
    "DMARC039": _edit(lambda _, record: canonical(record)),
    "DMARC040": _edit(_with_known_names),
    "DMARC041": _edit(_with_reports),
    "DMARC042": _with_uris(_with_scheme),
    "DMARC043": _with_uris(_escaped),
    "DMARC044": _with_uris(_only_valid),
    "DMARC045": _with_uris(_only_usable),
    "DMARC047": _with_uris(_without_limits),
    "DMARC051": _without("ruf", "fo"),
    "DMARC052": _edit(_without_refused_failure_reports),
    "DMARC053": _without("fo"),
    "DMARC056": _with(p="quarantine"),
    "DMARC057": _with(p="reject"),
    "DMARC060": _edit(_for_no_mail),
}
