"""What can be read off a document without judging anew."""

from __future__ import annotations

from typing import Any

from mailguard.render.phrases import SCOPES

Document = dict[str, Any]


def is_waived(finding: Document) -> bool:
    """Whether a waiver that has not ended covers the finding."""
    waived = finding["waived"]
    return waived is not None and not waived["expired"]


def wants_mailing_lists(document: Document) -> bool:
    """Whether the aim for a domain with mail depends on mailing lists, and no finding (DMARC058) asks about them.

    A domain that does not exist (ZONE001) or that belongs to many has no people to ask about.
    """
    expectation = document["expectation"]
    has_mail = document["parked"]["status"] == "not_parked" and expectation["sends"] is not False
    settled = any(finding["rule"] in ("DMARC058", "ZONE001") for finding in document["findings"])
    if settled or document.get("public_suffix"):
        return False
    return expectation["mailing_lists"] == "unset" and has_mail and not is_undecided(document)


def is_undecided(document: Document) -> bool:
    """Whether a deciding fact is missing: SPF, DMARC, DKIM, a policy, or one of the three answers on page one."""
    return (
        any(document[part]["status"] == "unanswered" for part in ("spf", "dmarc", "dkim"))
        or any(document["spoofable"][scope] == "unknown" for scope in SCOPES)
        or any(document["dmarc"]["effective_policy"][scope] == "unanswered" for scope in SCOPES)
    )


def has_rival_decisions(document: Document) -> bool:
    """Whether two decisions that are offered would each write the same record anew, so that only one can be taken."""
    fixes = {repr(finding["fix"]): finding["fix"] for finding in document["findings"] if finding["fix"]}
    places = [
        (record["name"], record["type"])
        for fix in fixes.values()
        if fix["readiness"] == "needs-your-decision"
        for record in fix["records"]
    ]
    return len(places) > len(set(places))
