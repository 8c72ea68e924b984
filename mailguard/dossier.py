"""All that judgement may look at: what should hold, what was seen, and when.

The rules get a ``Dossier`` and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mailguard.requirement import Programme
from mailguard.survey import Survey


class MailingLists(StrEnum):
    """Whether people of this domain post to mailing lists (RFC 9989 section 7.4)."""

    YES = "yes"  # enforcement means quarantine
    NO = "no"  # enforcement means reject
    UNSET = "unset"  # nobody has said; the audit asks


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the owner, or a policy file in the owner's name, says should hold for a domain.

    ``sends`` and ``receives`` are ``None`` where nobody has said; the audit then goes by what is published.
    ``programmes`` are those that somebody asked to be weighed; by default none is.
    """

    mailing_lists: MailingLists = MailingLists.UNSET
    sends: bool | None = None
    receives: bool | None = None
    programmes: tuple[Programme, ...] = ()


@dataclass(frozen=True, slots=True)
class Dossier:
    """One domain as seen at one moment."""

    expectation: Expectation
    survey: Survey
    as_of: datetime
