"""Exit codes: what a script may conclude without reading the output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from mailguard.rules.base import Severity

OK: Final = 0
FINDINGS: Final = 1  # findings at or above --fail-on
WRONG_USE: Final = 2
UNANSWERED: Final = 3  # a deciding fact could not be answered
OUR_FAILURE: Final = 4
INTERRUPTED: Final = 130  # as a shell tells of SIGINT
UNREAD: Final = 141  # nobody reads on, as with `| head`; as a shell tells of SIGPIPE


@dataclass(slots=True)
class Outcome:
    """What happened over a whole run. The worst thing decides: wrong use, our failure, unanswered, findings."""

    wrong_use: bool = False
    our_failure: bool = False
    unanswered: bool = False
    findings: bool = False
    interrupted: bool = False

    def count(self, document: dict[str, Any], fail_on: Severity | None) -> None:
        """Take one audit's document into account; ``fail_on`` None means that findings never fail."""
        from mailguard.render.reading import is_undecided, is_waived
        from mailguard.rules.base import Severity

        self.unanswered |= is_undecided(document)
        self.findings |= fail_on is not None and any(
            Severity(finding["severity"]).rank <= fail_on.rank and not is_waived(finding)
            for finding in document["findings"]
        )

    @property
    def code(self) -> int:
        """The exit code."""
        if self.interrupted:
            return INTERRUPTED
        if self.wrong_use:
            return WRONG_USE
        if self.our_failure:
            return OUR_FAILURE
        if self.unanswered:
            return UNANSWERED
        return FINDINGS if self.findings else OK
