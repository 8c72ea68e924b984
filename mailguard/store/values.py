"""What goes into the store, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mailguard.feedback.envelope import ReceivedMail
from mailguard.feedback.mail import MailContents
from mailguard.trust.grade import Grade, Trust

GRADES: Final = (Grade.VERIFIED, Grade.AUTHENTICATED, Grade.UNVERIFIED)
"""From the best to none."""


def at_least(least: Grade) -> tuple[Grade, ...]:
    """The grades that are as good as ``least`` or better."""
    return GRADES[: GRADES.index(least) + 1]


@dataclass(frozen=True, slots=True)
class Filed:
    """One mail with what was read of it. ``trusts`` has one entry for each of ``contents.reports``, in their order.

    ``tls_trusts`` and ``failure_trusts`` do the same for the other kinds; either is empty where nobody looked.
    ``authentication`` is what was found out about the mail's sender, as JSON text; kept with the mail, never read here.
    """

    mail: ReceivedMail
    contents: MailContents
    trusts: tuple[Trust, ...]
    authentication: str = ""
    tls_trusts: tuple[Trust, ...] = ()
    failure_trusts: tuple[Trust, ...] = ()


class Outcome(StrEnum):
    """What became of a report."""

    STORED = "stored"
    DUPLICATE = "duplicate"  # it was there already, as well proved or better; nothing changed
    CONFLICT = "conflict"  # another report was there already under the same key; that one stays, this is noted


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a mail: ``new`` is false for bytes that were received before.

    One outcome for each of ``contents.reports``, and one for each of ``contents.tls_reports``.
    """

    mail_id: int
    new: bool
    outcomes: tuple[Outcome, ...]
    tls_outcomes: tuple[Outcome, ...] = ()
