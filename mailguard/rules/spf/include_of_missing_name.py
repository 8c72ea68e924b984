"""An included domain that does not exist."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Rule, Severity
from mailguard.rules.spf._select import BadInclude, find_bad_includes
from mailguard.spf.expansion import BranchStatus


class IncludeOfMissingName(BadInclude):
    """The included name does not exist; if it can be registered, whoever does so may send for the domain."""

    rule = Rule("SPF015", "include-of-missing-name", Severity.HIGH, cites=("RFC 7208 5.2",))


def check(dossier: Dossier) -> Iterator[IncludeOfMissingName]:
    """Only where a server denied the name; a time-out says nothing."""
    return find_bad_includes(dossier, IncludeOfMissingName, BranchStatus.NXDOMAIN)
