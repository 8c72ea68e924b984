"""What the log says about each mail: one line, nothing secret, nothing that could draw on a screen."""

from __future__ import annotations

import logging
from typing import Final

from mailguard.render.safe import visible
from mailguard.worker.handling import Handled
from mailguard.worker.reasons import sentence_of

log = logging.getLogger(__name__)

_MAX_CHARS: Final = 120


def plain(text: str, most: int = _MAX_CHARS) -> str:
    """A stranger's text for the log: on one line, with control and format characters written out, cut to ``most``."""
    cut = text if len(text) <= most else text[: most - 3] + "..."
    return visible(cut)


def tell(handled: Handled) -> None:
    """Write down what became of a mail."""
    level = logging.WARNING if handled.wants_a_look else logging.INFO
    log.log(level, "%s", describe(handled))


class Trouble:
    """Something that is tried again and again: what is wrong is said once, and once that it is over."""

    def __init__(self) -> None:
        self._said = ""

    def say(self, error: Exception) -> None:
        """It did not work."""
        if str(error) != self._said:
            self._said = str(error)
            log.error("%s", self._said)

    def is_over(self) -> None:
        """It worked."""
        if self._said:
            log.warning("this works again: %s", self._said)
            self._said = ""


def describe(handled: Handled) -> str:
    """The line."""
    words = [f"mail {handled.mail.digest.hex()[:12]} {handled.outcome}"]
    if handled.mail.peer:
        words.append(f"from {plain(handled.mail.peer)}")
    reports = handled.contents.reports if handled.contents else ()
    for report, trust in zip(reports[:3], handled.trusts[:3], strict=False):
        about = f"{plain(report.org_name)} about {plain(report.policy.domain)}"
        words.append(f"[{about}: {len(report.records)} records, {trust.grade}]")
    if len(reports) > 3:
        words.append("...")
    tls = handled.contents.tls_reports if handled.contents else ()
    for tls_report, trust in zip(tls[:3], handled.tls_trusts[:3], strict=False):
        words.append(
            f"[{plain(tls_report.organization)}: TLS report, {len(tls_report.policies)} policies, {trust.grade}]"
        )
    if handled.reason is not None:
        words.append(f"- {plain(sentence_of(handled.reason), 300)}")
    return " ".join(words)
