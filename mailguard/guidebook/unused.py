"""Domains that send nothing: their records refuse everything at once, and nothing is watched first. In no language.

The words are those of ``zone.parked.is_without_mail``, read from the published document, so that parts, plan and fixes
mean the same domains.
"""

from __future__ import annotations

from typing import Any, Final

from mailguard.render.phrases import SCOPES
from mailguard.render.reading import is_waived

Document = dict[str, Any]

_UNUSED: Final = frozenset({"ZONE014", "ZONE015"})


def is_without_mail(document: Document) -> bool:
    """Whether the domain is one that sends no mail, as far as it was seen or said."""
    said = document["expectation"]["sends"] is False
    return said or document["parked"]["status"] in ("perfect", "imperfect") or is_found_unused(document)


def is_found_unused(document: Document) -> bool:
    """Whether a finding calls for the whole set of records, for sending and receiving."""
    return any(one["rule"] in _UNUSED and not is_waived(one) for one in document["findings"])


def refuses_all(document: Document) -> bool:
    """Whether DMARC asks already to refuse everything in the name of the domain and of names below it."""
    return all(document["dmarc"]["effective_policy"][scope] == "reject" for scope in SCOPES)
