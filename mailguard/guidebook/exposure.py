"""What staff should know of the audited domain: does fake mail in exactly this address arrive? In no language."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

Document = dict[str, Any]

_SHARED_DOMAIN: Final = "ADDR001"


class Exposure(StrEnum):
    """One word on the verdicts of an audit."""

    OPEN = "open"  # it can arrive
    JUNK = "junk"  # receivers that honour DMARC put it into the junk folder
    CLOSED = "closed"  # receivers that honour DMARC refuse it
    BELOW = "below"  # so it is, but not for names below the domain
    UNKNOWN = "unknown"  # a deciding question was not answered
    SHARED = "shared"  # the domain belongs to a provider and is used by many


def judge_exposure(document: Document) -> Exposure:
    """The exposure of an audited domain, from the published document. Nothing unseen counts as protected."""
    if any(finding["rule"] == _SHARED_DOMAIN for finding in document["findings"]):
        return Exposure.SHARED
    spoofable = document["spoofable"]
    domain, below = spoofable["domain"], (spoofable["subdomain"], spoofable["nonexistent_subdomain"])
    if domain == "yes":
        return Exposure.OPEN
    if domain == "unknown":
        return Exposure.UNKNOWN
    if "yes" in below:
        return Exposure.BELOW
    return Exposure.JUNK if domain == "partly" else Exposure.CLOSED
